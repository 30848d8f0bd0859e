//! A gateway with many entities. Runs alone, see `.config/nextest.toml`.
//!
//! What is promised is promised of a release build: a change is live within 50 ms, and while changes are made, requests
//! are not slower than twice what they are without. A debug build computes many times as long, so its bounds are wider;
//! they still fail if a change costs more than in proportion to what there is.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::{Client, get};
use crate::harness::{Gateway, Setup};

const COUNT: usize = 5_000;

#[cfg(not(debug_assertions))]
const BOUNDS: Bounds =
    Bounds { writes: 1_000, live: Duration::from_millis(50), times: 2, least: Duration::from_millis(5) };
#[cfg(debug_assertions)]
const BOUNDS: Bounds =
    Bounds { writes: 20, live: Duration::from_secs(3), times: 4, least: Duration::from_millis(100) };

/// What the test asks for.
struct Bounds {
    /// Changes during which requests are measured.
    writes: usize,
    /// A change takes no longer, in the median.
    live: Duration,
    /// Requests during changes take at most so many times as long as others, at the 99th percentile ...
    times: u32,
    /// ... or this long: below, what is measured is the machine.
    least: Duration,
}

#[test]
fn among_five_thousand_services_routes_and_plugins_a_change_is_soon_live_and_slows_no_request_down() {
    let gateway = Setup::new().declarative(&many()).property("database: sqlite").import().start();
    let (stop, quiet) = (AtomicBool::new(false), measured(&gateway, &AtomicBool::new(false), 1_000));
    let mut live = Vec::new();
    let busy = std::thread::scope(|scope| {
        let requests = scope.spawn(|| measured(&gateway, &stop, usize::MAX));
        for number in 0..BOUNDS.writes {
            let path = format!("/changed-{number}");
            let started = Instant::now();
            let route = format!("/routes/r{}", number * 7 % COUNT);
            let answer = gateway.ask("PATCH", &route, &json!({"paths": [path]}));
            assert_eq!(answer.status, 200, "{}", answer.text());
            // It is live when it is answered.
            assert_eq!(get(gateway.proxy, &path, &[]).status, 200);
            live.push(started.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        requests.join().unwrap()
    });
    live.sort();
    let (live, quiet, busy) = (live[live.len() / 2], p99(quiet), p99(busy));
    println!(
        "a change is live after {live:?}; p99 of requests {quiet:?} without changes, {busy:?} during them"
    );
    assert!(live <= BOUNDS.live, "a change takes {live:?}");
    let bound = (quiet * BOUNDS.times).max(BOUNDS.least);
    assert!(busy <= bound, "requests take {busy:?} during changes, {quiet:?} otherwise");
}

/// So many services, each with a route, each with a plugin of its own configuration.
fn many() -> String {
    let mut yaml =
        "_format_version: '3.0'\nservices:\n- {name: fixed, url: UPSTREAM, routes: [{name: fixed, paths: \
                    [/fixed]}]}\n"
            .to_owned();
    for number in 0..COUNT {
        writeln!(
            yaml,
            "- {{name: s{number}, url: UPSTREAM, routes: [{{name: r{number}, paths: [/path/{number}], plugins: \
             [{{name: one-header, config: {{name: x-{number}}}}}]}}]}}"
        )
        .unwrap();
    }
    yaml
}

/// Sends requests one after the other, until told to stop or enough are sent. How long they took.
fn measured(gateway: &Gateway, stop: &AtomicBool, count: usize) -> Vec<Duration> {
    let mut client = Client::connect(gateway.proxy);
    let mut times = Vec::new();
    while !stop.load(Ordering::Relaxed) && times.len() < count {
        let started = Instant::now();
        assert_eq!(client.get("/fixed", &[]).unwrap().status, 200);
        times.push(started.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    times
}

fn p99(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}
