//! Listeners behind a load balancer that tells about its clients in the PROXY protocol.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use moongate_model::{Entities, Protocol};
use moongate_proxy::{ListenAddress, ProxyOptions, RealIp, StreamAddress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::entities::{all_to, declared};
use crate::gateway::Gateway;
use crate::upstream::Upstream;

const LINE: &[u8] = b"PROXY TCP4 198.51.100.7 192.0.2.1 56324 80\r\n";

const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\x02\x01\xdc\x04\0\x50";

fn gateway(entities: Entities, change: impl FnOnce(&mut ProxyOptions)) -> Gateway {
    Gateway::start_with(entities, |options| {
        let plain = ListenAddress::new((Ipv4Addr::LOCALHOST, 0).into());
        options.listen = vec![ListenAddress { proxy_protocol: true, ..plain }];
        options.real_ip = RealIp::ProxyProtocol;
        options.trusted = vec!["127.0.0.0/8".parse().unwrap()];
        change(options);
    })
}

/// Sends the parts with a pause between them, and reads to the end.
async fn exchange(address: SocketAddr, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for part in parts {
        stream.write_all(part).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_trusted_load_balancer_names_the_client() {
    let upstream = Upstream::plain().await;
    let entities = || all_to(upstream.address, Protocol::Http, |_, _| {});
    let gateway = gateway(entities(), |_| {});
    for header in [LINE, BINARY] {
        let whole = [header, REQUEST].concat();
        let (start, end) = whole.split_at(20);
        for parts in [&[&whole[..]][..], &[start, end], &[header, REQUEST]] {
            let answer = exchange(gateway.plain(), parts).await;
            assert!(answer.contains("\nx-real-ip: 198.51.100.7\n"), "{answer}");
            assert!(answer.contains("\nx-forwarded-for: 198.51.100.7\n"), "{answer}");
        }
    }
    let own = exchange(gateway.plain(), &[b"PROXY UNKNOWN\r\n", REQUEST]).await;
    assert!(own.contains("\nx-real-ip: 127.0.0.1\n"), "{own}");
}

#[tokio::test]
async fn a_stranger_names_nobody_and_headers_count_where_they_are_asked_for() {
    let upstream = Upstream::plain().await;
    let entities = || all_to(upstream.address, Protocol::Http, |_, _| {});
    let stranger = gateway(entities(), |options| options.trusted.clear());
    let answer = exchange(stranger.plain(), &[LINE, REQUEST]).await;
    assert!(answer.contains("\nx-real-ip: 127.0.0.1\n"), "{answer}");
    let by_header = gateway(entities(), |options| {
        options.real_ip = RealIp::Header("x-real-ip".parse().unwrap());
    });
    let answer = exchange(by_header.plain(), &[LINE, REQUEST]).await;
    assert!(answer.contains("\nx-real-ip: 127.0.0.1\n"), "{answer}");
}

#[tokio::test]
async fn a_connection_without_the_header_or_with_a_slow_one_is_closed() {
    let upstream = Upstream::plain().await;
    let gateway = gateway(all_to(upstream.address, Protocol::Http, |_, _| {}), |options| {
        options.client_header_timeout = Duration::from_millis(300);
    });
    assert_eq!(exchange(gateway.plain(), &[REQUEST]).await, "");
    let started = Instant::now();
    assert_eq!(exchange(gateway.plain(), &[&LINE[..20]]).await, "");
    let taken = started.elapsed();
    assert!(taken > Duration::from_millis(250) && taken < Duration::from_secs(5), "{taken:?}");
    assert_eq!(upstream.connections(), 0);
}

#[tokio::test]
async fn the_source_of_a_stream_is_who_a_trusted_load_balancer_says() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"hello").await;
        }
    });
    let entities = declared(&format!(
        "services: [{{name: s, protocol: tcp, host: 127.0.0.1, port: {port}, routes: [{{name: r, protocols: [tcp], \
         sources: [{{ip: 198.51.100.0/24}}]}}]}}]"
    ));
    let proxied = |options: &mut ProxyOptions| {
        let plain = StreamAddress::new((Ipv4Addr::LOCALHOST, 0).into());
        options.stream_listen = vec![StreamAddress { proxy_protocol: true, ..plain }];
    };
    let trusting = gateway(entities.clone(), proxied);
    assert_eq!(exchange(trusting.stream(0), &[BINARY]).await, "hello");
    assert_eq!(exchange(trusting.stream(0), &[b"PROXY UNKNOWN\r\n"]).await, "");
    let strict = gateway(entities, |options| {
        proxied(options);
        options.trusted.clear();
    });
    assert_eq!(exchange(strict.stream(0), &[LINE]).await, "");
}
