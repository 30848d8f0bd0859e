//! Tests that measure time, memory or losses under load. They run one at a time, see `.config/nextest.toml`.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::client::{Client, get};
use crate::harness::{Setup, marked_plugin};

/// Between two requests of one client: the load is to be constant, not to starve what is measured beside it.
const PAUSE: Duration = Duration::from_millis(8);

/// Clients that send one request after the other, each over a connection of its own.
struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// `judge` says what is wrong with an answer.
    fn start(
        proxy: SocketAddr,
        path: &'static str,
        clients: usize,
        judge: fn(&crate::client::Response) -> bool,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let threads = (0..clients)
            .map(|_| {
                let (stop, done) = (Arc::clone(&stop), Arc::clone(&done));
                std::thread::spawn(move || {
                    let mut failures = Vec::new();
                    let mut client = Client::connect(proxy);
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::sleep(PAUSE);
                        match client.get(path, &[]) {
                            Ok(answer) if judge(&answer) => {
                                done.fetch_add(1, Ordering::Relaxed);
                                if answer.header("connection").as_deref() == Some("close") {
                                    return failures;
                                }
                            }
                            Ok(answer) => failures.push(format!("{} {}", answer.status, answer.text())),
                            Err(error) => {
                                failures.push(error.to_string());
                                return failures;
                            }
                        }
                    }
                    failures
                })
            })
            .collect();
        Self { stop, done, threads }
    }

    /// Ends the load and gives the number of good answers, and what went wrong.
    fn finish(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let failures = self.threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        (self.done.load(Ordering::Relaxed), failures)
    }
}

#[test]
fn replacing_a_plugin_twenty_times_under_load_fails_no_request_and_takes_a_second_at_most() {
    let gateway = Setup::new().route("tagged", "one-header", "name: x-version").compiles().start();
    let load = Load::start(gateway.proxy, "/tagged", 32, |answer| {
        answer.status == 200 && answer.header("x-version").is_some_and(|v| v.starts_with("version-marker-"))
    });
    let mut slowest = Duration::ZERO;
    for number in 1..=20 {
        let bytes = marked_plugin(number);
        gateway.install("one-header.wasm", &bytes);
        let whole = Instant::now();
        let wanted = format!("version-marker-{number:04}");
        while get(gateway.proxy, "/tagged", &[]).header("x-version").unwrap() != wanted {
            assert!(whole.elapsed() < Duration::from_secs(10), "version {number} does not come");
            std::thread::sleep(Duration::from_millis(5));
        }
        slowest = slowest.max(whole.elapsed());
    }
    let (done, failures) = load.finish();
    println!("{done} requests, slowest replacement {slowest:?}");
    assert_eq!(failures, Vec::<String>::new());
    assert!(done > 1_000, "only {done} requests");
    assert!(slowest <= Duration::from_secs(1), "a new version took {slowest:?}");
    assert_eq!(gateway.plugin("one-header")["generation"], 21);
}

#[test]
fn a_plugin_that_loops_forever_stalls_nobody_else() {
    let gateway = Setup::new().route("bad", "probe", "mode: loop").plain_route("good").start();
    let load = Load::start(gateway.proxy, "/bad", 2, |answer| answer.status == 500);
    let mut client = Client::connect(gateway.proxy);
    let mut times: Vec<_> = (0..400)
        .map(|_| {
            let started = Instant::now();
            assert_eq!(client.get("/good", &[]).unwrap().status, 200);
            let taken = started.elapsed();
            std::thread::sleep(Duration::from_millis(2));
            taken
        })
        .collect();
    let (done, failures) = load.finish();
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    println!("p99 {p99:?} beside {done} requests to a looping plugin");
    assert_eq!(failures, Vec::<String>::new());
    assert!(done > 0);
    assert!(p99 < Duration::from_millis(20), "p99 is {p99:?}");
}

#[test]
fn a_gibibyte_streams_through_in_little_memory() {
    const SIZE: u64 = 1 << 30;
    let gateway = Setup::new().route("tagged", "one-header", "name: x-version").start();
    for _ in 0..20 {
        get(gateway.proxy, "/tagged", &[]);
    }
    let before = gateway.resident();
    let peak = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                peak.fetch_max(gateway.resident(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });

        let mut client = Client::connect(gateway.proxy);
        client.send(format!("GET /tagged?size={SIZE} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(client.receive_head().unwrap().status, 200);
        assert_eq!(client.count(SIZE).unwrap(), SIZE);

        let mut client = Client::connect(gateway.proxy);
        client
            .send(format!("POST /tagged HTTP/1.1\r\nhost: a\r\ncontent-length: {SIZE}\r\n\r\n").as_bytes())
            .unwrap();
        let chunk = vec![b'm'; 1 << 20];
        for _ in 0..SIZE >> 20 {
            client.stream().write_all(&chunk).unwrap();
        }
        assert_eq!(client.receive().unwrap().text(), format!("received {SIZE}"));
        done.store(true, Ordering::Relaxed);
    });
    let growth = peak.load(Ordering::Relaxed).saturating_sub(before);
    println!("grew by {} KiB", growth / 1024);
    assert!(growth < 16 << 20, "grew by {growth} bytes");
}

#[test]
fn sigterm_under_load_loses_no_request() {
    for _ in 0..3 {
        let mut gateway = Setup::new().route("tagged", "one-header", "name: x-version").start();
        let load = Load::start(gateway.proxy, "/tagged?sleep=5", 16, |answer| answer.status == 200);
        std::thread::sleep(Duration::from_millis(300));
        gateway.signal(Signal::SIGTERM);
        assert!(gateway.wait(Duration::from_secs(20)), "the gateway ended with an error");
        let (done, failures) = load.finish();
        assert_eq!(failures, Vec::<String>::new(), "after {done} requests");
        assert!(done > 16, "only {done} requests");
    }
}
