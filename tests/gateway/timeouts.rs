//! How long an upstream may take to be connected to, to read and to answer.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::client::{Client, Response, get};
use crate::faults::{head, upstream};
use crate::harness::{Gateway, Setup};

/// The time that is given to what never happens.
const PATIENCE: Duration = Duration::from_millis(300);

/// A listener that accepts nobody and whose queue is full, so that nobody is connected to it and nobody is told so.
struct Full {
    address: SocketAddr,
    _listener: socket2::Socket,
    _queued: Vec<TcpStream>,
}

impl Full {
    fn new() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            queued.push(stream);
            assert!(queued.len() < 100, "the queue has no end");
        }
        Self { address, _listener: listener, _queued: queued }
    }
}

/// Reads the head of each request, answers it, and knows no bodies.
fn answers(mut stream: TcpStream) {
    loop {
        head(&mut stream);
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}

/// Reads the beginning of a request, and nothing more.
fn stops(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 16]);
    std::thread::sleep(Duration::from_secs(60));
}

/// A gateway with a service that has these fields, and routes that read bodies whole and do not.
fn service(fields: &str) -> Gateway {
    upstreams(fields, "")
}

fn upstreams(service: &str, upstreams: &str) -> Gateway {
    let declarative = format!(
        "
_format_version: '3.0'
services:
- name: s
  {service}
  routes:
  - {{ name: kept, paths: [/kept] }}
  - {{ name: streamed, paths: [/streamed], request_buffering: false }}
{upstreams}
"
    );
    Setup::new().declarative(&declarative).start()
}

/// An upstream with these targets, of which one timeout is enough.
fn with_targets(fields: &str, targets: &[SocketAddr]) -> Gateway {
    let targets: Vec<_> = targets.iter().map(|target| format!("{{ target: '{target}' }}")).collect();
    let targets = targets.join(", ");
    let healthchecks = "{ passive: { unhealthy: { timeouts: 1 } } }";
    let upstream = format!("upstreams:\n- {{ name: u, healthchecks: {healthchecks}, targets: [{targets}] }}");
    upstreams(&format!("host: u\n  {fields}"), &upstream)
}

fn is_timeout(answer: &Response) {
    let told = answer.json()["message"].clone();
    assert_eq!((answer.status, told.as_str()), (504, Some("The upstream server is timing out")));
}

/// As long as was waited for, and not for anything else.
fn took(started: Instant, tries: u32) {
    let taken = started.elapsed();
    assert!(taken >= tries * PATIENCE && taken < tries * PATIENCE + Duration::from_secs(5), "{taken:?}");
}

const JSON: (&str, &str) = ("accept", "application/json");

/// The answer to a request whose body is more than any buffers on its way take.
fn send_much(gateway: &Gateway, method: &str, path: &str) -> Response {
    const SIZE: usize = 64 << 20;
    let mut client = Client::connect(gateway.proxy);
    client
        .send(
            format!(
                "{method} {path} HTTP/1.1\r\nhost: a\r\naccept: application/json\r\ncontent-length: {SIZE}\r\n\r\n"
            )
            .as_bytes(),
        )
        .unwrap();
    let mut stream = client.stream().try_clone().unwrap();
    let sending = std::thread::spawn(move || {
        let piece = vec![b'm'; 1 << 20];
        (0..SIZE / piece.len()).try_for_each(|_| stream.write_all(&piece))
    });
    let answer = client.receive().unwrap();
    drop(client);
    let _ = sending.join().unwrap();
    answer
}

#[test]
fn a_connection_may_take_as_long_as_the_service_says() {
    let full = Full::new();
    for (retries, tries) in [(0, 1), (1, 2)] {
        let gateway = service(&format!(
            "url: 'http://{}'\n  connect_timeout: 300\n  read_timeout: 60000\n  write_timeout: 60000\n  retries: {retries}",
            full.address
        ));
        let started = Instant::now();
        is_timeout(&get(gateway.proxy, "/kept", &[JSON]));
        took(started, tries);
    }
}

#[test]
fn a_tls_handshake_is_a_part_of_the_connection() {
    let silent = upstream(|mut stream| while matches!(stream.read(&mut [0; 1024]), Ok(1..)) {});
    let gateway = service(&format!(
        "url: 'https://{silent}'\n  connect_timeout: 300\n  read_timeout: 60000\n  write_timeout: 60000\n  retries: 0"
    ));
    let started = Instant::now();
    is_timeout(&get(gateway.proxy, "/kept", &[JSON]));
    took(started, 1);
}

#[test]
fn an_upstream_that_stops_reading_is_given_up_after_the_write_timeout() {
    let stops = upstream(stops);
    let fields = "write_timeout: 300\n  read_timeout: 60000\n  connect_timeout: 60000";
    let gateway = service(&format!("url: 'http://{stops}'\n  {fields}\n  retries: 0"));
    for path in ["/kept", "/streamed"] {
        for method in ["POST", "PUT"] {
            let started = Instant::now();
            is_timeout(&send_much(&gateway, method, path));
            let taken = started.elapsed();
            assert!(taken >= PATIENCE && taken < Duration::from_secs(20), "{method} {path}: {taken:?}");
        }
    }
    // With nothing to write it is the other timeout that counts.
    let gateway =
        service(&format!("url: 'http://{stops}'\n  write_timeout: 60000\n  read_timeout: 300\n  retries: 0"));
    let started = Instant::now();
    is_timeout(&get(gateway.proxy, "/kept", &[JSON]));
    took(started, 1);
}

#[test]
fn a_target_that_times_out_is_counted_so_and_another_is_tried() {
    let full = Full::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = upstream(answers);
    for bad in [full.address, silent.local_addr().unwrap()] {
        let gateway = with_targets("connect_timeout: 300\n  read_timeout: 300\n  retries: 1", &[bad, good]);
        // Whichever comes first, the second request has met both.
        for _ in 0..2 {
            assert_eq!(get(gateway.proxy, "/kept", &[]).status, 200, "{bad}");
        }
        let health = get(gateway.admin, "/upstreams/u/health", &[]).json();
        let of = |target: SocketAddr| {
            let all = health["data"].as_array().unwrap();
            let one = all.iter().find(|one| one["target"] == target.to_string()).unwrap();
            one["health"].as_str().unwrap().to_owned()
        };
        assert_eq!((of(bad).as_str(), of(good).as_str()), ("UNHEALTHY", "HEALTHY"), "{health}");
    }
}

#[test]
fn a_timeout_counts_when_nothing_else_is_tried() {
    let full = Full::new();
    let stops = upstream(stops);
    let fields = "connect_timeout: 300\n  read_timeout: 300\n  write_timeout: 300\n  retries: 0";
    let refused = |gateway: &Gateway| {
        let answer = get(gateway.proxy, "/kept", &[JSON]);
        let told = answer.json()["message"].clone();
        assert_eq!(
            (answer.status, told.as_str()),
            (503, Some("failure to get a peer from the ring-balancer"))
        );
    };
    for bad in [full.address, stops] {
        let gateway = with_targets(fields, &[bad]);
        is_timeout(&get(gateway.proxy, "/kept", &[JSON]));
        refused(&gateway);
    }
    // What was begun to be sent is not sent again, however many tries are left.
    let gateway = with_targets("write_timeout: 300\n  read_timeout: 60000\n  retries: 5", &[stops]);
    is_timeout(&send_much(&gateway, "POST", "/streamed"));
    refused(&gateway);
}
