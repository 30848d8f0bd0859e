//! TLS connections to upstreams.

use http::StatusCode;
use moongate_model::{CaCertificate, Entities, Protocol, Reference, Service, pki};
use moongate_proxy::{ProxyOptions, TlsIdentity};
use uuid::Uuid;

use crate::certificates::{Authority, Pair, self_signed};
use crate::client::{ask, get, open};
use crate::entities::{all_to, certificate};
use crate::gateway::Gateway;
use crate::upstream::{Upstream, server, server_for};

/// Trusts `authority` and nobody else.
fn trusting(authority: &str) -> impl FnOnce(&mut ProxyOptions) {
    let der = pki::certificate_chain(authority).unwrap()[0].to_vec();
    |options| {
        options.upstream_tls.trusted = vec![der];
        options.upstream_tls.trust_system = false;
    }
}

fn verified(upstream: &Upstream) -> Entities {
    all_to(upstream.address, Protocol::Https, |service, _| {
        service.host = "localhost".to_owned();
        service.tls_verify = Some(true);
    })
}

#[tokio::test]
async fn upstreams_are_spoken_to_over_tls_and_named_by_the_host_they_are_asked_for() {
    let upstream = Upstream::tls(server(&self_signed(&["anything.test"]))).await;
    let port = upstream.address.port();
    let to_localhost = |preserve| {
        all_to(upstream.address, Protocol::Https, |service, route| {
            service.host = "localhost".to_owned();
            route.preserve_host = preserve;
        })
    };
    let gateway = Gateway::start(to_localhost(false));
    let reply = get(gateway.plain(), "/x", &[]).await;
    assert!(reply.body.starts_with("tls sni=localhost client-certificates=0\nGET /x\n"), "{}", reply.body);
    assert!(reply.body.contains(&format!("\nhost: localhost:{port}\n")), "{}", reply.body);

    gateway.publish(to_localhost(true));
    let reply = get(gateway.plain(), "/x", &[("host", "Api.test:8000")]).await;
    assert!(reply.body.starts_with("tls sni=api.test "), "{}", reply.body);

    // An address is no server name.
    gateway.publish(all_to(upstream.address, Protocol::Https, |_, _| {}));
    let reply = get(gateway.plain(), "/x", &[]).await;
    assert!(reply.body.starts_with("tls sni=- "), "{}", reply.body);
}

#[tokio::test]
async fn tls_connections_are_used_again_for_the_same_name_also_after_a_new_configuration() {
    let upstream = Upstream::tls(server(&self_signed(&["localhost"]))).await;
    let entities = all_to(upstream.address, Protocol::Https, |_, route| route.preserve_host = true);
    let gateway = Gateway::start_with(entities.clone(), |options| options.workers = 1);
    let stream = tokio::net::TcpStream::connect(gateway.plain()).await.unwrap();
    let mut sender = open(stream).await;
    for (host, connections) in [("a.test", 1), ("a.test", 1), ("b.test", 2), ("a.test", 2)] {
        let reply = ask(&mut sender, "/", &[("host", host)]).await;
        assert!(reply.body.starts_with(&format!("tls sni={host} ")), "{}", reply.body);
        assert_eq!(upstream.connections(), connections);
        gateway.publish(entities.clone());
    }
}

#[tokio::test]
async fn a_verified_upstream_shows_a_certificate_of_an_authority_for_its_name() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("other"));
    let below = trusted.below("below").below("further below");
    let chain = |authorities: &[&Authority], leaf: Pair| {
        let above: String = authorities.iter().map(|authority| authority.cert.as_str()).collect();
        Pair { cert: leaf.cert + &above, ..leaf }
    };
    let middle = trusted.below("middle");
    for (pair, status) in [
        (trusted.issue(&["localhost"]), StatusCode::OK),
        (trusted.issue(&["other.test"]), StatusCode::BAD_GATEWAY),
        (other.issue(&["localhost"]), StatusCode::BAD_GATEWAY),
        (self_signed(&["localhost"]), StatusCode::BAD_GATEWAY),
        (chain(&[&middle], middle.issue(&["localhost"])), StatusCode::OK),
        // The one between is missing.
        (below.issue(&["localhost"]), StatusCode::BAD_GATEWAY),
    ] {
        let upstream = Upstream::tls(server(&pair)).await;
        let gateway = Gateway::start_with(verified(&upstream), trusting(&trusted.cert));
        let reply = get(gateway.plain(), "/", &[]).await;
        assert_eq!(reply.status, status, "{}", pair.cert);
    }
}

#[tokio::test]
async fn a_chain_may_be_as_long_as_the_service_says() {
    let trusted = Authority::new("trusted");
    let one = trusted.below("one");
    let two = one.below("two");
    let leaf = two.issue(&["localhost"]);
    let pair = Pair { cert: format!("{}{}{}", leaf.cert, two.cert, one.cert), ..leaf };
    let upstream = Upstream::tls(server(&pair)).await;
    let gateway = Gateway::start_with(verified(&upstream), trusting(&trusted.cert));
    for (depth, status) in
        [(None, StatusCode::BAD_GATEWAY), (Some(2), StatusCode::OK), (Some(1), StatusCode::BAD_GATEWAY)]
    {
        let mut entities = verified(&upstream);
        let service = Service { tls_verify_depth: depth, ..entities.services[0].clone() };
        entities.services = vec![service].into();
        gateway.publish(entities);
        assert_eq!(get(gateway.plain(), "/", &[]).await.status, status, "{depth:?}");
    }
}

#[tokio::test]
async fn a_certificate_can_be_trusted_by_itself() {
    let pair = self_signed(&["localhost"]);
    let upstream = Upstream::tls(server(&pair)).await;
    let gateway = Gateway::start_with(verified(&upstream), trusting(&pair.cert));
    assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_common_name_counts_where_there_are_no_other_names() {
    let trusted = Authority::new("trusted");
    for (name, status) in [("localhost", StatusCode::OK), ("other.test", StatusCode::BAD_GATEWAY)] {
        let upstream = Upstream::tls(server(&trusted.issue_by_common_name(name))).await;
        let gateway = Gateway::start_with(verified(&upstream), trusting(&trusted.cert));
        assert_eq!(get(gateway.plain(), "/", &[]).await.status, status);
    }
}

#[tokio::test]
async fn the_gateway_shows_its_certificate_to_upstreams_that_want_one() {
    let authority = Authority::new("clients");
    let upstream = Upstream::tls(server_for(&authority, &self_signed(&["localhost"]))).await;
    let entities = all_to(upstream.address, Protocol::Https, |_, _| {});
    let gateway = Gateway::start(entities.clone());
    assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::BAD_GATEWAY);

    let own = authority.issue(&["gateway.test"]);
    let gateway = Gateway::start_with(entities, |options| {
        options.upstream_tls.client_certificate = Some(TlsIdentity::from_pem(&own.cert, &own.key).unwrap());
    });
    let reply = get(gateway.plain(), "/", &[]).await;
    assert!(reply.body.contains(" client-certificates=1\n"), "{}", reply.body);
}

#[tokio::test]
async fn a_service_names_its_own_authorities_and_certificate() {
    let (server_side, client_side) = (Authority::new("servers"), Authority::new("clients"));
    let upstream = Upstream::tls(server_for(&client_side, &server_side.issue(&["localhost"]))).await;
    let trusted = CaCertificate {
        id: Uuid::from_u128(8),
        created_at: 0,
        updated_at: 0,
        cert: server_side.cert.clone(),
        cert_digest: None,
        tags: None,
    };
    let entities = |authorities: Vec<Uuid>, shown: Option<u128>| {
        let entities = all_to(upstream.address, Protocol::Https, |service, _| {
            service.host = "localhost".to_owned();
            service.tls_verify = Some(true);
            service.ca_certificates = Some(authorities);
            service.client_certificate = shown.map(|id| Reference { id: Uuid::from_u128(id) });
        });
        let own = certificate(9, &client_side.issue(&["gateway.test"]));
        let (certificates, ca_certificates) = (vec![own].into(), vec![trusted.clone()].into());
        Entities { certificates, ca_certificates, ..entities }
    };
    let gateway = Gateway::start(entities(vec![trusted.id], Some(9)));
    let reply = get(gateway.plain(), "/", &[]).await;
    assert!(reply.body.contains(" client-certificates=1\n"), "{}", reply.body);
    for wrong in [entities(vec![trusted.id], None), entities(vec![], Some(9))] {
        gateway.publish(wrong);
        assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::BAD_GATEWAY);
    }
}

#[tokio::test]
async fn a_service_of_another_protocol_than_http_is_taken_and_its_requests_fail() {
    let upstream = Upstream::plain().await;
    for protocol in [Protocol::Tcp, Protocol::Tls, Protocol::Udp, Protocol::TlsPassthrough] {
        let gateway = Gateway::start(all_to(upstream.address, protocol, |_, _| {}));
        assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}

#[tokio::test]
async fn an_upstream_without_tls_is_a_bad_gateway_for_https() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Https, |_, _| {}));
    let reply = get(gateway.plain(), "/", &[]).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY);
    assert!(reply.headers.contains_key("x-kong-proxy-latency"));
}
