//! Bodies of responses that a plugin sees while they pass.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;

use super::obedient;
use super::server::{Server, receive};
use crate::client::get;
use crate::harness::Gateway;

/// The route `/own` to a server.
fn route(gateway: &Gateway, server: &Server) {
    gateway.write("POST", "/services", json!({"name": "own", "url": format!("http://{}", server.address)}));
    gateway.write("POST", "/services/own/routes", json!({"paths": ["/own"]}));
}

#[test]
fn each_piece_of_a_body_passes_the_plugin_as_it_comes() {
    let gateway = obedient();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let server = Server::start(move |stream, _| {
        receive(&mut BufReader::new(&stream)).unwrap();
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        (&stream).write_all(format!("{head}5\r\nfirst\r\n").as_bytes()).unwrap();
        for piece in ["6\r\nsecond\r\n", "5\r\nthird\r\n", "0\r\n\r\n"] {
            may_go_on.lock().recv_timeout(Duration::from_secs(20)).unwrap();
            (&stream).write_all(piece.as_bytes()).unwrap();
        }
    });
    route(&gateway, &server);
    let mut stream = TcpStream::connect(gateway.proxy).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
        .write_all(b"GET /own HTTP/1.1\r\nhost: a\r\nx-watch: chunks\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    // Each is there before the server sends the next.
    let mut piece = |expected: &str| {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert_eq!(usize::from_str_radix(line.trim(), 16).unwrap(), expected.len(), "{expected}");
        let mut read = vec![0; expected.len() + 2];
        reader.read_exact(&mut read).unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), format!("{expected}\r\n"));
    };
    piece("[first]");
    go_on.send(()).unwrap();
    piece("[second]");
    go_on.send(()).unwrap();
    piece("[third]");
    // That it was the last is told with an empty one, when it is known.
    go_on.send(()).unwrap();
    piece("[].");
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "0\r\n\r\n");
    let figures = gateway.plugin("obedient")["statistics"]["hooks"].clone();
    let body = figures.as_array().unwrap().iter().find(|figures| figures["hook"] == "response-body");
    assert_eq!(body.unwrap()["calls"], 4, "{figures}");
}

#[test]
fn a_body_with_a_length_gets_another_one_whether_it_is_seen_whole_or_in_pieces() {
    let gateway = obedient();
    let size = 300_000;
    let server = Server::start(move |stream, _| {
        receive(&mut BufReader::new(&stream)).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {size}\r\n\r\n");
        (&stream).write_all(head.as_bytes()).unwrap();
        (&stream).write_all(&vec![b'm'; size]).unwrap();
    });
    route(&gateway, &server);
    let answer = get(gateway.proxy, "/own", &[("x-watch", "chunks")]);
    let text = answer.text();
    assert!(text.starts_with("[m") && text.ends_with("]."), "{} bytes", text.len());
    assert!(text.matches(']').count() > 1, "it came in one piece");
    assert_eq!(text.matches('m').count(), size);
    assert_eq!(text.matches('[').count(), text.matches(']').count());
    let whole = get(gateway.proxy, "/own", &[("x-watch", "300000")]).text();
    assert_eq!(whole, format!("[{}].", "m".repeat(size)));
    // One that is too long for the plugin passes as it is.
    assert_eq!(get(gateway.proxy, "/own", &[("x-watch", "299999")]).text(), "m".repeat(size));
}

/// Answers calls over HTTP/2: two pieces with an empty one between them, and trailers.
fn serve_calls(mut stream: &TcpStream) -> io::Result<()> {
    stream.read_exact(&mut [0; 24])?;
    stream.write_all(&frame(SETTINGS, 0, 0, &[]))?;
    // The status 200 from the table of headers that everybody knows, then one in full.
    let kind = [b"\x88\x00\x0ccontent-type\x10".as_slice(), b"application/grpc"].concat();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let [_, high, low, received, flags, .., number] = head;
        let mut payload = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        stream.read_exact(&mut payload)?;
        if received == SETTINGS && flags & ACK == 0 {
            stream.write_all(&frame(SETTINGS, ACK, 0, &[]))?;
        }
        if (received == HEADERS || received == DATA) && flags & END_STREAM != 0 {
            let answer = [
                frame(HEADERS, END_HEADERS, number, &kind),
                frame(DATA, 0, number, b"first"),
                frame(DATA, 0, number, b""),
                frame(DATA, 0, number, b"second"),
                frame(HEADERS, END_HEADERS | END_STREAM, number, b"\x00\x0bgrpc-status\x010"),
            ];
            stream.write_all(&answer.concat())?;
        }
    }
}

/// A frame of the stream with this number; 0 is the connection.
fn frame(kind: u8, flags: u8, number: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, number], payload].concat()
}

#[test]
fn a_call_keeps_its_outcome_behind_a_body_that_a_plugin_sees() {
    let gateway = obedient();
    let server = Server::start(|stream, _| {
        // It ends with the gateway.
        let _ = serve_calls(&stream);
    });
    let service =
        json!({"name": "calls", "protocol": "grpc", "host": "127.0.0.1", "port": server.address.port()});
    gateway.write("POST", "/services", service);
    gateway.write("POST", "/services/calls/routes", json!({"paths": ["/own"], "protocols": ["grpcs"]}));
    for (watch, body) in [("chunks", "[first][second][]."), ("11", "[firstsecond]."), ("10", "firstsecond")] {
        let headers = json!({"content-type": "application/grpc", "te": "trailers", "x-watch": watch});
        let call = json!({"method": "POST", "url": "https://a.test/own", "headers": headers, "http2": true});
        let answer = gateway.ask("POST", "/moongate/try", &call).json();
        assert_eq!(answer["body"], body, "{watch}: {answer}");
        assert_eq!(answer["trailers"], json!([["grpc-status", "0"]]), "{watch}: {answer}");
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
