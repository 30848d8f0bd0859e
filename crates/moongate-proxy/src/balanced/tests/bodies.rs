use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::*;

/// Sends a request in parts with a pause between them, and reads what is answered.
fn exchange(gateway: &Gateway, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        stream.write_all(part).unwrap();
    }
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

const CHUNKED: &[u8] =
    b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";

/// An upstream for one connection, which gives what it was sent until there were so many bytes, and answers then.
fn one_request(enough: impl Fn(&[u8]) -> bool + Send + 'static) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut seen, mut part) = (Vec::new(), vec![0; 64 * 1024]);
        while !enough(&seen) {
            let read = stream.read(&mut part).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&part[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        seen
    });
    (address, seen)
}

fn split(message: &[u8]) -> (String, &[u8]) {
    let end = message.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    (String::from_utf8_lossy(&message[..end]).to_ascii_lowercase(), &message[end + 4..])
}

#[test]
fn a_body_of_unknown_length_is_sent_with_its_length() {
    let (address, seen) = one_request(|seen| seen.ends_with(b"hello world"));
    let gateway = Gateway::start(upstream("", &[(address, 100)]), "");
    let answer = exchange(&gateway, &[CHUNKED, b"5\r\nhello\r\n", b"6\r\n world\r\n0\r\nx-late: 1\r\n\r\n"]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = seen.join().unwrap();
    let (head, body) = split(&seen);
    assert!(head.contains("content-length: 11"), "{head}");
    assert!(!head.contains("transfer-encoding"), "{head}");
    assert_eq!(body, b"hello world");
}

#[test]
fn a_body_that_does_not_fit_into_memory_arrives_whole() {
    let length = 3_000_001;
    let body: Vec<u8> = (0..length as u32).map(|at| (at % 251) as u8).collect();
    let (address, seen) = one_request(move |seen| seen.len() > length && split(seen).1.len() >= length);
    let gateway = Gateway::start(upstream("", &[(address, 100)]), "");
    let mut chunked = Vec::new();
    for part in body.chunks(100_000) {
        chunked.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        chunked.extend_from_slice(part);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange(&gateway, &[CHUNKED, &chunked]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = seen.join().unwrap();
    let (head, received) = split(&seen);
    assert!(head.contains(&format!("content-length: {length}")), "{head}");
    assert!(received == body, "the body is another one");
}

#[test]
fn without_buffering_a_body_is_sent_as_it_comes() {
    let (address, seen) = one_request(|seen| seen.ends_with(b"5\r\nhello\r\n"));
    let route = "routes: [{name: r, paths: [/], request_buffering: false}]";
    let gateway = Gateway::start(upstream("", &[(address, 100)]), route);
    // The end of the body never comes, and the upstream answers all the same.
    let answer = exchange(&gateway, &[CHUNKED, b"5\r\nhello\r\n"]);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = seen.join().unwrap();
    assert!(split(&seen).0.contains("transfer-encoding: chunked"));
}

#[test]
fn a_request_whose_body_was_kept_goes_to_the_next_target_after_one_that_breaks_off() {
    let good = Server::start("good");
    for (method, framing) in [("PUT", "Transfer-Encoding: chunked"), ("PUT", "Content-Length: 5")] {
        // It takes the request and closes.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let bad = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 1024]);
            }
        });
        let gateway = Gateway::start(upstream("", &[(bad, 100), (good.address(), 100)]), "retries: 5");
        for _ in 0..4 {
            let head = format!("{method} /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n");
            let body = if framing.starts_with("T") { "5\r\nhello\r\n0\r\n\r\n" } else { "hello" };
            let answer = exchange(&gateway, &[head.as_bytes(), body.as_bytes()]);
            assert!(answer.ends_with("\r\n\r\ngood"), "{answer}");
        }
    }
}

#[test]
fn a_body_that_breaks_off_or_is_malformed_never_reaches_the_upstream() {
    let server = Server::start("a");
    let gateway = Gateway::start(upstream("", &[(server.address(), 100)]), "");
    let answer = exchange(&gateway, &[CHUNKED, b"5\r\nhello\r\nzz\r\n"]);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    stream.write_all(CHUNKED).unwrap();
    stream.write_all(b"5\r\nhel").unwrap();
    drop(stream);
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.seen().is_empty());
}
