//! Snapshots that are replaced while they are in use.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use moongate_model::{Entities, Route};
use nix::time::{ClockId, clock_gettime};
use uuid::Uuid;

use super::*;
use crate::balanced::declared;
use crate::dns::{Dns, ResolverOptions};
use crate::idle_plugins::IdlePlugins;
use crate::tls::{TlsClients, UpstreamTlsOptions};
use crate::{Flavour, ListenAddress, Proxy};

const ROUTES: u128 = 5000;

/// Building as many snapshots takes minutes where nothing is optimised.
const SWAPS: usize = if cfg!(debug_assertions) { 100 } else { 1000 };

/// One in so many takeovers may take longer than [`LONGEST`]: the clock also counts what the system does meanwhile, most of all
/// where tests run beside each other and nothing is optimised.
const RARELY: u64 = if cfg!(debug_assertions) { 10 } else { 100 };

/// The longest time that a worker may be busy with a new snapshot.
const LONGEST: Duration = Duration::from_millis(2);

/// A service with many routes.
fn entities(port: u16) -> Arc<Entities> {
    let text = format!(
        "{{_format_version: '3.0', services: [{{name: s, host: 127.0.0.1, port: {port}, \
         routes: [{{name: r, paths: [/]}}]}}]}}"
    );
    let one = declared(&text);
    let route = one.routes.iter().next().unwrap();
    let routes: Vec<Route> = (0..ROUTES)
        .map(|number| Route {
            id: Uuid::from_u128(number + 1),
            name: Some(format!("r{number}")),
            paths: Some(vec![format!("/part-{number}/of/everything")]),
            ..route.clone()
        })
        .collect();
    Arc::new(Entities { routes: routes.into(), ..one })
}

/// A snapshot of entities that are equal but were read anew, so that it shares little with the one before.
fn next(before: &Snapshot<IdlePlugins>, entities: &Entities) -> Snapshot<IdlePlugins> {
    let routes: Vec<Route> = entities.routes.iter().cloned().collect();
    let entities = Arc::new(Entities { routes: routes.into(), ..entities.clone() });
    Snapshot::build_after(Some(before), Flavour::default(), entities, &IdlePlugins::default()).unwrap()
}

/// CPU time of this thread: others may keep it from running for much longer.
fn busy() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// How often workers took over a snapshot, and how often it kept one busy for longer than [`LONGEST`].
static TAKEOVERS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// A worker takes over a snapshot, until this is dropped.
pub(super) struct Takeover(Duration);

impl Takeover {
    pub(super) fn begin() -> Self {
        Self(busy())
    }
}

impl Drop for Takeover {
    fn drop(&mut self) {
        let [all, long] = &TAKEOVERS;
        all.fetch_add(1, Ordering::Relaxed);
        long.fetch_add(u64::from(busy() - self.0 >= LONGEST), Ordering::Relaxed);
    }
}

#[test]
fn a_worker_takes_over_a_snapshot_at_once_and_the_old_one_goes() {
    let entities = entities(1);
    let (published, old) =
        Published::new(Snapshot::build(Arc::clone(&entities), &IdlePlugins::default()).unwrap());
    let published = Arc::new(published);
    let (dns, _questions) = Dns::new(ResolverOptions { hosts_file: None, ..ResolverOptions::default() });
    let shared = Arc::new(Shared::new(dns, TlsClients::new(UpstreamTlsOptions::default())));
    let options = Arc::new(ProxyOptions::default());
    let worker = Worker::new(
        0,
        Arc::default(),
        options,
        Arc::clone(&published),
        Arc::default(),
        shared,
        &AccessLogs::default(),
    );
    let mut before = Vec::new();
    for _ in 0..SWAPS {
        let current = published.load().1;
        before.push(Arc::downgrade(&current));
        published.publish(next(&current, &entities));
        drop(current);
        let started = busy();
        drop(worker.snapshot());
        let taken = busy() - started;
        assert!(taken < LONGEST, "{taken:?}");
        old.try_iter().for_each(drop);
        assert!(before.iter().all(|snapshot| snapshot.upgrade().is_none()));
    }
}

/// Answers everything on a port of its own.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut seen, mut part) = (Vec::new(), [0; 4096]);
                while let Ok(read @ 1..) = stream.read(&mut part) {
                    seen.extend_from_slice(&part[..read]);
                    if seen.ends_with(b"\r\n\r\n") {
                        seen.clear();
                        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    port
}

/// Sends one request after the other over one connection until it is told to stop, and counts those that succeeded.
fn load(address: SocketAddr, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut count = 0;
        while !stop.load(Ordering::Relaxed) {
            let path = format!("/part-{}/of/everything", u128::from(count) * 7 % ROUTES);
            write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            let (mut seen, mut part) = (Vec::new(), [0; 4096]);
            while !seen.ends_with(b"\r\n\r\nok") {
                let read = stream.read(&mut part).unwrap();
                assert_ne!(read, 0, "{}", String::from_utf8_lossy(&seen));
                seen.extend_from_slice(&part[..read]);
                assert!(seen.len() < 4096, "{}", String::from_utf8_lossy(&seen));
            }
            assert!(seen.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&seen));
            count += 1;
        }
        count
    })
}

/// Memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn no_request_fails_and_memory_does_not_grow_while_snapshots_are_replaced() {
    let entities = entities(upstream());
    let options = ProxyOptions {
        listen: vec![ListenAddress::new("127.0.0.1:0".parse().unwrap())],
        workers: 2,
        ..ProxyOptions::default()
    };
    let first = Snapshot::build(Arc::clone(&entities), &IdlePlugins::default()).unwrap();
    let proxy = Proxy::start(options, Arc::default(), first).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let loads: Vec<_> = (0..4).map(|_| load(proxy.addresses()[0], &stop)).collect();
    std::thread::sleep(Duration::from_millis(100));
    let mut settled = 0;
    for swap in 0..SWAPS {
        let next = next(&proxy.snapshot(), &entities);
        proxy.publish(next);
        if swap == SWAPS / 4 {
            settled = resident();
        }
    }
    // Less than a handful of snapshots; keeping all of them would take much more.
    let grown = resident().saturating_sub(settled);
    stop.store(true, Ordering::Relaxed);
    let counts: Vec<u64> = loads.into_iter().map(|load| load.join().unwrap()).collect();
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    proxy.shutdown(Duration::from_secs(5));
    assert!(grown < 64 * 1024, "{grown} KiB more");
    // Measured in the workers, in the middle of requests. The system bills an interrupt to whoever it meets.
    let [all, long] = TAKEOVERS.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(all > SWAPS as u64 / 2 && long <= all / RARELY, "{long} of {all} took longer than {LONGEST:?}");
}
