//! Requests on their way to an upstream and back.

use std::time::{Duration, Instant};

use crate::client::{Client, get, raw};
use crate::harness::Setup;

#[test]
fn a_request_and_its_response_carry_the_gateways_headers() {
    let gateway = Setup::new().plain_route("open").start();
    let answer = get(gateway.proxy, "/open/a?b=%20c", &[]);
    assert_eq!((answer.status, answer.header("x-upstream").as_deref()), (200, Some("yes")));
    assert!(answer.header("via").unwrap().starts_with("1.1 moongate/"));
    assert!(answer.header("server").unwrap().starts_with("moongate/"));
    for name in ["x-kong-upstream-latency", "x-kong-proxy-latency"] {
        assert!(answer.header(name).unwrap().parse::<u64>().is_ok(), "{name}");
    }
    let id = answer.header("x-kong-request-id").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");

    let seen = String::from_utf8(gateway.last_upstream_head()).unwrap().to_lowercase();
    assert!(seen.starts_with("get /a?b=%20c http/1.1\r\n"), "{seen}");
    for line in [
        "via: 1.1 moongate/",
        "x-real-ip: 127.0.0.1\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-host: gateway.test\r\n",
        &format!("x-forwarded-port: {}\r\n", gateway.proxy.port()),
        "x-forwarded-path: /open/a\r\n",
        "x-forwarded-prefix: /open\r\n",
        &format!("x-kong-request-id: {id}\r\n"),
    ] {
        assert!(seen.contains(line), "no {line:?} in {seen}");
    }
}

#[test]
fn routes_match_by_the_longest_path_the_host_and_the_method() {
    let declarative = "
_format_version: '3.0'
services:
- name: echo
  url: UPSTREAM/base
  routes:
  - { name: short, paths: [/a], strip_path: true }
  - { name: long, paths: [/a/b], strip_path: false }
  - { name: host, hosts: [only.test], preserve_host: true }
  - { name: method, paths: [/a], methods: [DELETE], strip_path: false }
";
    let gateway = Setup::new().declarative(declarative).start();
    let asked = |path: &str, headers: &[(&str, &str)]| {
        let answer = get(gateway.proxy, path, headers);
        let seen = String::from_utf8(gateway.last_upstream_head()).unwrap();
        (answer.status, seen.split(' ').nth(1).unwrap().to_owned(), seen.to_lowercase())
    };
    assert_eq!(asked("/a/x", &[]).1, "/base/x");
    assert_eq!(asked("/a/b/x", &[]).1, "/base/a/b/x");
    let request = b"GET /z HTTP/1.1\r\nhost: only.test\r\n\r\n";
    assert_eq!(raw(gateway.proxy, request).unwrap().status, 200);
    let seen = String::from_utf8(gateway.last_upstream_head()).unwrap().to_lowercase();
    assert!(seen.starts_with("get /base/z ") && seen.contains("host: only.test\r\n"), "{seen}");
    let request = b"DELETE /a/x HTTP/1.1\r\nhost: h\r\n\r\n";
    assert_eq!(raw(gateway.proxy, request).unwrap().status, 200);
    assert!(gateway.last_upstream_head().starts_with(b"DELETE /base/a/x "));
}

#[test]
fn a_request_that_matches_nothing_is_told_so_in_the_form_it_asks_for() {
    let gateway = Setup::new().plain_route("open").start();
    let answer = get(gateway.proxy, "/nowhere", &[]);
    let id = answer.header("x-kong-request-id").unwrap();
    assert_eq!(answer.status, 404);
    let wanted =
        format!("{{\n  \"message\":\"no Route matched with those values\",\n  \"request_id\":\"{id}\"\n}}");
    assert_eq!(answer.text(), wanted);
    assert!(answer.header("x-kong-response-latency").is_some());
    assert!(answer.header("via").is_none());
    let answer = get(gateway.proxy, "/nowhere", &[("accept", "text/html")]);
    assert_eq!(answer.header("content-type").unwrap(), "text/html; charset=utf-8");
}

#[test]
fn an_upstream_that_refuses_breaks_off_or_sleeps_is_answered_for() {
    let gateway = Setup::new().plain_route("open").service("read_timeout: 300").service("retries: 1").start();
    let started = Instant::now();
    assert_eq!(get(gateway.proxy, "/open?sleep=2000", &[]).status, 504);
    assert!(started.elapsed() < Duration::from_millis(1_500), "{:?}", started.elapsed());
    let answer = get(gateway.proxy, "/open?drop=1", &[]);
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("An invalid response was received from the upstream server"));

    let declarative = "
_format_version: '3.0'
services:
- { name: nobody, url: 'http://127.0.0.1:1', retries: 1, routes: [{ name: nobody, paths: [/nobody] }] }
- { name: nowhere, url: 'http://nowhere.invalid', routes: [{ name: nowhere, paths: [/nowhere] }] }
routes:
- { name: nothing, paths: [/nothing] }
";
    let gateway = Setup::new().declarative(declarative).start();
    assert_eq!(get(gateway.proxy, "/nobody", &[]).status, 502);
    assert_eq!(get(gateway.proxy, "/nowhere", &[]).status, 503);
    let answer = get(gateway.proxy, "/nothing", &[("accept", "application/json")]);
    assert_eq!(answer.status, 503);
    assert!(answer.text().contains("no Service found with those values"));
}

#[test]
fn connections_are_kept_on_both_sides() {
    let gateway = Setup::new().plain_route("open").start();
    let mut client = Client::connect(gateway.proxy);
    for _ in 0..20 {
        assert_eq!(client.get("/open", &[]).unwrap().status, 200);
    }
    let counters = get(gateway.admin, "/status", &[]).json();
    assert_eq!(counters["server"]["connections_accepted"], 1, "{counters}");
    assert_eq!(counters["server"]["total_requests"], 20, "{counters}");
}

#[test]
fn an_upstream_that_closed_a_kept_connection_costs_no_request() {
    let gateway = Setup::new().plain_route("open").start();
    for _ in 0..5 {
        assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
        // The upstream closes this one's connection, which had been kept.
        assert_eq!(get(gateway.proxy, "/open?drop=1", &[]).status, 502);
    }
}

#[test]
fn an_expectation_is_met_before_the_body_is_sent() {
    let gateway = Setup::new().plain_route("open").start();
    let mut client = Client::connect(gateway.proxy);
    client
        .send(b"POST /open HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n")
        .unwrap();
    std::thread::sleep(Duration::from_millis(50));
    client.send(b"hello").unwrap();
    let answer = client.receive().unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "received 5"));
}

#[test]
fn a_head_request_has_no_body() {
    let gateway = Setup::new().plain_route("open").start();
    let mut client = Client::connect(gateway.proxy);
    for _ in 0..2 {
        client.send(b"HEAD /nowhere HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        assert_eq!(client.receive_head().unwrap().status, 404);
    }
    assert_eq!(client.get("/open", &[]).unwrap().status, 200);
}
