//! What goes wrong outside of the gateway: each client gets an answer or a clean end, and all is well afterwards.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use socket2::SockRef;

use crate::client::{Client, get};
use crate::harness::{Gateway, Setup};
use crate::logs::lines;

/// An upstream that does the same to each connection.
pub fn upstream(serve: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Reads the head of a request.
pub fn head(stream: &mut TcpStream) {
    let (mut seen, mut part) = (Vec::new(), [0; 4096]);
    while !seen.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part) {
            Ok(read @ 1..) => seen.extend_from_slice(&part[..read]),
            _ => return,
        }
    }
}

/// A gateway with a route to a good upstream and one to another.
fn gateway(bad: &str, service: &str) -> Gateway {
    let declarative = format!(
        "
_format_version: '3.0'
services:
- {{ name: good, url: UPSTREAM, routes: [{{ name: good, paths: [/good] }}] }}
- {{ name: bad, url: '{bad}', retries: 0, {service} routes: [{{ name: bad, paths: [/bad] }}] }}
"
    );
    Setup::new().declarative(&declarative).start()
}

fn is_well(gateway: &Gateway) {
    for _ in 0..3 {
        assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
    }
}

/// The bad upstream's clients are told `status` with `message`, and keep their connections.
fn is_told(gateway: &Gateway, status: u16, message: &str) {
    let mut client = Client::connect(gateway.proxy);
    for _ in 0..2 {
        let answer = client.get("/bad", &[("accept", "application/json")]).unwrap();
        assert_eq!((answer.status, answer.json()["message"].as_str()), (status, Some(message)));
        assert_eq!(client.get("/good", &[]).unwrap().status, 200);
    }
    is_well(gateway);
}

const INVALID: &str = "An invalid response was received from the upstream server";

#[test]
fn an_upstream_that_resets_or_closes_without_an_answer_is_a_bad_gateway() {
    let resets = upstream(|mut stream| {
        head(&mut stream);
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let closes = upstream(|mut stream| head(&mut stream));
    let closes_at_once = upstream(drop);
    for address in [resets, closes, closes_at_once] {
        is_told(&gateway(&format!("http://{address}"), ""), 502, INVALID);
    }
}

#[test]
fn an_upstream_that_answers_garbage_is_a_bad_gateway() {
    for address in [
        upstream(|mut stream| {
            head(&mut stream);
            let _ = stream.write_all(b"\0\x01\x02 this is not HTTP\r\n\r\n");
        }),
        upstream(|mut stream| {
            head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nno colon");
        }),
        upstream(|mut stream| {
            head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello");
        }),
        upstream(|mut stream| {
            head(&mut stream);
            let endless = format!("X-More: {}\r\n", "x".repeat(8000));
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
            while stream.write_all(endless.as_bytes()).is_ok() {}
        }),
    ] {
        is_told(&gateway(&format!("http://{address}"), ""), 502, INVALID);
    }
}

#[test]
fn an_upstream_that_never_answers_is_a_gateway_timeout() {
    let silent = upstream(|mut stream| {
        head(&mut stream);
        std::thread::sleep(Duration::from_secs(60));
    });
    // The system takes its connections, and it never looks at them.
    let absent = TcpListener::bind("127.0.0.1:0").unwrap();
    for address in [silent, absent.local_addr().unwrap()] {
        let gateway = gateway(&format!("http://{address}"), "read_timeout: 200,");
        is_told(&gateway, 504, "The upstream server is timing out");
    }
}

#[test]
fn a_response_that_breaks_off_is_seen_as_such_by_its_client() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes."[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nten bytes.\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nten bytes.\r\nzz\r\n",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                head(&mut stream);
                let _ = stream.write_all(answer);
            }
        });
        let gateway = gateway(&format!("http://{address}"), "");
        for _ in 0..2 {
            let mut client = Client::connect(gateway.proxy);
            let received = client.get("/bad", &[]);
            assert!(received.is_err(), "{received:?} looks whole");
            assert!(client.is_closed());
        }
        is_well(&gateway);
    }
}

#[test]
fn a_response_that_breaks_off_is_told_of_in_the_log_once() {
    let breaks_off = upstream(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
    });
    let pauses = upstream(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
        std::thread::sleep(Duration::from_secs(60));
    });
    for (address, text) in
        [(breaks_off, "the upstream's response broke off"), (pauses, "the upstream paused for too long")]
    {
        let gateway = gateway(&format!("http://{address}"), "read_timeout: 200,");
        let mut client = Client::connect(gateway.proxy);
        client.send(b"GET /bad HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let id = client.receive_head().unwrap().header("x-kong-request-id").unwrap();
        assert_eq!(client.count(100).unwrap(), 10);
        let line = lines(&gateway.folder().join("prefix/logs/access.log"), 1).remove(0);
        assert!(line.contains("\"GET /bad HTTP/1.1\" 200 10 ") && line.contains(&id), "{line}");
        let log = gateway.stop();
        let told: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
        assert_eq!(told.len(), 1, "{log}");
        assert!(told[0].contains(" WARN ") && told[0].contains(text), "{}", told[0]);
        assert!(told[0].contains(&address.to_string()), "{}", told[0]);
    }
}

#[test]
fn a_response_that_pauses_for_too_long_breaks_off() {
    let pauses = upstream(|mut stream| {
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
        std::thread::sleep(Duration::from_secs(60));
    });
    let gateway = gateway(&format!("http://{pauses}"), "read_timeout: 200,");
    let started = Instant::now();
    assert!(Client::connect(gateway.proxy).get("/bad", &[]).is_err());
    assert!(started.elapsed() < Duration::from_secs(10));
    is_well(&gateway);
}

#[test]
fn a_name_without_an_address_is_told_and_one_that_nobody_resolves_too() {
    is_told(&gateway("http://nowhere.invalid", ""), 503, "name resolution failed");
    // Its name server says that it cannot tell.
    let failing = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = format!("resolver_address: ['{}']", failing.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, client)) = failing.recv_from(&mut message) {
            message[2] |= 0x80;
            message[3] = 2;
            failing.send_to(&message[..length], client).unwrap();
        }
    });
    let declarative = "
_format_version: '3.0'
services:
- { name: good, url: UPSTREAM, routes: [{ name: good, paths: [/good] }] }
- { name: bad, url: 'http://somewhere.test', retries: 0, routes: [{ name: bad, paths: [/bad] }] }
";
    let gateway = Setup::new().declarative(declarative).property(&server).start();
    is_told(&gateway, 500, "name resolution failed: no name server has an answer");
}

/// Descriptors that this process needs for the largest crowd.
const DESCRIPTORS: u64 = 12_000;

/// Connects, and tells what it sends.
fn crowd(address: SocketAddr, size: usize, sent: &[u8]) -> Vec<TcpStream> {
    (0..size)
        .map(|number| {
            let stream =
                TcpStream::connect(address).unwrap_or_else(|error| panic!("connection {number}: {error}"));
            (&stream).write_all(sent).unwrap();
            stream
        })
        .collect()
}

#[test]
fn a_crowd_of_idle_and_slow_clients_keeps_nobody_from_being_served() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= DESCRIPTORS, "this test needs {DESCRIPTORS} descriptors (ulimit -Hn), there are {hard}");
    if soft < DESCRIPTORS {
        setrlimit(Resource::RLIMIT_NOFILE, DESCRIPTORS, hard).unwrap();
    }
    let gateway = Setup::new().plain_route("good").start();
    is_well(&gateway);
    let before = gateway.resident();
    let idle = crowd(gateway.proxy, 10_000, b"");
    // Each has begun with a head, and will never come to its end.
    let slow = crowd(gateway.proxy, 1_000, b"GET /good HTTP/1.1\r\nhost: a\r\nx-slow: ");
    for _ in 0..20 {
        let started = Instant::now();
        is_well(&gateway);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
    let counters = get(gateway.admin, "/status", &[]).json();
    assert!(counters["server"]["connections_active"].as_u64().unwrap() >= 11_000, "{counters}");
    let each = gateway.resident().saturating_sub(before) / 11_000;
    assert!(each < 32 * 1024, "a connection takes {each} bytes");
    // They are clients like others when they get on with it.
    for mut stream in idle.iter().step_by(1_000) {
        stream.write_all(b"GET /good HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    drop((idle, slow));
    is_well(&gateway);
    let started = Instant::now();
    while get(gateway.admin, "/status", &[]).json()["server"]["connections_active"].as_u64() > Some(10) {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "connections stay although their clients are gone"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn slow_clients_are_given_up_after_some_time() {
    let gateway = Setup::new().plain_route("good").property("client_header_timeout: 1").start();
    let slow = crowd(gateway.proxy, 200, b"GET /good HTTP/1.1\r\nhost: a\r\nx-slow: ");
    let started = Instant::now();
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    is_well(&gateway);
}

#[test]
fn a_client_that_stalls_within_its_body_is_told_so_and_no_target_is_blamed() {
    let upstream =
        "{name: u, healthchecks: {passive: {unhealthy: {timeouts: 1, tcp_failures: 1, http_failures: 1}}}";
    let services = "services:\n- {name: s, host: u, port: 80, write_timeout: 500, read_timeout: 500, \
                    routes: [{name: r, paths: [/r]}, {name: streamed, paths: [/streamed], request_buffering: false}]}";
    let gateway = Setup::new()
        .property("database: sqlite")
        .property("client_body_timeout: 2")
        .declarative(&format!(
            "_format_version: '3.0'\n{services}\nupstreams:\n- {upstream}, targets: []}}\n"
        ))
        .import()
        .start();
    let target = gateway.upstream_url().replace("http://", "");
    gateway.write("POST", "/upstreams/u/targets", serde_json::json!({"target": target}));
    for path in ["/r", "/streamed"] {
        for framing in ["content-length: 10\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"] {
            let started = Instant::now();
            let mut client = Client::connect(gateway.proxy);
            client.send(format!("POST {path} HTTP/1.1\r\nhost: a\r\n{framing}").as_bytes()).unwrap();
            let answer = client.receive().unwrap();
            assert_eq!(answer.status, 408, "{path} {framing}: {}", answer.text());
            assert!(
                started.elapsed() > Duration::from_secs(1),
                "the upstream's patience is not the client's"
            );
            assert_eq!(get(gateway.proxy, "/r", &[]).status, 200, "the target is blamed");
        }
    }
    // A pause that is longer than the upstream may take is no reason to give up.
    let mut client = Client::connect(gateway.proxy);
    client.send(b"POST /streamed HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc").unwrap();
    std::thread::sleep(Duration::from_millis(1_000));
    client.send(b"def").unwrap();
    assert_eq!(client.receive().unwrap().status, 200);
}

#[test]
fn an_upstream_never_gets_the_request_id_that_a_client_sends() {
    for (properties, expected) in [
        (&["headers: [server_tokens]"][..], true),
        (&["headers_upstream: off"][..], false),
        (&["headers: [server_tokens]", "headers_upstream: 'off'"][..], false),
    ] {
        let setup = properties.iter().fold(Setup::new(), |setup, line| setup.property(line));
        let gateway = setup.plain_route("good").start();
        assert_eq!(get(gateway.proxy, "/good", &[("x-kong-request-id", "mine")]).status, 200);
        let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
        assert!(!head.contains("mine"), "{properties:?}: {head}");
        assert_eq!(head.contains("x-kong-request-id: "), expected, "{properties:?}: {head}");
    }
}

#[test]
fn a_gateway_without_descriptors_serves_again_when_there_are_some() {
    let gateway = Setup::new().plain_route("good").descriptors(160).start();
    is_well(&gateway);
    let mut known = Client::connect(gateway.proxy);
    assert_eq!(known.get("/good", &[]).unwrap().status, 200);
    let crowd = crowd(gateway.proxy, 400, b"");
    std::thread::sleep(Duration::from_millis(500));
    // Whoever has a connection is served over one that the gateway has.
    for _ in 0..5 {
        assert_eq!(known.get("/good", &[]).unwrap().status, 200);
    }
    // The upstream closes that one, and the next who waits to be accepted gets its descriptor, unless a busy machine lets
    // the gateway have it again first.
    let started = Instant::now();
    let answer = loop {
        let _ = known.get("/good?drop=1", &[]).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let answer = known.get("/good", &[("accept", "application/json")]).unwrap();
        if answer.status != 200 || started.elapsed() > Duration::from_secs(20) {
            break answer;
        }
    };
    let told = answer.json()["message"].clone();
    assert_eq!((answer.status, told.as_str()), (500, Some("An unexpected error occurred")));
    drop(crowd);
    let started = Instant::now();
    loop {
        let answer = Client::try_connect(gateway.proxy).and_then(|mut client| client.get("/good", &[]));
        if answer.is_ok_and(|answer| answer.status == 200) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it does not come back");
        std::thread::sleep(Duration::from_millis(50));
    }
    is_well(&gateway);
    assert_eq!(known.get("/good", &[]).unwrap().status, 200);
}
