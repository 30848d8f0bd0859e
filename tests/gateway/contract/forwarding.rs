//! Where a plugin sends a request, and how hard it has the gateway try.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::json;

use super::obedient;
use super::server::{Server, receive};
use crate::client::get;
use crate::harness::Gateway;

/// A server that answers every request with this text.
fn saying(text: &'static str) -> Server {
    Server::start(move |stream, _| {
        let mut reader = BufReader::new(&stream);
        while receive(&mut reader).is_some() {
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len());
            (&stream).write_all(answer.as_bytes()).unwrap();
        }
    })
}

/// The route `/<name>` to a server.
fn route(gateway: &Gateway, name: &str, server: &Server) {
    let url = format!("http://{}", server.address);
    gateway.write("POST", "/services", json!({"name": name, "url": url}));
    let path = format!("/services/{name}/routes");
    gateway.write("POST", &path, json!({"paths": [format!("/{name}")]}));
}

#[test]
fn a_request_goes_to_the_upstream_that_a_plugin_names_if_there_is_one() {
    let gateway = obedient();
    let (own, other) = (saying("own"), saying("other"));
    route(&gateway, "own", &own);
    gateway.write("POST", "/upstreams", json!({"name": "elsewhere"}));
    let target = json!({"target": other.address.to_string()});
    gateway.write("POST", "/upstreams/elsewhere/targets", target);
    let ask = |name: &str| {
        let answer = get(gateway.proxy, "/own", &[("x-upstream", name)]);
        (answer.header("x-upstream-known").unwrap(), answer.text())
    };
    assert_eq!(ask("elsewhere"), ("true".to_owned(), "other".to_owned()));
    assert_eq!(ask("nowhere"), ("false".to_owned(), "own".to_owned()));
    // The next request is where it was.
    assert_eq!(get(gateway.proxy, "/own", &[]).text(), "own");
    assert_eq!(gateway.ask("DELETE", "/upstreams/elsewhere", &json!(null)).status, 204);
    assert_eq!(ask("elsewhere"), ("false".to_owned(), "own".to_owned()));
}

#[test]
fn a_plugin_chooses_the_scheme_that_an_upstream_is_spoken_to_with() {
    let gateway = obedient();
    let secure = gateway.admin_tls.unwrap();
    gateway.write("POST", "/services", json!({"name": "own", "url": format!("http://{secure}")}));
    gateway.write("POST", "/services/own/routes", json!({"paths": ["/own"]}));
    let ask = |scheme: &str| {
        let answer = get(gateway.proxy, "/own", &[("x-scheme", scheme)]);
        (answer.header("x-scheme-known").unwrap(), answer.text().contains("\"tagline\""))
    };
    assert_eq!(ask("https"), ("true".to_owned(), true));
    assert_eq!(ask("http"), ("true".to_owned(), false), "it speaks nothing but TLS");
    assert_eq!(ask("ftp"), ("false".to_owned(), false));
    gateway.write("PATCH", "/services/own", json!({"protocol": "https"}));
    assert_eq!(ask("ftp"), ("false".to_owned(), true), "the service's own holds");
    assert_eq!(ask("http"), ("true".to_owned(), false));
}

#[test]
fn a_plugin_says_how_long_an_upstream_is_waited_for() {
    let gateway = obedient();
    let silent = Server::start(|stream, _| {
        // Until the gateway gives up.
        let _ = (&stream).read_to_end(&mut Vec::new());
    });
    route(&gateway, "own", &silent);
    for times in ["60000,60000,200", "200,200,200"] {
        let began = Instant::now();
        let answer = get(gateway.proxy, "/own", &[("x-timeouts", times), ("x-retries", "0")]);
        let took = began.elapsed();
        assert_eq!(answer.status, 504, "{times}: {}", answer.text());
        assert!(took >= Duration::from_millis(200) && took < Duration::from_secs(20), "{times}: {took:?}");
    }
}

#[test]
fn a_plugin_says_how_long_an_upstream_may_take_no_more_of_a_body() {
    let gateway = obedient();
    let (ended, end) = mpsc::channel::<()>();
    let end = Mutex::new(end);
    let idle = Server::start(move |stream, _| {
        // It reads nothing for as long as the test runs.
        let _ = end.lock().recv_timeout(Duration::from_secs(20));
        drop(stream);
    });
    route(&gateway, "own", &idle);
    let length = 64 * 1024 * 1024;
    let stream = TcpStream::connect(gateway.proxy).unwrap();
    let mut sending = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let head = "POST /own HTTP/1.1\r\nhost: a\r\nx-timeouts: 60000,200,60000\r\nx-retries: 0\r\n";
        sending.write_all(format!("{head}content-length: {length}\r\n\r\n").as_bytes()).unwrap();
        // It is cut off when the answer is there.
        let _ = std::io::copy(&mut std::io::repeat(b'm').take(length), &mut sending);
    });
    let mut status = String::new();
    let began = Instant::now();
    BufReader::new(&stream).read_line(&mut status).unwrap();
    assert!(status.starts_with("HTTP/1.1 504 "), "{status}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    let _ = stream.shutdown(Shutdown::Both);
    sender.join().unwrap();
    drop(ended);
}

#[test]
fn a_plugin_says_how_often_it_is_tried() {
    let gateway = obedient();
    let closing = Server::start(|stream, _| drop(stream));
    route(&gateway, "own", &closing);
    let tries = |headers: &[(&str, &str)]| {
        let before = closing.connections();
        assert_eq!(get(gateway.proxy, "/own", headers).status, 502);
        closing.connections() - before
    };
    assert_eq!(tries(&[("x-retries", "0")]), 1);
    assert_eq!(tries(&[("x-retries", "2")]), 3);
    assert_eq!(tries(&[]), 6, "the service's own five");
}
