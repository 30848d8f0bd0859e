use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

const SERVED: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn told(gateway: &Gateway, sent: &str) -> String {
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The second request on a connection comes when the first one is answered.
    for (number, request) in sent.split_inclusive(SERVED).enumerate() {
        if number > 0 {
            std::thread::sleep(Duration::from_millis(200));
        }
        stream.write_all(request.as_bytes()).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_no_request_is_answered_like_other_bad_requests() {
    let server = Server::start("a");
    let gateway = Gateway::start(upstream("", &[(server.address(), 100)]), "");
    let large =
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", format!("X: {}\r\n", "a".repeat(6000)).repeat(7));
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(40_000));
    let after = format!("{SERVED}G@T / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (sent, message) in [
        ("G@T /x HTTP/1.1\r\nHost: a\r\n\r\n", "Bad request"),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", "Bad request"),
        ("GET /x HTTP/1.1\r\nHost: a\r\nbad name: 1\r\n\r\n", "Bad request"),
        (&large, "Request header or cookie too large"),
        (&long, "URI too long"),
        (&after, "Bad request"),
    ] {
        let answer = told(&gateway, sent);
        let status = if message == "URI too long" { "414 URI Too Long" } else { "400 Bad Request" };
        let start = answer.rfind(&format!("HTTP/1.1 {status}\r\n")).unwrap_or_else(|| panic!("{answer}"));
        let (head, body) = answer[start..].split_once("\r\n\r\n").unwrap();
        assert!(body.starts_with(&format!("{message}\nrequest_id: ")), "{answer}");
        for line in
            ["content-type: text/plain; charset=utf-8", "connection: close", "x-kong-response-latency: 0"]
        {
            assert!(head.lines().any(|known| known == line), "{line}: {answer}");
        }
        assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1 + usize::from(sent.starts_with(SERVED)));
    }
}

#[test]
fn a_request_line_may_have_more_spaces_than_it_needs() {
    let server = Server::start("a");
    let gateway = Gateway::start(upstream("", &[(server.address(), 100)]), "");
    let answer = told(&gateway, "GET  /x?y   HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(server.seen()[0].starts_with("GET /x?y HTTP/1.1\r\n"));
}

#[test]
fn versions_and_codings_that_are_not_spoken_are_answered_with_a_page() {
    let server = Server::start("a");
    let gateway = Gateway::start(upstream("", &[(server.address(), 100)]), "");
    for (sent, title) in [
        ("GET /x HTTP/9.9\r\nHost: a\r\n\r\n", "505 HTTP Version Not Supported"),
        ("GET /x HTTP/9.9", "505 HTTP Version Not Supported"),
        ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "501 Not Implemented"),
    ] {
        let answer = told(&gateway, sent);
        assert!(answer.starts_with(&format!("HTTP/1.1 {title}\r\n")), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/html; charset=UTF-8\r\n"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.ends_with(&format!("<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n")));
    }
    assert!(server.seen().is_empty());
}
