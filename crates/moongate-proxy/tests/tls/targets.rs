//! TLS connections to the targets of upstream entities.

use std::time::Duration;

use http::StatusCode;
use moongate_balancer::{CheckType, HealthChecks, HealthWord, Limits, Settings, Target};
use moongate_model::{Entities, Protocol, pki};
use moongate_proxy::UpstreamSpec;
use uuid::Uuid;

use crate::certificates::{Authority, self_signed};
use crate::client::get;
use crate::entities::all_to;
use crate::gateway::Gateway;
use crate::upstream::{Upstream, server};

const ID: Uuid = Uuid::from_u128(7);

fn balanced(upstream: &Upstream) -> Entities {
    all_to(upstream.address, Protocol::Https, |service, _| service.host = "up.test".to_owned())
}

fn spec(settings: Settings, target: String) -> UpstreamSpec {
    UpstreamSpec { id: ID, name: "up.test".to_owned(), settings, targets: vec![Target::parse(&target, 100)] }
}

#[tokio::test]
async fn a_target_is_named_by_its_host_or_the_upstreams() {
    let upstream = Upstream::tls(server(&self_signed(&["anything.test"]))).await;
    let port = upstream.address.port();
    let gateway = Gateway::start(balanced(&upstream));
    for (host_header, sni, host) in [
        (None, "localhost", format!("localhost:{port}")),
        (Some("inner.test"), "inner.test", format!("inner.test:{port}")),
    ] {
        let settings = Settings { host_header: host_header.map(str::to_owned), ..Settings::default() };
        gateway.publish_with(balanced(&upstream), vec![spec(settings, format!("localhost:{port}"))]);
        let reply = get(gateway.plain(), "/x", &[]).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(reply.body.starts_with(&format!("tls sni={sni} ")), "{}", reply.body);
        assert!(reply.body.contains(&format!("\nhost: {host}\n")), "{}", reply.body);
    }
}

#[tokio::test]
async fn probes_over_tls_want_a_certificate_that_is_valid_for_the_name() {
    let trusted = Authority::new("trusted");
    let upstream = Upstream::tls(server(&trusted.issue(&["probed.test"]))).await;
    let der = pki::certificate_chain(&trusted.cert).unwrap()[0].to_vec();
    let gateway = Gateway::start_with(balanced(&upstream), |options| {
        options.upstream_tls.trusted = Some(vec![der]);
    });
    for (sni, verify, health) in [
        (None, true, HealthWord::Unhealthy),
        (Some("probed.test"), true, HealthWord::Healthy),
        (Some("other.test"), true, HealthWord::Unhealthy),
        (None, false, HealthWord::Healthy),
    ] {
        let mut checks = HealthChecks::default();
        checks.active.kind = CheckType::Https;
        checks.active.https_sni = sni.map(str::to_owned);
        checks.active.https_verify_certificate = verify;
        checks.active.healthy_interval = Duration::from_millis(100);
        checks.active.unhealthy_interval = Duration::from_millis(100);
        checks.active.limits = Limits { successes: 1, tcp_failures: 1, ..Limits::default() };
        let settings = Settings { checks, ..Settings::default() };
        gateway.publish_with(balanced(&upstream), vec![spec(settings, upstream.address.to_string())]);
        for _ in 0..100 {
            if gateway.target_health(ID) == health {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(gateway.target_health(ID), health, "{sni:?} {verify}");
    }
}
