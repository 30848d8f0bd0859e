//! The access log, and listeners for streams, as the properties say.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::client::{Client, get};
use crate::harness::Setup;

/// The lines of a file, once there are so many.
pub fn lines(path: &Path, count: usize) -> Vec<String> {
    let started = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{lines:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_request_is_a_line_of_the_log_and_a_file_that_was_moved_is_begun_anew() {
    let gateway = Setup::new().plain_route("open").start();
    let log = gateway.folder().join("prefix/logs/access.log");
    let answer = get(gateway.proxy, "/open?a=b", &[("user-agent", "the \"test\""), ("referer", "here")]);
    let id = answer.header("x-kong-request-id").unwrap();
    let line = lines(&log, 1).remove(0);
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    let expected = format!(
        "] \"GET /open?a=b HTTP/1.1\" 200 10 \"here\" \"the \\x22test\\x22\" kong_request_id: \"{id}\""
    );
    assert!(line.ends_with(&expected), "{line}");
    assert_eq!(get(gateway.proxy, "/none", &[]).status, 404);
    assert!(lines(&log, 2)[1].contains("\"GET /none HTTP/1.1\" 404 103 "));
    let mut client = Client::connect(gateway.proxy);
    client.send(b"nonsense\r\n\r\n").unwrap();
    assert_eq!(client.receive().unwrap().status, 400);
    assert!(lines(&log, 3)[2].contains("] \"\" 400 "));

    let moved = log.with_extension("1");
    fs::rename(&log, &moved).unwrap();
    gateway.signal(Signal::SIGUSR1);
    let started = Instant::now();
    while !log.exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "no file was begun");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
    assert!(lines(&log, 1)[0].contains("\"GET /open HTTP/1.1\" 200 "));
    assert_eq!(lines(&moved, 3).len(), 3);
}

#[test]
fn what_was_served_is_in_the_log_when_the_gateway_has_ended() {
    let setup = Setup::new().plain_route("open").property("access_log_format: json");
    let mut gateway = setup.property("proxy_access_log: own.log").start();
    let log = gateway.folder().join("prefix/own.log");
    for _ in 0..50 {
        assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
    }
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.wait(Duration::from_secs(20)));
    let lines = lines(&log, 50);
    assert_eq!(lines.len(), 50);
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (&line["status"], &line["route"], &line["service"]),
            (&200.into(), &"open-route".into(), &"echo".into())
        );
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
    }
}

#[test]
fn streams_are_carried_where_the_properties_say() {
    let declarative = "
_format_version: '3.0'
services:
- { name: echo, url: UPSTREAM, routes: [{ name: open, paths: [/open] }] }
- { name: raw, host: echo.test, port: 1, protocol: tcp, routes: [{ name: raw, protocols: [tcp], sources: [{ ip: 127.0.0.1 }] }] }
upstreams:
- { name: echo.test, targets: [{ target: 'TARGET' }] }
";
    // The upstream's address is known when the gateway runs, so the target comes by the Admin API.
    let gateway = Setup::new()
        .declarative(&declarative.replace("TARGET", "127.0.0.1:1"))
        .property("stream_listen: 127.0.0.1:0")
        .start();
    let target = gateway.upstream_url().replace("http://", "");
    let config = declarative.replace("UPSTREAM", &gateway.upstream_url()).replace("TARGET", &target);
    let posted = gateway.ask("POST", "/config", &serde_json::json!({ "config": config }));
    assert_eq!(posted.status, 201, "{}", posted.text());
    let shown = get(gateway.admin, "/", &[]).json();
    let address = shown["configuration"]["stream_listeners"][0]["listener"].as_str().unwrap().to_owned();
    let address: SocketAddr = address.parse().unwrap();
    // HTTP is a stream like others.
    let answer = get(address, "/anything", &[]);
    assert_eq!((answer.status, answer.header("via")), (200, None));
    assert!(gateway.last_upstream_head().starts_with(b"GET /anything HTTP/1.1\r\nhost: gateway.test\r\n"));
}
