use moongate_balancer::CheckType;

use super::gateway::eventually;
use super::*;

fn active(kind: CheckType) -> Settings {
    settings(|settings| {
        let active = &mut settings.checks.active;
        active.kind = kind;
        active.http_path = "/status".to_owned();
        active.healthy_interval = Duration::from_millis(100);
        active.unhealthy_interval = Duration::from_millis(100);
        active.limits = Limits { successes: 1, http_failures: 1, tcp_failures: 1, timeouts: 1 };
        active.headers = vec![("X-Probe".to_owned(), "yes".to_owned())];
    })
}

#[test]
fn listed_statuses_open_the_breaker_until_the_admin_api_closes_it() {
    let server = Server::start("a");
    let passive = settings(|settings| {
        settings.checks.passive.limits = Limits { http_failures: 3, successes: 1, ..Limits::default() };
    });
    let gateway = Gateway::start(vec![upstream(passive, &[(server.address(), 100)])], "");
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
    for kind in [CheckType::Http, CheckType::Tcp] {
        let (server, gone) = (Server::start("a"), nobody());
        let targets = [(server.address(), 100), (gone.clone(), 100)];
        let gateway = Gateway::start(vec![upstream(active(kind), &targets)], "");
        eventually("the refused target leaves", || gateway.health()[1] == HealthWord::Unhealthy);
        for _ in 0..6 {
            assert_eq!(gateway.get("/x", &[]).body, "a");
        }
        let _back = Server::start_at("b", &gone);
        eventually("the target comes back", || gateway.health()[1] == HealthWord::Healthy);
        assert!((0..2).any(|_| gateway.get("/x", &[]).body == "b"));
    }
}

#[test]
fn probes_ask_as_configured_and_listen_to_the_status() {
    let server = Server::start("a");
    let gateway = Gateway::start(vec![upstream(active(CheckType::Http), &[(server.address(), 100)])], "");
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
    let slow = settings(|settings| {
        let active = &mut settings.checks.active;
        active.http_path = "/status?delay=2000".to_owned();
        active.timeout = Duration::from_millis(100);
        active.healthy_interval = Duration::from_millis(100);
        active.limits = Limits { timeouts: 2, ..Limits::default() };
    });
    let gateway = Gateway::start(vec![upstream(slow, &[(server.address(), 100)])], "");
    eventually("the target leaves", || gateway.health() == [HealthWord::Unhealthy]);
}
