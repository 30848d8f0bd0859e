//! HTTP/2 connections of clients.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use moongate_model::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

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
