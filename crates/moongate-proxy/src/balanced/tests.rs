//! A gateway in this process, with real sockets to clients, targets and name servers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use moongate_balancer::HealthWord;

use self::gateway::{Gateway, upstream};
use self::server::Server;
use crate::ProxyOptions;
use crate::dns::ResolverOptions;

mod bodies;
mod checks;
pub(crate) mod gateway;
mod leftovers;
mod name_server;
mod names;
mod retries;
mod server;
mod unreadable;

/// An address where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Passive checks that count failures.
fn passive(unhealthy: &str) -> String {
    format!("healthchecks: {{passive: {{healthy: {{successes: 1}}, unhealthy: {{{unhealthy}}}}}}}")
}

#[test]
fn requests_are_spread_by_weight_and_say_the_targets_name() {
    let servers = [Server::start("a"), Server::start("b")];
    let targets = [(servers[0].address(), 25), (servers[1].address(), 75)];
    let gateway = Gateway::start(upstream("", &targets), "");
    let mut tally = HashMap::<String, u32>::new();
    for _ in 0..16 {
        let answer = gateway.get("/x", &[]);
        assert_eq!(answer.status, 200);
        *tally.entry(answer.body.clone()).or_default() += 1;
        let server = &servers[usize::from(answer.body.starts_with('b'))];
        assert_eq!(answer.header("x-seen-host").unwrap(), server.address());
    }
    assert_eq!(tally, HashMap::from([("a".to_owned(), 4), ("b".to_owned(), 12)]));
}

#[test]
fn the_services_own_port_does_not_count_and_the_upstreams_host_header_does() {
    let server = Server::start("a");
    let address = server.address();
    let port = address.rsplit_once(':').unwrap().1;
    let host = "host_header: 'inner.test:8443'";
    let gateway = Gateway::start(upstream(host, &[(address.clone(), 100)]), "port: 1");
    let answer = gateway.get("/x", &[]);
    assert_eq!(answer.header("x-seen-host").unwrap(), format!("inner.test:8443:{port}"));
}

#[test]
fn without_an_available_target_the_gateway_answers_by_itself() {
    let targets = [(nobody(), 0), (nobody(), 0)];
    let gateway = Gateway::start(upstream("", &targets), "");
    let answer = gateway.get("/x", &[]);
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("\"message\":\"failure to get a peer from the ring-balancer\""));
    assert!(answer.header("x-kong-response-latency").is_some());
    assert!(answer.header("x-kong-proxy-latency").is_none() && answer.header("via").is_none());
}

#[test]
fn a_hashed_header_leads_to_one_target() {
    let servers = ["a", "b", "c"].map(Server::start);
    let targets: Vec<_> = servers.iter().map(|server| (server.address(), 100)).collect();
    let hashed = "hash_on: header, hash_on_header: X-Key";
    let gateway = Gateway::start(upstream(hashed, &targets), "");
    let mut used = std::collections::HashSet::new();
    for key in 0..20 {
        let key = key.to_string();
        let first = gateway.get("/x", &[("X-Key", &key)]).body;
        for _ in 0..3 {
            assert_eq!(gateway.get("/x", &[("X-Key", &key)]).body, first);
        }
        used.insert(first);
    }
    assert!(used.len() > 1, "different keys go to different targets");
}

#[test]
fn what_a_route_captures_leads_to_one_target() {
    let servers = ["a", "b", "c"].map(Server::start);
    let targets: Vec<_> = servers.iter().map(|server| (server.address(), 100)).collect();
    for group in ["id", "1"] {
        let hashed = format!("hash_on: uri_capture, hash_on_uri_capture: '{group}'");
        let route = "routes: [{name: r, paths: ['~/user/(?<id>[0-9]+)/'], strip_path: false}]";
        let gateway = Gateway::start(upstream(&hashed, &targets), route);
        let mut used = std::collections::HashSet::new();
        for user in 0..20 {
            let first = gateway.get(&format!("/user/{user}/a"), &[]).body;
            assert_eq!(gateway.get(&format!("/user/{user}/b"), &[]).body, first);
            used.insert(first);
        }
        assert!(used.len() > 1, "different captures go to different targets");
    }
}

#[test]
fn a_client_keeps_to_its_target_by_the_cookie_it_gets() {
    let servers = ["a", "b", "c"].map(Server::start);
    let targets: Vec<_> = servers.iter().map(|server| (server.address(), 100)).collect();
    let sticky = "hash_on: cookie, hash_on_cookie: sid, hash_on_cookie_path: /app";
    let gateway = Gateway::start(upstream(sticky, &targets), "");
    for _ in 0..10 {
        let first = gateway.get("/x", &[]);
        let line = first.header("set-cookie").unwrap();
        let (cookie, attributes) = line.split_once("; ").unwrap();
        assert_eq!(attributes, "Path=/app; Same-Site=Lax; HttpOnly");
        let again = gateway.get("/x", &[("Cookie", cookie)]);
        assert_eq!(again.body, first.body);
        assert!(again.header("set-cookie").is_none());
    }
}

#[test]
fn changed_targets_serve_at_once_and_the_others_keep_their_health() {
    let servers = ["a", "b", "c"].map(Server::start);
    let checked = passive("http_failures: 1");
    let target = |at: usize| (servers[at].address(), 100);
    let gateway = Gateway::start(upstream(&checked, &[target(0), target(1)]), "");
    while gateway.get("/x?status=500", &[]).body != "a" {}
    // That opened the breaker of "a", and perhaps that of "b", which an operator closes again.
    gateway.balancer().set_health(&servers[1].address(), None, true).unwrap();
    assert_eq!(gateway.get("/x", &[]).body, "b");
    gateway.publish(upstream(&checked, &[target(0), target(1), target(2)]));
    let bodies: Vec<_> = (0..4).map(|_| gateway.get("/x", &[]).body).collect();
    assert_eq!(bodies.iter().filter(|body| *body == "b").count(), 2, "{bodies:?}");
    assert_eq!(bodies.iter().filter(|body| *body == "c").count(), 2, "{bodies:?}");
}

#[test]
fn no_request_is_lost_while_targets_change() {
    let servers = ["a", "b", "c"].map(Server::start);
    let target = |at: usize| (servers[at].address(), 100);
    for algorithm in ["round-robin", "consistent-hashing, hash_on: path", "least-connections", "latency"] {
        let settings = format!("algorithm: {algorithm}");
        let gateway = Gateway::start(upstream(&settings, &[target(0), target(1)]), "");
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        (0..60)
                            .map(|number| gateway.get(&format!("/{number}"), &[]).status)
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            for round in 0..30 {
                gateway.publish(upstream(&settings, &[target(round % 3), target((round + 1) % 3)]));
            }
            for client in clients {
                assert!(client.join().unwrap().iter().all(|status| *status == 200), "{algorithm}");
            }
        });
    }
}
