//! Entities, with the defaults of all that a test does not care for.

use std::net::SocketAddr;

use moongate_model::core::RouterFlavor;
use moongate_model::{
    Certificate, Entities, Format, HttpsRedirectStatus, PathHandling, Protocol, Reference, Route, Service,
    Sni,
};
use moongate_schema::{Context, SystemRandomness};
use uuid::Uuid;

use crate::certificates::Pair;

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

/// What a declarative configuration declares, without its version.
pub fn declared(text: &str) -> Entities {
    let catalog = moongate_model::core::catalog(RouterFlavor::default()).build().unwrap();
    let context = Context::new(1_700_000_000_000, &SystemRandomness);
    let text = format!("_format_version: '3.0'\n{text}");
    let declaration = moongate_model::parse(&text, Format::Auto, &catalog, &context).unwrap();
    Entities::from_rows(&declaration.rows).unwrap()
}

/// A certificate entity.
pub fn certificate(id: u128, pair: &Pair) -> Certificate {
    Certificate {
        id: Uuid::from_u128(id),
        created_at: 0,
        updated_at: 0,
        cert: pair.cert.clone(),
        key: pair.key.clone(),
        cert_alt: None,
        key_alt: None,
        tags: None,
    }
}

/// A name of a certificate entity.
pub fn sni(name: &str, certificate: u128) -> Sni {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes());
    let certificate = Reference { id: Uuid::from_u128(certificate) };
    Sni { id, created_at: 0, updated_at: 0, name: name.to_owned(), certificate, tags: None }
}
