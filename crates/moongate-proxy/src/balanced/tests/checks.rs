use super::gateway::eventually;
use super::*;

fn active(fields: &str) -> String {
    format!(
        "healthchecks: {{active: {{headers: {{X-Probe: ['yes']}}, healthy: {{interval: 0.1, successes: 1}}, \
         unhealthy: {{interval: 0.1, http_failures: 1, tcp_failures: 1, timeouts: 1}}, {fields}}}}}"
    )
}

#[test]
fn listed_statuses_open_the_breaker_until_the_admin_api_closes_it() {
    let server = Server::start("a");
    let passive = passive("http_failures: 3");
    let gateway = Gateway::start(upstream(&passive, &[(server.address(), 100)]), "");
    for _ in 0..4 {
        assert_eq!(gateway.get("/x?status=502", &[]).status, 502);
    }
    for _ in 0..3 {
        assert_eq!(gateway.get("/x?status=500", &[]).status, 500);
    }
    let answer = gateway.get("/x", &[("Accept", "text/html")]);
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("<p>failure to get a peer from the ring-balancer.</p>"));
    gateway.balancer().set_health(&server.address(), None, true).unwrap();
    assert_eq!(gateway.get("/x", &[]).status, 200);
}

#[test]
fn probes_take_a_refused_target_out_and_a_recovered_one_in() {
    for kind in ["http", "tcp"] {
        let (server, gone) = (Server::start("a"), nobody());
        let targets = [(server.address(), 100), (gone.clone(), 100)];
        let gateway =
            Gateway::start(upstream(&active(&format!("type: {kind}, http_path: /status")), &targets), "");
        eventually("the refused target leaves", || gateway.health_of(&gone) == HealthWord::Unhealthy);
        for _ in 0..6 {
            assert_eq!(gateway.get("/x", &[]).body, "a");
        }
        let _back = Server::start_at("b", &gone);
        eventually("the target comes back", || gateway.health_of(&gone) == HealthWord::Healthy);
        assert!((0..2).any(|_| gateway.get("/x", &[]).body == "b"));
    }
}

#[test]
fn probes_ask_as_configured_and_listen_to_the_status() {
    let server = Server::start("a");
    let gateway = Gateway::start(upstream(&active("http_path: /status"), &[(server.address(), 100)]), "");
    eventually("a probe", || !server.seen().is_empty());
    let head = server.seen().remove(0);
    assert!(head.starts_with("GET /status HTTP/1.0\r\nHost: 127.0.0.1\r\n"), "{head}");
    assert!(head.contains("X-Probe: yes\r\n"));
    server.set_status(500);
    eventually("the target leaves", || gateway.health() == [HealthWord::Unhealthy]);
    server.set_status(204);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(gateway.health(), [HealthWord::Unhealthy], "204 is in neither list");
    server.set_status(302);
    eventually("the target comes back", || gateway.health() == [HealthWord::Healthy]);
}

#[test]
fn a_probe_that_takes_too_long_counts_as_a_timeout() {
    let server = Server::start("a");
    let slow = active("http_path: /status/delay=2000, timeout: 0.1");
    let gateway = Gateway::start(upstream(&slow, &[(server.address(), 100)]), "");
    eventually("the target leaves", || gateway.health() == [HealthWord::Unhealthy]);
}
