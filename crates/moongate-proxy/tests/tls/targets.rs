//! TLS connections to the targets of upstream entities.

use std::time::Duration;

use http::StatusCode;
use moongate_balancer::HealthWord;
use moongate_model::{Entities, pki};
use uuid::Uuid;

use crate::certificates::{Authority, self_signed};
use crate::client::get;
use crate::entities::declared;
use crate::gateway::Gateway;
use crate::upstream::{Upstream, server};

const ID: Uuid = Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0001);

/// A service over TLS whose upstream has one target, and `fields`.
fn balanced(target: &str, fields: &str) -> Entities {
    let text = format!(
        "services: [{{name: s, protocol: https, host: up.test, routes: [{{name: r, paths: [/]}}]}}]\n\
         upstreams: [{{id: {ID}, name: up.test, targets: [{{target: '{target}'}}], {fields}}}]"
    );
    declared(&text)
}

#[tokio::test]
async fn a_target_is_named_by_its_host_or_the_upstreams() {
    let upstream = Upstream::tls(server(&self_signed(&["anything.test"]))).await;
    let port = upstream.address.port();
    let target = format!("localhost:{port}");
    let gateway = Gateway::start(balanced(&target, ""));
    for (fields, sni) in [("", "localhost"), ("host_header: inner.test", "inner.test")] {
        gateway.publish(balanced(&target, fields));
        let reply = get(gateway.plain(), "/x", &[]).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.body.starts_with(&format!("tls sni={sni} ")), "{}", reply.body);
        assert!(reply.body.contains(&format!("\nhost: {sni}:{port}\n")), "{}", reply.body);
    }
}

#[tokio::test]
async fn probes_over_tls_want_a_certificate_that_is_valid_for_the_name() {
    let trusted = Authority::new("trusted");
    let upstream = Upstream::tls(server(&trusted.issue(&["probed.test"]))).await;
    let der = pki::certificate_chain(&trusted.cert).unwrap()[0].to_vec();
    let target = upstream.address.to_string();
    let gateway = Gateway::start_with(balanced(&target, ""), |options| {
        options.upstream_tls.trusted = vec![der];
    });
    for (fields, health) in [
        ("https_verify_certificate: true", HealthWord::Unhealthy),
        ("https_sni: probed.test", HealthWord::Healthy),
        ("https_sni: other.test", HealthWord::Unhealthy),
        ("https_verify_certificate: false", HealthWord::Healthy),
    ] {
        let checks = format!(
            "healthchecks: {{active: {{type: https, {fields}, healthy: {{interval: 0.1, successes: 1}}, \
             unhealthy: {{interval: 0.1, tcp_failures: 1}}}}}}"
        );
        gateway.publish(balanced(&target, &checks));
        for _ in 0..100 {
            if gateway.target_health(ID) == health {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(gateway.target_health(ID), health, "{fields}");
    }
}
