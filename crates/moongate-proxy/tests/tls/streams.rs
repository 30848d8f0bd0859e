//! Connections that are not HTTP, and datagrams.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use moongate_model::Entities;
use moongate_proxy::{AccessLogFormat, AccessLogOptions, LogTarget, ProxyOptions, StreamAddress};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;

use crate::certificates::{Pair, self_signed};
use crate::client::{config, connect};
use crate::entities::{certificate, declared, sni};
use crate::gateway::Gateway;
use crate::upstream::server;

/// Listeners for plain connections, for TLS, and for datagrams.
pub fn listeners(options: &mut ProxyOptions) {
    let plain = StreamAddress::new((Ipv4Addr::LOCALHOST, 0).into());
    options.stream_listen =
        vec![plain, StreamAddress { tls: true, ..plain }, StreamAddress { udp: true, ..plain }];
}

/// An upstream for connections: reads to the end, and answers with its name and what it has read.
async fn upstream(name: &'static str, tls: Option<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    None => answer(stream, name, "-").await,
                    Some(acceptor) => {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        let sni = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
                        answer(stream, name, &sni).await;
                    }
                }
            });
        }
    });
    address
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, name: &str, sni: &str) {
    let mut read = Vec::new();
    if stream.read_to_end(&mut read).await.is_ok() {
        let text = format!("{name} sni={sni} read {}", String::from_utf8_lossy(&read));
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// Sends `text`, ends its own side, and reads what is answered.
async fn ask<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, text: &str) -> String {
    let asking = async {
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    timeout(Duration::from_secs(10), asking).await.unwrap()
}

async fn ask_plain(gateway: &Gateway, text: &str) -> String {
    ask(TcpStream::connect(gateway.stream(0)).await.unwrap(), text).await
}

/// A service with one route for streams.
fn service(address: SocketAddr, protocol: &str, more: &str, route: &str) -> String {
    format!(
        "- {{name: s{}, protocol: {protocol}, host: 127.0.0.1, port: {}, retries: 0, {more} routes: [{{{route}}}]}}\n",
        address.port(),
        address.port()
    )
}

const FROM_HERE: &str = "name: r, protocols: [tcp], sources: [{ip: 127.0.0.0/8}]";

fn start(services: &str) -> Gateway {
    Gateway::start_with(declared(&format!("services:\n{services}")), listeners)
}

#[tokio::test]
async fn bytes_go_both_ways_also_after_the_client_has_ended_its_side() {
    let gateway = start(&service(upstream("a", None).await, "tcp", "", FROM_HERE));
    assert_eq!(ask_plain(&gateway, "hello").await, "a sni=- read hello");
    let long = "x".repeat(3_000_000);
    assert_eq!(ask_plain(&gateway, &long).await, format!("a sni=- read {long}"));
}

#[tokio::test]
async fn a_stream_belongs_to_the_route_of_its_addresses_or_ends() {
    let (a, b) = (upstream("a", None).await, upstream("b", None).await);
    let elsewhere = "name: r, protocols: [tcp], sources: [{ip: 10.0.0.0/8}]";
    let gateway = start(&service(a, "tcp", "", elsewhere));
    assert_eq!(ask_plain(&gateway, "hello").await, "");
    let port = gateway.stream(0).port();
    let here = format!("name: r, protocols: [tcp], destinations: [{{ip: 127.0.0.1, port: {port}}}]");
    let other = "name: r2, protocols: [tcp], sources: [{ip: 10.0.0.0/8}]";
    let services = service(a, "tcp", "", other) + &service(b, "tcp", "", &here);
    gateway.publish(declared(&format!("services:\n{services}")));
    assert_eq!(ask_plain(&gateway, "hello").await, "b sni=- read hello");
    gateway.publish(declared("routes: [{name: r, protocols: [tcp], sources: [{ip: 127.0.0.1}]}]"));
    assert_eq!(ask_plain(&gateway, "hello").await, "", "there is no service");
}

#[tokio::test]
async fn a_stream_goes_to_the_next_target_when_one_refuses_and_ends_when_all_do() {
    let a = upstream("a", None).await;
    let balanced = |targets: &str, retries: u32| {
        declared(&format!(
            "services: [{{name: s, protocol: tcp, host: up.test, port: 1, retries: {retries}, routes: [{{{FROM_HERE}}}]}}]\n\
             upstreams: [{{name: up.test, targets: [{targets}]}}]"
        ))
    };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let both = format!("{{target: '{nobody}'}}, {{target: '{a}'}}");
    let gateway = Gateway::start_with(balanced(&both, 3), listeners);
    for _ in 0..6 {
        assert_eq!(ask_plain(&gateway, "x").await, "a sni=- read x");
    }
    gateway.publish(balanced(&format!("{{target: '{nobody}'}}"), 3));
    let started = Instant::now();
    assert_eq!(ask_plain(&gateway, "x").await, "");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stream_in_which_nothing_moves_ends() {
    // It never reads to an end, and so says nothing.
    let gateway = start(&service(upstream("a", None).await, "tcp", "read_timeout: 200,", FROM_HERE));
    let mut stream = TcpStream::connect(gateway.stream(0)).await.unwrap();
    let started = Instant::now();
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_all(b"x").await.unwrap();
    }
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.unwrap();
    let taken = started.elapsed();
    assert!(taken > Duration::from_millis(550) && taken < Duration::from_secs(5), "{taken:?}");
}

/// Two services, to which a server name leads.
fn by_name(services: &str, pair: &Pair) -> Entities {
    Entities {
        certificates: vec![certificate(1, pair)].into(),
        snis: vec![sni("ends.test", 1)].into(),
        ..declared(&format!("services:\n{services}"))
    }
}

#[tokio::test]
async fn tls_ends_here_or_passes_through_as_the_route_of_the_name_says() {
    let (own, theirs) = (self_signed(&["ends.test"]), self_signed(&["passes.test"]));
    let (a, b) = (upstream("a", None).await, upstream("b", Some(server(&theirs))).await);
    let services = service(a, "tcp", "", "name: e, protocols: [tls], snis: [ends.test]")
        + &service(b, "tcp", "", "name: p, protocols: [tls_passthrough], snis: [passes.test]");
    let gateway = Gateway::start_with(by_name(&services, &own), listeners);
    let config = Arc::new(config());
    for (name, expected, shown) in
        [("ends.test", "a sni=- read hello", &own), ("passes.test", "b sni=passes.test read hello", &theirs)]
    {
        let stream = connect(&config, gateway.stream(1), name).await.unwrap();
        let seen = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(seen, moongate_model::pki::certificate_chain(&shown.cert).unwrap()[0], "{name}");
        assert_eq!(ask(stream, "hello").await, expected);
    }
    assert!(connect(&config, gateway.stream(1), "other.test").await.is_err());
    let plain = TcpStream::connect(gateway.stream(1)).await.unwrap();
    assert_eq!(ask(plain, "GET / HTTP/1.1\r\n\r\n").await, "", "this is no TLS");
}

#[tokio::test]
async fn upstreams_over_tls_are_told_their_own_name_or_the_clients() {
    let b = upstream("b", Some(server(&self_signed(&["any.test"])))).await;
    let target = format!("- {{name: up.test, host_header: inner.test, targets: [{{target: '{b}'}}]}}");
    for (preserve, name) in [(false, "inner.test"), (true, "ends.test")] {
        let text = format!(
            "services: [{{name: s, protocol: tls, host: up.test, port: 1, routes: [{{name: r, protocols: [tls], \
             snis: [ends.test], preserve_host: {preserve}}}]}}]\nupstreams:\n{target}"
        );
        let gateway = Gateway::start_with(declared(&text), listeners);
        let stream = connect(&Arc::new(config()), gateway.stream(1), "ends.test").await.unwrap();
        assert_eq!(ask(stream, "hello").await, format!("b sni={name} read hello"));
    }
}

#[tokio::test]
async fn datagrams_go_there_and_back_for_each_client() {
    let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = upstream.local_addr().unwrap();
    tokio::spawn(async move {
        let mut room = [0; 2048];
        loop {
            let (length, client) = upstream.recv_from(&mut room).await.unwrap();
            let answer = [b"to ", &room[..length]].concat();
            upstream.send_to(&answer, client).await.unwrap();
            upstream.send_to(b"more", client).await.unwrap();
        }
    });
    let route = "name: r, protocols: [udp], sources: [{ip: 127.0.0.1}]";
    let gateway = start(&service(address, "udp", "", route));
    let clients =
        [UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap()];
    for round in 0..3 {
        for (number, client) in clients.iter().enumerate() {
            let text = format!("{number} {round}");
            client.send_to(text.as_bytes(), gateway.stream(2)).await.unwrap();
            for expected in [format!("to {text}"), "more".to_owned()] {
                let mut room = [0; 2048];
                let received = timeout(Duration::from_secs(10), client.recv_from(&mut room)).await;
                let (length, from) = received.unwrap().unwrap();
                assert_eq!(
                    (String::from_utf8_lossy(&room[..length]).as_ref(), from),
                    (expected.as_str(), gateway.stream(2))
                );
            }
        }
    }
}

#[tokio::test]
async fn datagrams_reach_an_upstream_that_comes_back() {
    let route = "name: r, protocols: [udp], sources: [{ip: 127.0.0.1}]";
    let place = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gateway = start(&service(place, "udp", "", route));
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Nobody is there: the system tells, and the stream ends.
    client.send_to(b"lost", gateway.stream(2)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let upstream = UdpSocket::bind(place).await.unwrap();
    client.send_to(b"found", gateway.stream(2)).await.unwrap();
    let mut room = [0; 64];
    let (length, _) = timeout(Duration::from_secs(10), upstream.recv_from(&mut room)).await.unwrap().unwrap();
    assert_eq!(&room[..length], b"found");
}

#[tokio::test]
async fn each_stream_is_a_line_of_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("streams.log");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let entities = |address| declared(&format!("services:\n{}", service(address, "tcp", "", FROM_HERE)));
    let gateway = Gateway::start_with(entities(upstream("a", None).await), |options| {
        listeners(options);
        let (target, format) = (LogTarget::File(path.clone()), AccessLogFormat::Combined);
        options.stream_access_log = Some(AccessLogOptions { target, format });
    });
    assert_eq!(ask_plain(&gateway, "hello").await, "a sni=- read hello");
    gateway.publish(entities(nobody));
    assert_eq!(ask_plain(&gateway, "hello").await, "");
    gateway.shutdown(Duration::from_secs(5));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    // Each is written when its stream has ended, which the first may do last.
    lines.sort_by_key(|line| line.contains("] TCP 502 "));
    for (line, words) in lines.iter().zip(["] TCP 200 18 5 0.", "] TCP 502 0 0 0."]) {
        assert!(line.starts_with("127.0.0.1 [") && line.contains(words), "{line}");
    }
}
