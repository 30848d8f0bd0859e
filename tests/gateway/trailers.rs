//! What comes behind bodies, in both directions.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::client::Client;
use crate::faults::{head, upstream};
use crate::harness::{Gateway, Setup};

/// Answers each request with trailers, of which some must not be any and one was not announced.
fn trails(mut stream: TcpStream) {
    for _ in 0..2 {
        head(&mut stream);
        let _ = stream.write_all(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Set-Cookie\r\n\r\n5\r\nhello\r\n0\r\n\
              X-Sum: 7\r\nSet-Cookie: a=b\r\nX-Secret: 8\r\n\r\n",
        );
    }
}

/// Sends back whatever it gets, to the end of the body.
fn mirrors(mut stream: TcpStream) {
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&seen).to_ascii_lowercase();
        let is_whole = match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.contains("transfer-encoding: chunked") => {
                body.starts_with("0\r\n") || body.contains("\r\n0\r\n")
            }
            Some((_, body)) => body.len() >= 5,
            None => false,
        };
        if is_whole && (text.ends_with("\r\n\r\n") || text.ends_with("hello")) {
            break;
        }
        match stream.read(&mut part) {
            Ok(read @ 1..) => seen.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
    let length = seen.len();
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(&seen);
}

fn gateway(serve: fn(TcpStream)) -> Gateway {
    let declarative = format!(
        "
_format_version: '3.0'
services:
- name: s
  url: 'http://{}'
  routes:
  - {{ name: kept, paths: [/kept] }}
  - {{ name: streamed, paths: [/streamed], request_buffering: false }}
",
        upstream(serve)
    );
    Setup::new().declarative(&declarative).start()
}

#[test]
fn trailers_of_a_response_are_for_clients_that_take_them() {
    let gateway = gateway(trails);
    for (asks, expected) in
        [("te: trailers\r\n", 2), ("te: gzip, trailers\r\n", 2), ("te: gzip\r\n", 0), ("", 0)]
    {
        let mut client = Client::connect(gateway.proxy);
        // The connection goes on behind the trailers.
        for last in ["", "connection: close\r\n"] {
            client.send(format!("GET /kept HTTP/1.1\r\nhost: a\r\n{asks}{last}\r\n").as_bytes()).unwrap();
        }
        let lines: Vec<_> = client.into_lines().collect();
        let count = |wanted: &str| lines.iter().filter(|line| line.eq_ignore_ascii_case(wanted)).count();
        assert_eq!((count("HTTP/1.1 200 OK"), count("hello")), (2, 2), "{asks}: {lines:?}");
        assert_eq!(
            (count("x-sum: 7"), count("trailer: X-Sum, Set-Cookie")),
            (expected, expected),
            "{asks}: {lines:?}"
        );
        assert_eq!((count("set-cookie: a=b"), count("x-secret: 8")), (0, 0), "{asks}: {lines:?}");
    }
}

/// What the upstream gets of a request with these headers and trailers, in lower case.
fn mirrored(gateway: &Gateway, path: &str, headers: &str, trailers: &str) -> String {
    let mut client = Client::connect(gateway.proxy);
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\n{headers}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n{trailers}\r\n"
    );
    client.send(request.as_bytes()).unwrap();
    let answer = client.receive().unwrap();
    assert_eq!(answer.status, 200, "{path} {headers}");
    answer.text().to_ascii_lowercase()
}

#[test]
fn trailers_of_a_request_are_those_that_it_announces_and_may_have() {
    let gateway = gateway(mirrors);
    let trailers =
        "X-Sum: 7\r\nX-Other: 8\r\nX-Consumer-Username: root\r\nContent-Length: 3\r\nX-Role: root\r\n";
    let announced = "trailer: X-Sum, X-Consumer-Username, Content-Length, X-Role\r\nx-role: guest\r\n";
    for path in ["/kept", "/streamed"] {
        let seen = mirrored(&gateway, path, announced, trailers);
        assert!(seen.contains("\r\ntransfer-encoding: chunked\r\n"), "{path}: {seen}");
        assert!(seen.ends_with("\r\n5\r\nhello\r\n0\r\nx-sum: 7\r\n\r\n"), "{path}: {seen}");
        assert!(seen.contains("\r\ntrailer: x-sum,"), "{path}: {seen}");
    }
    let seen = mirrored(&gateway, "/kept", "", trailers);
    assert!(seen.contains("\r\ncontent-length: 5\r\n") && seen.ends_with("\r\n\r\nhello"), "{seen}");
    let seen = mirrored(&gateway, "/streamed", "", trailers);
    assert!(seen.ends_with("\r\n5\r\nhello\r\n0\r\n\r\n"), "{seen}");
}
