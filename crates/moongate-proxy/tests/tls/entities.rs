//! Entities, with the defaults of all that a test does not care for.

use std::net::SocketAddr;

use moongate_model::{Entities, HttpsRedirectStatus, PathHandling, Protocol, Reference, Route, Service};
use uuid::Uuid;

/// Routes everything to one service.
pub fn all_to(
    upstream: SocketAddr,
    protocol: Protocol,
    change: impl FnOnce(&mut Service, &mut Route),
) -> Entities {
    let mut service = Service {
        id: Uuid::from_u128(1),
        name: None,
        created_at: 0,
        updated_at: 0,
        retries: 0,
        protocol,
        host: upstream.ip().to_string(),
        port: upstream.port(),
        path: None,
        connect_timeout: 5000,
        write_timeout: 5000,
        read_timeout: 5000,
        tags: None,
        client_certificate: None,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: None,
        enabled: true,
    };
    let mut route = Route {
        id: Uuid::from_u128(2),
        name: None,
        created_at: 0,
        updated_at: 0,
        protocols: vec![Protocol::Http, Protocol::Https],
        methods: None,
        hosts: None,
        paths: Some(vec!["/".to_owned()]),
        headers: None,
        snis: None,
        sources: None,
        destinations: None,
        https_redirect_status_code: HttpsRedirectStatus::UpgradeRequired,
        regex_priority: 0,
        strip_path: false,
        path_handling: PathHandling::V0,
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        tags: None,
        service: Some(Reference { id: service.id }),
        expression: None,
        priority: None,
    };
    change(&mut service, &mut route);
    Entities { services: vec![service].into(), routes: vec![route].into(), ..Entities::default() }
}
