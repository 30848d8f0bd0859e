//! Keep-alive, limits and shutdown.

use std::time::Duration;

use echo_server::{BindError, Options, Server};

use crate::peer::{Running, request};

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    for number in 0..20 {
        client.send(&request("POST", &format!("/{number}"), &["content-length: 2"], b"hi")).await;
        let document = client.reply().await.json();
        assert_eq!(document["http"]["originalUrl"], format!("/{number}"));
        assert_eq!(document["request"]["body"], "hi");
    }
}

#[tokio::test]
async fn an_answer_to_head_has_the_length_and_no_body() {
    let server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(&request("HEAD", "/", &[], b"")).await;
    let reply = client.reply_to("HEAD").await;
    assert!(reply.header("content-length").unwrap().parse::<usize>().unwrap() > 0);
    client.send(&request("GET", "/", &[], b"")).await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test]
async fn a_body_at_the_limit_is_taken_and_one_above_it_gets_413() {
    let server = Running::start(Options { max_body: 1000, ..Options::default() }).await;
    assert_eq!(server.post(&[], &[b'x'; 1000]).await.status, 200);
    let reply = server.post(&[], &[b'x'; 1001]).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.json()["error"], "the request body is larger than 1000 bytes");
}

#[tokio::test]
async fn a_chunked_body_above_the_limit_gets_413() {
    let server = Running::start(Options { max_body: 4, ..Options::default() }).await;
    let mut client = server.connect().await;
    let chunks = b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    client.send(&request("POST", "/", &["transfer-encoding: chunked"], chunks)).await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn the_413_arrives_although_the_client_sends_everything_first() {
    let server = Running::start(Options { max_body: 1000, ..Options::default() }).await;
    // More than the buffers between the two hold, so the client is blocked unless the server goes on reading.
    let body = vec![b'x'; 16 * 1024 * 1024];
    assert_eq!(server.post(&[], &body).await.status, 413);
}

#[tokio::test]
async fn a_client_that_waits_for_permission_is_refused_before_it_sends() {
    let server = Running::start(Options { max_body: 1000, ..Options::default() }).await;
    let mut client = server.connect().await;
    client.send(&request("POST", "/", &["content-length: 1001", "expect: 100-continue"], b"")).await;
    assert_eq!(client.reply().await.status, 413);

    let mut client = server.connect().await;
    client.send(&request("POST", "/", &["content-length: 2", "expect: 100-continue"], b"")).await;
    assert_eq!(client.reply().await.status, 100);
    client.send(b"hi").await;
    assert_eq!(client.reply().await.json()["request"]["body"], "hi");
}

#[tokio::test]
async fn a_request_in_flight_finishes_during_shutdown() {
    let mut server = Running::start(Options::default()).await;
    let mut client = server.connect().await;
    client.send(&request("GET", "/?echo_time=400", &[], b"")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.begin_shutdown();

    let reply = client.reply().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("connection"), Some("close"));
    client.closed().await;
    assert_eq!(server.ended().await, 0);
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_shutdown() {
    let mut server = Running::start(Options::default()).await;
    let mut used = server.connect().await;
    used.send(&request("GET", "/", &[], b"")).await;
    assert_eq!(used.reply().await.status, 200);
    let mut fresh = server.connect().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.begin_shutdown();

    used.closed().await;
    fresh.closed().await;
    assert_eq!(server.ended().await, 0);
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_is_cut_off_and_counted() {
    let drain_timeout = Duration::from_millis(100);
    let mut server = Running::start(Options { drain_timeout, ..Options::default() }).await;
    let mut client = server.connect().await;
    client.send(&request("GET", "/?echo_time=10000", &[], b"")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.begin_shutdown();
    client.closed().await;
    assert_eq!(server.ended().await, 1);
}

#[tokio::test]
async fn a_taken_port_is_an_error_of_its_own() {
    let server = Running::start(Options::default()).await;
    let taken = server.address.port();
    match Server::bind(Options { port: taken, ..Options::default() }).await {
        Err(BindError::AddressInUse { host, port }) => {
            assert_eq!((host.as_str(), port), ("127.0.0.1", taken))
        }
        other => panic!("{other:?}"),
    }
}
