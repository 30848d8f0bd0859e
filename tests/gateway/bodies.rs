//! Bodies of requests that are larger than any may be.

use crate::client::{Client, raw};
use crate::harness::{Gateway, Setup};

fn gateway(limit: &str) -> Gateway {
    let declarative = "
_format_version: '3.0'
services:
- name: s
  url: UPSTREAM
  routes:
  - { name: kept, paths: [/kept] }
  - { name: streamed, paths: [/streamed], request_buffering: false }
";
    Setup::new().declarative(declarative).property(&format!("client_max_body_size: {limit}")).start()
}

fn chunked(path: &str, size: usize) -> Vec<u8> {
    let body = "m".repeat(size);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\naccept: application/json\r\nx-act: read\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    format!("{head}200\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &body[..512], size - 512, &body[512..]).into_bytes()
}

#[test]
fn a_length_that_is_too_large_is_refused_before_anything_else_is_looked_at() {
    let gateway = gateway("1k");
    for path in ["/kept", "/streamed", "/nowhere"] {
        let mut client = Client::connect(gateway.proxy);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1025\r\n\r\n"
        );
        client.send(head.as_bytes()).unwrap();
        let answer = client.receive().unwrap();
        assert_eq!((answer.status, answer.header("connection").as_deref()), (413, Some("close")), "{path}");
        let id = answer.header("x-kong-request-id").unwrap();
        assert_eq!(answer.text(), format!("Payload too large\nrequest_id: {id}\n"));
        assert!(client.is_closed());
    }
    assert_eq!(gateway.upstream_requests(), 0);
    let fits = format!("POST /kept HTTP/1.1\r\nhost: a\r\ncontent-length: 1024\r\n\r\n{}", "m".repeat(1024));
    assert_eq!(raw(gateway.proxy, fits.as_bytes()).unwrap().text(), "received 1024");
}

#[test]
fn a_body_of_unknown_length_is_refused_once_it_is_too_large() {
    let gateway = gateway("1k");
    for path in ["/kept", "/streamed"] {
        let mut client = Client::connect(gateway.proxy);
        client.send(&chunked(path, 1024)).unwrap();
        assert_eq!(client.receive().unwrap().text(), "received 1024");
        client.send(&chunked(path, 1025)).unwrap();
        let answer = client.receive().unwrap();
        assert_eq!(
            (answer.status, answer.json()["message"].as_str()),
            (413, Some("Payload too large")),
            "{path}"
        );
        assert!(client.is_closed());
    }
    assert_eq!(raw(gateway.proxy, &chunked("/kept", 600)).unwrap().status, 200);
}

#[test]
fn a_plugin_that_reads_a_body_that_is_too_large_does_not_decide_what_becomes_of_it() {
    let gateway = Setup::new()
        .route("x", "stranger", "{}")
        .bundled("stranger")
        .property("plugin_grants: {stranger: [kv, counters, metrics, {http-client: {hosts: []}}]}")
        .property("nginx_http_client_max_body_size: 1k")
        .start();
    let fits = raw(gateway.proxy, &chunked("/x", 1024)).unwrap();
    assert_eq!(fits.status, 200, "{}", fits.text());
    assert_eq!(raw(gateway.proxy, &chunked("/x", 1025)).unwrap().status, 413);
}

#[test]
fn bodies_of_any_size_are_taken_where_nothing_is_said() {
    let gateway = gateway("0");
    assert_eq!(raw(gateway.proxy, &chunked("/kept", 1 << 20)).unwrap().text(), "received 1048576");
}
