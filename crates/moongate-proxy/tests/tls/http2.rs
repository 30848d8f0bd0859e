//! HTTP/2 connections of clients.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use moongate_model::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Reply, config, connect, get};
use crate::entities::all_to;
use crate::gateway::Gateway;
use crate::upstream::Upstream;

pub async fn open(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<Full<Bytes>> {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn open_tls(gateway: &Gateway) -> SendRequest<Full<Bytes>> {
    let mut config = config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = connect(&Arc::new(config), gateway.tls(), "gw.test").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    open(stream).await
}

async fn ask(mut sender: SendRequest<Full<Bytes>>, request: http::request::Builder, body: &str) -> Reply {
    let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

#[tokio::test]
async fn a_request_over_http2_reaches_the_upstream_in_http1() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, route| {
        route.hosts = Some(vec!["gw.test".to_owned()]);
        route.preserve_host = true;
    }));
    let sender = open_tls(&gateway).await;
    let request = Request::get("https://gw.test:8443/x?y").header("cookie", "a=1").header("cookie", "b=2");
    let reply = ask(sender, request, "").await;
    assert_eq!(reply.status, StatusCode::OK);
    for expected in [
        "GET /x?y\n",
        "\nhost: gw.test:8443\n",
        "\ncookie: a=1; b=2\n",
        "\nx-forwarded-proto: https\n",
        "\nx-forwarded-host: gw.test\n",
        "\nconnection: keep-alive\n",
        "\nvia: 2 moongate/",
    ] {
        assert!(format!("\n{}", reply.body).contains(expected), "{expected:?} in {}", reply.body);
    }
    assert!(reply.headers["via"].to_str().unwrap().starts_with("1.1 moongate/"));
}

#[tokio::test]
async fn streams_run_side_by_side() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let sender = open_tls(&gateway).await;
    let slow = tokio::spawn(ask(sender.clone(), Request::get("https://gw.test/slow"), ""));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let body = "x".repeat(300_000);
    let quick = ask(sender, Request::post("https://gw.test/quick"), &body).await;
    assert!(quick.body.ends_with("\nbody of 300000 bytes\n"), "{}", quick.body);
    assert!(!slow.is_finished());
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
}

#[tokio::test]
async fn a_plain_listener_for_http2_takes_either_version() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let stream = TcpStream::connect(gateway.plain_http2()).await.unwrap();
    let reply = ask(open(stream).await, Request::get("http://gw.test/x"), "").await;
    assert!(reply.body.contains("\nx-forwarded-proto: http\n"), "{}", reply.body);
    assert_eq!(get(gateway.plain_http2(), "/x", &[]).await.status, StatusCode::OK);

    // In pieces, the first of which an HTTP/1 method could begin with as well.
    let mut stream = TcpStream::connect(gateway.plain_http2()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream.write_all(b"P").await.unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    stream
        .write_all(b"OST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn errors_and_redirections_are_told_over_http2() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, route| {
        route.paths = Some(vec!["/only".to_owned()]);
        route.protocols = vec![Protocol::Https];
    }));
    let reply = ask(open_tls(&gateway).await, Request::get("https://gw.test/none"), "").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let stream = TcpStream::connect(gateway.plain_http2()).await.unwrap();
    let reply = ask(open(stream).await, Request::get("http://gw.test/only"), "").await;
    assert_eq!(reply.status, StatusCode::UPGRADE_REQUIRED);
}

#[tokio::test]
async fn open_streams_finish_when_the_gateway_stops() {
    let upstream = Upstream::plain().await;
    let gateway = Arc::new(Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {})));
    let sender = open_tls(&gateway).await;
    let slow = tokio::spawn(ask(sender, Request::get("https://gw.test/slow"), ""));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let stopping = Arc::clone(&gateway);
    let finished = tokio::task::spawn_blocking(move || stopping.shutdown(Duration::from_secs(10)));
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    assert!(finished.await.unwrap());
}

#[tokio::test]
async fn a_client_with_more_requests_than_streams_gets_all_its_answers() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let sender = open_tls(&gateway).await;
    let requests: Vec<_> = (0..300)
        .map(|number| {
            tokio::spawn(ask(sender.clone(), Request::get(format!("https://gw.test/{number}")), ""))
        })
        .collect();
    for (number, request) in requests.into_iter().enumerate() {
        let reply = request.await.unwrap();
        assert!(reply.body.starts_with(&format!("GET /{number}\n")), "{}", reply.body);
    }
}

#[tokio::test]
async fn trailers_come_behind_the_body_whether_they_were_asked_for_or_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let upstream = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"0\r\nx-sum: 5\r\n\r\n") {
            assert!(stream.read_buf(&mut seen).await.unwrap() > 0, "{}", String::from_utf8_lossy(&seen));
        }
        let answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-sum: 7\r\nhost: b\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    });
    let gateway = Gateway::start(all_to(address, Protocol::Http, |_, _| {}));
    let stream = TcpStream::connect(gateway.plain_http2()).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.unwrap();
    tokio::spawn(connection);
    let trailers = HeaderMap::from_iter([
        (HeaderName::from_static("x-sum"), HeaderValue::from_static("5")),
        (HeaderName::from_static("x-other"), HeaderValue::from_static("6")),
    ]);
    let parts = [Ok::<_, Infallible>(Frame::data(Bytes::from("hello"))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(futures_util::stream::iter(parts));
    let request = Request::post("http://gw.test/").header("trailer", "x-sum").body(body).unwrap();
    let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    let trailers = body.trailers().unwrap().clone();
    assert_eq!((trailers.len(), &trailers["x-sum"]), (1, &HeaderValue::from_static("7")));
    assert_eq!(body.to_bytes(), "a");
    upstream.await.unwrap();
}

/// A frame: its length, type, flags and stream before what is in it.
fn frame(kind: u8, flags: u8, stream: u32, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), content].concat()
}

#[tokio::test]
async fn a_client_that_takes_back_its_requests_at_once_is_sent_away() {
    const HEADERS: u8 = 1;
    const RESET: u8 = 3;
    const SETTINGS: u8 = 4;
    const GO_AWAY: u8 = 7;
    const CALM_DOWN: u8 = 11;
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let mut stream = TcpStream::connect(gateway.plain_http2()).await.unwrap();
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(SETTINGS, 0, 0, &[]));
    for number in 0..2000 {
        // GET http://a/, ended with its head; the reason is that it is not wanted any more.
        sent.extend(frame(HEADERS, 5, 2 * number + 1, &[0x82, 0x86, 0x84, 0x41, 1, b'a']));
        sent.extend(frame(RESET, 0, 2 * number + 1, &[0, 0, 0, 8]));
    }
    let _ = stream.write_all(&sent).await;
    let mut received = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut received)).await.unwrap();
    let mut frames = received.as_slice();
    let mut goodbye = None;
    while let Some((&[a, b, c, kind, ..], rest)) = frames.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        let (content, rest) = rest.split_at(length.min(rest.len()));
        if kind == GO_AWAY {
            goodbye = content.get(7).copied();
        }
        frames = rest;
    }
    assert_eq!(goodbye, Some(CALM_DOWN));
    assert!(upstream.connections() < 200, "{} connections", upstream.connections());
    assert_eq!(get(gateway.plain(), "/x", &[]).await.status, StatusCode::OK);
}
