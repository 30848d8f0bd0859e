use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

/// Sends the parts of one request with a pause between them, and reads the head and the body of its answer.
fn exchange(stream: &mut TcpStream, parts: &[&str]) -> String {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        stream.write_all(part.as_bytes()).unwrap();
    }
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&answer));
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.split("\r\n").next().unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head
}

fn client(gateway: &Gateway) -> TcpStream {
    let stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

const SIZED: &str = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
const CHUNKED: &str = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn a_connection_goes_on_after_an_error_when_the_little_body_that_nobody_read_came() {
    let gateway = Gateway::start(upstream("", &[(nobody(), 100)]), "retries: 0");
    let mut stream = client(&gateway);
    for parts in [[SIZED, "hello"], [CHUNKED, "5\r\nhello\r\n0\r\n\r\n"]] {
        let head = exchange(&mut stream, &parts);
        assert!(head.starts_with("http/1.1 502 "), "{head}");
        assert!(!head.contains("connection: close"), "{head}");
    }
}

#[test]
fn a_connection_goes_on_after_a_timeout_of_a_request_that_was_sent() {
    let server = Server::start("a");
    let service = "retries: 0, read_timeout: 100";
    let gateway = Gateway::start(upstream("", &[(server.address(), 100)]), service);
    let mut stream = client(&gateway);
    for _ in 0..2 {
        let head = exchange(
            &mut stream,
            &["POST /x?delay=900 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n", "x"],
        );
        assert!(head.starts_with("http/1.1 504 "), "{head}");
        assert!(!head.contains("connection: close"), "{head}");
    }
}

#[test]
fn a_connection_ends_after_an_error_when_the_body_is_long_or_does_not_come() {
    let gateway = Gateway::start(upstream("", &[(nobody(), 100)]), "retries: 0");
    let long = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    let expecting = "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    for parts in [&[long][..], &[SIZED, "hel"], &[expecting]] {
        let head = exchange(&mut client(&gateway), parts);
        assert!(head.starts_with("http/1.1 502 "), "{head}");
        assert!(head.contains("connection: close"), "{head}");
    }
}
