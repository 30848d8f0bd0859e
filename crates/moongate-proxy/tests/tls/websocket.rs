//! Connections that go on in WebSocket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use moongate_model::Protocol;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, accept_async, client_async};

use crate::certificates::self_signed;
use crate::client::{config, connect, get};
use crate::entities::all_to;
use crate::gateway::Gateway;
use crate::upstream::{Upstream, server};

/// Sends every message back, the first one together with the answer to the handshake.
async fn echo(acceptor: Option<TlsAcceptor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                match acceptor {
                    None => repeat(stream).await,
                    Some(acceptor) => repeat(acceptor.accept(stream).await.unwrap()).await,
                }
            });
        }
    });
    address
}

async fn repeat(stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut socket = accept_async(stream).await.unwrap();
    socket.send(Message::text("welcome")).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() {
            return;
        }
        socket.send(message).await.unwrap();
    }
}

async fn greet<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> WebSocketStream<S> {
    let request = "ws://gw.test/chat".into_client_request().unwrap();
    let (mut socket, response) = client_async(request, stream).await.unwrap();
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert!(response.headers().contains_key("x-kong-request-id"));
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("welcome"));
    socket
}

async fn talk(mut socket: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>) {
    for length in [0, 10, 100_000, 3_000_000] {
        let message = Message::binary(vec![7; length]);
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.close(None).await.unwrap();
    assert!(socket.next().await.is_none_or(|last| last.is_err() || last.is_ok_and(|last| last.is_close())));
}

#[tokio::test]
async fn messages_go_both_ways_over_plain_and_tls_connections() {
    let acceptor = TlsAcceptor::from(Arc::new(server(&self_signed(&["localhost"]))));
    for (upstream, protocol) in
        [(echo(None).await, Protocol::Http), (echo(Some(acceptor)).await, Protocol::Https)]
    {
        let gateway = Gateway::start(all_to(upstream, protocol, |_, _| {}));
        for address in [gateway.plain(), gateway.plain_http2()] {
            talk(greet(TcpStream::connect(address).await.unwrap()).await).await;
        }
        let stream = connect(&Arc::new(config()), gateway.tls(), "gw.test").await.unwrap();
        talk(greet(stream).await).await;
    }
}

#[tokio::test]
async fn a_tunnel_ends_when_both_sides_are_silent_for_the_read_timeout() {
    let upstream = echo(None).await;
    let gateway = Gateway::start(all_to(upstream, Protocol::Http, |service, _| service.read_timeout = 300));
    let mut socket = greet(TcpStream::connect(gateway.plain()).await.unwrap()).await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        socket.send(Message::text("still here")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("still here"));
    }
    let ended = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
    assert!(ended.is_none_or(|last| last.is_err()));
}

#[tokio::test]
async fn the_end_of_one_side_is_told_to_the_other() {
    let upstream = echo(None).await;
    let gateway = Gateway::start(all_to(upstream, Protocol::Http, |_, _| {}));
    let mut socket = greet(TcpStream::connect(gateway.plain()).await.unwrap()).await;
    socket.get_mut().shutdown().await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), socket.next()).await.unwrap();
    assert!(ended.is_none_or(|last| last.is_err()));
}

#[tokio::test]
async fn an_upstream_may_refuse_and_other_protocols_are_not_asked_for() {
    let upstream = Upstream::plain().await;
    let gateway = Gateway::start(all_to(upstream.address, Protocol::Http, |_, _| {}));
    let reply = get(gateway.plain(), "/", &[("connection", "Upgrade"), ("upgrade", "websocket")]).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(reply.body.contains("\nconnection: keep-alive, Upgrade\n"), "{}", reply.body);
    assert!(reply.body.contains("\nupgrade: websocket\n"), "{}", reply.body);

    let reply = get(gateway.plain(), "/", &[("connection", "Upgrade"), ("upgrade", "h2c")]).await;
    assert!(reply.body.contains("\nconnection: keep-alive\n"), "{}", reply.body);
    assert!(!reply.body.contains("\nupgrade: "), "{}", reply.body);
}

#[tokio::test]
async fn an_upstream_that_leaves_http_unasked_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
    });
    let gateway = Gateway::start(all_to(address, Protocol::Http, |_, _| {}));
    assert_eq!(get(gateway.plain(), "/", &[]).await.status, StatusCode::BAD_GATEWAY);
}
