//! Connections that go on in WebSocket, as the log tells of them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use socket2::SockRef;

use crate::client::Client;
use crate::faults::{head, upstream};
use crate::harness::{Gateway, Setup};
use crate::logs::lines;

/// Agrees to go on, with `welcome` right behind, and sends back what it gets.
fn echoes(mut stream: TcpStream) {
    head(&mut stream);
    let agreed =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nwelcome";
    let _ = stream.write_all(agreed.as_bytes());
    let mut part = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut part) {
        let _ = stream.write_all(&part[..read]);
    }
}

fn gateway() -> Gateway {
    let declarative = format!(
        "
_format_version: '3.0'
services:
- {{ name: s, url: 'http://{}', routes: [{{ name: talk, paths: [/talk] }}] }}
",
        upstream(echoes)
    );
    let setup = Setup::new().declarative(&declarative).property("shutdown_timeout: 1");
    setup.property("access_log_format: json").start()
}

/// A tunnel through which seven bytes and the echo of three have come.
fn open(gateway: &Gateway) -> TcpStream {
    let mut client = Client::connect(gateway.proxy);
    client
        .send(b"GET /talk HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        .unwrap();
    assert_eq!(client.receive_head().unwrap().status, 101);
    client.send(b"abc").unwrap();
    assert_eq!(client.count(10).unwrap(), 10);
    client.stream().try_clone().unwrap()
}

/// The only line of the log.
fn logged(gateway: &Gateway) -> Value {
    let lines = lines(&gateway.folder().join("prefix/logs/access.log"), 1);
    assert_eq!(lines.len(), 1, "{lines:?}");
    serde_json::from_str(&lines[0]).unwrap()
}

/// What is logged of a tunnel that was open for so many milliseconds.
fn is_told(line: &Value, open: f64) {
    assert_eq!(
        (&line["status"], &line["bytes_sent"], &line["uri"]),
        (&101.into(), &10.into(), &"/talk".into())
    );
    assert_eq!(line["route"], "talk", "{line}");
    assert!(line["duration_ms"].as_f64().unwrap() >= open, "{line}");
}

#[test]
fn a_tunnel_is_logged_when_it_ends_with_what_went_through() {
    for abrupt in [false, true] {
        let gateway = gateway();
        let client = open(&gateway);
        std::thread::sleep(Duration::from_millis(300));
        let log = gateway.folder().join("prefix/logs/access.log");
        assert_eq!(fs::read_to_string(&log).unwrap_or_default(), "", "it is not over yet");
        if abrupt {
            SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        is_told(&logged(&gateway), 300.0);
    }
}

#[test]
fn a_tunnel_that_the_gateway_cuts_off_when_it_stops_is_logged() {
    let mut gateway = gateway();
    let _client = open(&gateway);
    gateway.signal(Signal::SIGTERM);
    gateway.wait(Duration::from_secs(20));
    is_told(&logged(&gateway), 900.0);
}
