use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::body::{Source, Timeouts};
use crate::kept::{Kept, Replay};

/// A connection, and the upstream's side of it.
async fn pair() -> (Http1, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    client.set_nodelay(true).unwrap();
    (Http1::new(UpstreamStream::Left(client)), listener.accept().await.unwrap().0)
}

fn body(bytes: Option<Vec<u8>>) -> RequestBody {
    let source =
        bytes.map_or(Source::Nothing, |bytes| Source::Kept(Replay::new(Rc::new(Kept::of(bytes.into())))));
    let second = Duration::from_secs(1);
    let timeouts = Timeouts { client: second, write: second, read: second };
    RequestBody::new(source, &HeaderMap::new(), &Rc::default(), timeouts)
}

fn begin(http: &mut Http1, bytes: Option<Vec<u8>>, length: BodyLength) {
    http.begin(body(bytes), length, false, |text| text.extend_from_slice(b"HEAD\r\n\r\n"));
}

async fn head(http: &mut Http1) -> io::Result<Parts> {
    poll_fn(|cx| http.poll_head(cx)).await
}

async fn whole(http: &mut Http1) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|cx| http.poll_body(cx)).await {
        whole.extend_from_slice(&frame?.into_data().unwrap_or_default());
    }
    Ok(whole)
}

async fn expect(upstream: &mut TcpStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    upstream.read_exact(&mut got).await.unwrap();
    assert!(got == expected, "{:?}", String::from_utf8_lossy(&got));
}

fn is_quiet(http: &mut Http1) -> bool {
    http.is_quiet(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn one_request_follows_the_other() {
    let (mut http, mut upstream) = pair().await;
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"),
        ("HTTP/1.1 204 No Content\r\n\r\n", ""),
    ] {
        assert!(is_quiet(&mut http) && http.is_reusable());
        begin(&mut http, None, BodyLength::None);
        let answering = async {
            expect(&mut upstream, b"HEAD\r\n\r\n").await;
            for byte in answer.as_bytes() {
                upstream.write_all(&[*byte]).await.unwrap();
            }
        };
        let reading = async {
            assert!(!http.is_reusable());
            head(&mut http).await.unwrap();
            whole(&mut http).await.unwrap()
        };
        assert_eq!(tokio::join!(answering, reading).1, expected.as_bytes());
        http.rest();
    }
    assert!(http.is_reusable());
    drop(upstream);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!is_quiet(&mut http));
}

#[tokio::test]
async fn bodies_are_sent_with_a_length_or_in_chunks() {
    let small = b"small".to_vec();
    let large: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    for bytes in [small, large] {
        for length in [BodyLength::Known(bytes.len() as u64), BodyLength::Unknown] {
            let (mut http, mut upstream) = pair().await;
            begin(&mut http, Some(bytes.clone()), length);
            let answering = async {
                expect(&mut upstream, b"HEAD\r\n\r\n").await;
                if length == BodyLength::Unknown {
                    let mut left = bytes.len();
                    while left > 0 {
                        let mut size = Vec::new();
                        while !size.ends_with(b"\r\n") {
                            size.push(upstream.read_u8().await.unwrap());
                        }
                        let size = usize::from_str_radix(str::from_utf8(&size).unwrap().trim(), 16).unwrap();
                        let at = bytes.len() - left;
                        expect(&mut upstream, &bytes[at..at + size]).await;
                        expect(&mut upstream, b"\r\n").await;
                        left -= size;
                    }
                    expect(&mut upstream, b"0\r\n\r\n").await;
                } else {
                    expect(&mut upstream, &bytes).await;
                }
                upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            };
            let (answer, ()) = tokio::join!(head(&mut http), answering);
            assert_eq!(answer.unwrap().status.as_u16(), 200);
            assert!(http.is_reusable(), "{length:?}");
        }
    }
}

#[tokio::test]
async fn large_bodies_come_whole() {
    let (mut http, mut upstream) = pair().await;
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|number| (number / 3) as u8).collect();
    begin(&mut http, None, BodyLength::None);
    let answering = async {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        upstream.write_all(head.as_bytes()).await.unwrap();
        upstream.write_all(&bytes).await.unwrap();
    };
    let reading = async {
        head(&mut http).await.unwrap();
        assert_eq!(http.left(), Some(bytes.len() as u64));
        whole(&mut http).await.unwrap()
    };
    let (read, ()) = tokio::join!(reading, answering);
    assert!(read == bytes);
    assert!(http.is_reusable() && http.room > READ);
    http.rest();
    assert_eq!(http.room, READ);
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_ended() {
    let (mut http, mut upstream) = pair().await;
    begin(&mut http, Some(vec![0; 30_000_000]), BodyLength::Known(30_000_000));
    let answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno";
    let (answer, ()) = tokio::join!(head(&mut http), async {
        upstream.write_all(answer.as_bytes()).await.unwrap();
    });
    assert_eq!(answer.unwrap().status.as_u16(), 413);
    assert_eq!(whole(&mut http).await.unwrap(), b"no");
    assert!(!http.is_reusable());
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let (mut http, mut upstream) = pair().await;
    begin(&mut http, None, BodyLength::None);
    let answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n\
                  HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    upstream.write_all(answer.as_bytes()).await.unwrap();
    let answer = head(&mut http).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.headers.len()), (200, 1));
    assert_eq!(whole(&mut http).await.unwrap(), b"a");
    assert!(http.is_reusable());
}

#[tokio::test]
async fn what_breaks_off_is_an_error() {
    for answer in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    ] {
        let (mut http, mut upstream) = pair().await;
        begin(&mut http, None, BodyLength::None);
        upstream.write_all(answer.as_bytes()).await.unwrap();
        upstream.shutdown().await.unwrap();
        let result = async {
            head(&mut http).await?;
            whole(&mut http).await
        }
        .await;
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{answer}");
        assert!(!http.is_reusable());
        assert!(http.give_up().is_begun);
    }
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_its_connection() {
    let (mut http, mut upstream) = pair().await;
    begin(&mut http, None, BodyLength::None);
    upstream.write_all(b"HTTP/1.1 200 OK\r\n\r\nall of it").await.unwrap();
    upstream.shutdown().await.unwrap();
    head(&mut http).await.unwrap();
    assert_eq!(whole(&mut http).await.unwrap(), b"all of it");
    assert!(!http.is_reusable());
}

#[tokio::test]
async fn what_nobody_asked_for_ends_the_connection() {
    let (mut http, mut upstream) = pair().await;
    begin(&mut http, None, BodyLength::None);
    upstream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    head(&mut http).await.unwrap();
    assert!(!http.is_reusable());

    let (mut http, mut upstream) = pair().await;
    assert!(is_quiet(&mut http));
    upstream.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!is_quiet(&mut http));
}

#[tokio::test]
async fn endless_heads_are_refused() {
    let (mut http, mut upstream) = pair().await;
    begin(&mut http, None, BodyLength::None);
    let flood = async {
        let _ = upstream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        while upstream.write_all(&[b'x'; 4096]).await.is_ok() {}
    };
    let mut flood = Box::pin(flood);
    let answer = poll_fn(|cx| {
        let _ = Pin::new(&mut flood).poll(cx);
        http.poll_head(cx)
    });
    assert_eq!(answer.await.unwrap_err().to_string(), Invalid::TooLong.to_string());
}
