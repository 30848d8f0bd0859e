//! Requests that could mean one thing here and another upstream are refused.

use crate::client::{Client, raw};
use crate::harness::{Gateway, Setup};

fn gateway() -> Gateway {
    Setup::new().plain_route("open").start()
}

/// The request gets a 400, or a 501 where its coding is not spoken, and the upstream never hears of it; whatever follows it is not read as a request.
fn is_refused(gateway: &Gateway, request: &str) {
    let mut client = Client::connect(gateway.proxy);
    let smuggled = "GET /open?smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    client.send(format!("{request}{smuggled}").as_bytes()).unwrap();
    let answer = client.receive().unwrap();
    assert!(matches!(answer.status, 400 | 501), "{request:?}: {}", answer.status);
    assert!(client.is_closed(), "{request:?} left the connection open");
    assert_eq!(gateway.upstream_requests(), 0, "{request:?}");
}

#[test]
fn ambiguous_lengths_are_refused() {
    let gateway = gateway();
    for head in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5\r\ncontent-length: 5",
        "content-length: 5, 5",
        "content-length: +5",
        "content-length: -1",
        "content-length: 0x5",
        "content-length: 99999999999999999999",
        "transfer-encoding: gzip",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding : chunked",
        "content-length : 5",
        " content-length: 5",
    ] {
        is_refused(&gateway, &format!("POST /open HTTP/1.1\r\nhost: a\r\n{head}\r\n\r\n"));
    }
}

#[test]
fn ambiguous_targets_and_heads_are_refused() {
    let gateway = gateway();
    for request in [
        "GET /open HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET /open HTTP/1.1\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a\r\nx\0y: 1\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a\r\nx: 1\0\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a\r\nx: 1\r\n folded\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a\r\nno colon here\r\n\r\n",
        "GET /open%zz HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /op en HTTP/1.1\r\nhost: a\r\n\r\n",
        "get /open HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET1 /open HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a/b\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: a..b\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost:\r\n\r\n",
        "GET /open HTTP/1.1\r\nhost: :80\r\n\r\n",
    ] {
        is_refused(&gateway, request);
    }
}

#[test]
fn more_spaces_than_needed_in_the_request_line_mean_what_one_would() {
    let gateway = gateway();
    let answer = raw(gateway.proxy, b"GET  /open  HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    assert_eq!(answer.status, 200);
    let head = gateway.last_upstream_head();
    assert!(head.starts_with(b"GET / HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&head));
}

#[test]
fn bad_chunk_sizes_end_the_request_before_the_upstream_takes_it_for_whole() {
    let gateway = gateway();
    for chunk in [
        "zz\r\nhello\r\n",
        "5 5\r\nhello\r\n",
        "-5\r\nhello\r\n",
        "fffffffffffffffff\r\nhello\r\n",
        "5\r\nhelloXX",
    ] {
        let request =
            format!("POST /open HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{chunk}0\r\n\r\n");
        let answer = raw(gateway.proxy, request.as_bytes());
        let status = answer.as_ref().map(|answer| answer.status);
        assert!(matches!(status, None | Some(400 | 502)), "{chunk:?}: {answer:?}");
        assert!(answer.is_none_or(|answer| !answer.text().contains("received")), "{chunk:?}");
    }
}

#[test]
fn a_well_formed_chunked_body_arrives_whole() {
    let gateway = gateway();
    let request = "POST /open HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let answer = raw(gateway.proxy, request.as_bytes()).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "received 11"));
}

#[test]
fn a_head_that_is_too_large_is_refused() {
    let gateway = gateway();
    let request = format!("GET /open HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "m".repeat(100_000));
    let status = raw(gateway.proxy, request.as_bytes()).map(|answer| answer.status);
    assert!(matches!(status, None | Some(400 | 431)), "{status:?}");
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn heads_with_too_long_a_line_are_refused_each_with_its_own_status() {
    let gateway = gateway();
    let long = "m".repeat(8192);
    for (request, status, message) in [
        (format!("GET /{long} HTTP/1.1\r\nhost: a\r\naccept: text/html\r\n\r\n"), 414, "URI too long"),
        (format!("GET /{long}{long}{long}{long}{long} HTTP/1.1\r\nhost: a\r\n\r\n"), 414, "URI too long"),
        (
            format!("GET /open HTTP/1.1\r\nhost: a\r\nx: {long}\r\n\r\n"),
            400,
            "Request header or cookie too large",
        ),
    ] {
        let answer = raw(gateway.proxy, request.as_bytes()).unwrap();
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("content-type").as_deref(), Some("text/plain; charset=utf-8"));
        assert!(answer.text().starts_with(message), "{}", answer.text());
    }
    assert_eq!(gateway.upstream_requests(), 0);
    let fits = "m".repeat(8000);
    let request = format!("GET /open?{fits} HTTP/1.1\r\nhost: a\r\nx: {fits}\r\ny: {fits}\r\n\r\n");
    assert_eq!(raw(gateway.proxy, request.as_bytes()).unwrap().status, 200);
}
