//! TLS connections of clients.

use std::sync::Arc;

use http::StatusCode;
use moongate_model::{Entities, HttpsRedirectStatus, Protocol, pki};
use moongate_proxy::{CipherSuites, TlsIdentity, TlsVersion};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use rustls::HandshakeKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::certificates::{Authority, Pair};
use crate::client::{self, ask, config, connect, get, get_tls, open};
use crate::entities::{all_to, certificate, sni};
use crate::gateway::Gateway;
use crate::upstream::Upstream;

#[tokio::test]
async fn requests_over_tls_reach_the_upstream_and_say_so() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let reply = get_tls(gateway.tls(), "gw.test", "/x?y", &[("x-forwarded-proto", "http")]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.starts_with("GET /x?y\n"), "{}", reply.body);
    assert!(reply.body.contains("\nx-forwarded-proto: https\n"), "{}", reply.body);
    let port = format!("\nx-forwarded-port: {}\n", gateway.tls().port());
    assert!(reply.body.contains(&port), "{}", reply.body);
    assert!(reply.headers.contains_key("x-kong-request-id"));

    let reply = get(gateway.plain(), "/", &[("x-forwarded-proto", "https")]).await;
    assert!(reply.body.contains("\nx-forwarded-proto: http\n"), "{}", reply.body);
}

#[tokio::test]
async fn a_tls_connection_serves_request_after_request() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let stream = connect(&Arc::new(config()), gateway.tls(), "gw.test").await.unwrap();
    let mut sender = open(stream).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut sender, "/", &[]).await.status, StatusCode::OK);
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn routes_match_the_server_name_of_the_handshake() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, route| {
        route.protocols = vec![Protocol::Https];
        route.snis = Some(vec!["a.test".to_owned()]);
    }));
    assert_eq!(get_tls(gateway.tls(), "A.test", "/", &[]).await.status, StatusCode::OK);
    assert_eq!(get_tls(gateway.tls(), "b.test", "/", &[]).await.status, StatusCode::NOT_FOUND);
    // An address is no server name.
    assert_eq!(get_tls(gateway.tls(), "127.0.0.1", "/", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_route_for_tls_alone_points_plain_requests_there() {
    let upstream = Upstream::plain().await;
    let entities = all_to(upstream.address, Protocol::Http, |_, route| {
        route.protocols = vec![Protocol::Https];
        route.https_redirect_status_code = HttpsRedirectStatus::MovedPermanently;
    });
    let gateway = Gateway::start_with(entities.clone(), |options| options.trusted.clear());
    assert_eq!(get_tls(gateway.tls(), "gw.test", "/x", &[]).await.status, StatusCode::OK);
    let reply = get(gateway.plain(), "/x", &[("x-forwarded-proto", "https")]).await;
    assert_eq!(reply.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(reply.headers["location"], "https://gw.test/x");
    assert_eq!(reply.headers["content-type"], "text/html");
    assert!(reply.body.contains("<center><h1>301 Moved Permanently</h1></center>\r\n"), "{}", reply.body);

    let trusting =
        Gateway::start_with(entities, |options| options.trusted = vec!["127.0.0.0/8".parse().unwrap()]);
    let told = |proto| [("x-forwarded-proto", proto)];
    assert_eq!(get(trusting.plain(), "/x", &told("https")).await.status, StatusCode::OK);
    // A trusted peer that ended TLS of its own knows better than the connection.
    let reply = get_tls(trusting.tls(), "gw.test", "/x", &told("http")).await;
    assert_eq!(reply.status, StatusCode::MOVED_PERMANENTLY);
}

#[tokio::test]
async fn sessions_are_resumed_also_by_another_worker_and_after_a_new_configuration() {
    let upstream = Upstream::plain().await;
    for (tickets, version) in [
        (true, &rustls::version::TLS13),
        (true, &rustls::version::TLS12),
        (false, &rustls::version::TLS13),
        (false, &rustls::version::TLS12),
    ] {
        let entities = all_to(upstream.address, Protocol::Http, |_, _| {});
        let gateway = Gateway::start_with(entities.clone(), |options| options.tls.session_tickets = tickets);
        let config = Arc::new(client::config_of(&[version]));
        let mut resumed = 0;
        for _ in 0..6 {
            let stream = connect(&config, gateway.tls(), "gw.test").await.unwrap();
            resumed += usize::from(stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed));
            let mut sender = open(stream).await;
            assert_eq!(ask(&mut sender, "/", &[]).await.status, StatusCode::OK);
            gateway.publish(entities.clone());
        }
        assert_eq!(resumed, 5, "tickets {tickets}, {version:?}");
    }
}

#[tokio::test]
async fn only_the_versions_and_suites_of_the_options_are_spoken() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start_with(all_to(upstream.address, Protocol::Http, |_, _| {}), |options| {
        options.tls.versions = vec![TlsVersion::Tls12];
        options.tls.cipher_suites = CipherSuites::named("ECDHE-ECDSA-AES256-GCM-SHA384").unwrap().0;
    });
    let tls13 = Arc::new(client::config_of(&[&rustls::version::TLS13]));
    assert!(connect(&tls13, gateway.tls(), "gw.test").await.is_err());
    let stream = connect(&Arc::new(config()), gateway.tls(), "gw.test").await.unwrap();
    let session = stream.get_ref().1;
    assert_eq!(session.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_2));
    let suite = session.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, rustls::CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384);
}

#[tokio::test]
async fn clients_that_cannot_use_one_kind_of_certificate_see_the_other() {
    let upstream = Upstream::plain().await;
    let authority = Authority::new("ca");
    let pairs = [&PKCS_RSA_SHA256, &PKCS_ECDSA_P256_SHA256]
        .map(|algorithm| authority.issue_for(algorithm, &["gw.test"]));
    let gateway = Gateway::start_with(all_to(upstream.address, Protocol::Http, |_, _| {}), |options| {
        options.tls.default_certificates =
            pairs.iter().map(|pair| TlsIdentity::from_pem(&pair.cert, &pair.key).unwrap()).collect();
    });
    for (scheme, pair) in [
        (rustls::SignatureScheme::RSA_PSS_SHA256, &pairs[0]),
        (rustls::SignatureScheme::ECDSA_NISTP256_SHA256, &pairs[1]),
    ] {
        let stream =
            connect(&Arc::new(client::config_that_knows(scheme)), gateway.tls(), "gw.test").await.unwrap();
        let shown = &stream.get_ref().1.peer_certificates().unwrap()[0];
        assert_eq!(*shown, moongate_model::pki::certificate_chain(&pair.cert).unwrap()[0]);
    }
}

#[tokio::test]
async fn clients_see_the_certificate_of_their_server_name_and_new_ones_at_once() {
    let upstream = Upstream::plain().await;
    let authority = Authority::new("ca");
    let pairs = ["exact", "wildcard", "newer"].map(|name| authority.issue(&[name]));
    let entities = |snis: &[(&str, u128)]| Entities {
        certificates: pairs.iter().zip(0..).map(|(pair, id)| certificate(id, pair)).collect(),
        snis: snis.iter().map(|(name, id)| sni(name, *id)).collect(),
        ..all_to(upstream.address, Protocol::Http, |_, _| {})
    };
    let gateway = Gateway::start(entities(&[("a.b.test", 0), ("*.b.test", 1)]));
    let shown = async |name: &str| {
        let stream = connect(&Arc::new(config()), gateway.tls(), name).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        let owner = |pair: &Pair| pki::certificate_chain(&pair.cert).unwrap()[0] == shown;
        pairs.iter().position(owner)
    };
    assert_eq!(shown("a.b.test").await, Some(0));
    assert_eq!(shown("x.b.test").await, Some(1));
    assert_eq!(shown("other.test").await, None);

    let mut open = open(connect(&Arc::new(config()), gateway.tls(), "a.b.test").await.unwrap()).await;
    assert_eq!(ask(&mut open, "/", &[]).await.status, StatusCode::OK);
    gateway.publish(entities(&[("a.b.test", 2), ("*", 1)]));
    assert_eq!(shown("a.b.test").await, Some(2));
    assert_eq!(shown("other.test").await, Some(1));
    assert_eq!(ask(&mut open, "/", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_handshake_ends_the_connection() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start_with(all_to(upstream.address, Protocol::Http, |_, _| {}), |options| {
        options.client_header_timeout = std::time::Duration::from_millis(200);
    });
    let mut stream = tokio::net::TcpStream::connect(gateway.tls()).await.unwrap();
    stream.write_all(b"\x00\x00\x00").await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;

    // Also when nothing comes at all.
    let mut silent = tokio::net::TcpStream::connect(gateway.tls()).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(get_tls(gateway.tls(), "gw.test", "/", &[]).await.status, StatusCode::OK);
}
