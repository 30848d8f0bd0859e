//! Log records on their way to a server that is slow, or fails.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::Value;

use crate::client::get;
use crate::contract::server::{Server, receive};
use crate::harness::{Gateway, Setup};

/// A gateway with the route `/logged`, whose records go to a server.
fn gateway(server: &Server, queue: &str) -> Gateway {
    let config = format!("{{http_endpoint: 'http://{}/records', queue: {queue}}}", server.address);
    Setup::new().bundled("http-log").route("logged", "http-log", &config).start()
}

fn log(gateway: &Gateway, number: usize) {
    assert_eq!(get(gateway.proxy, &format!("/logged?n={number}"), &[]).status, 200);
}

/// Which requests a body has records of, in order.
fn requests(body: &str) -> Vec<String> {
    let records: Value = serde_json::from_str(body).unwrap();
    let records = records.as_array().cloned().unwrap_or_else(|| vec![records]);
    let number = |record: &Value| record["request"]["querystring"]["n"].as_str().unwrap().to_owned();
    records.iter().map(number).collect()
}

fn answer(mut stream: &TcpStream, status: u16) {
    write!(stream, "HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n").unwrap();
}

/// What comes next, within a while.
fn next<T>(bodies: &Receiver<T>) -> T {
    bodies.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn assert_nothing_comes<T: std::fmt::Debug>(bodies: &Receiver<T>) {
    match bodies.recv_timeout(Duration::from_millis(500)) {
        Err(RecvTimeoutError::Timeout) => {}
        other => panic!("{other:?}"),
    }
}

/// Records that wait and records that were dropped, as the Admin API and `/metrics` say alike.
fn counts(gateway: &Gateway) -> (u64, u64) {
    let figures = &gateway.plugin("http-log")["statistics"];
    let metrics = get(gateway.status, "/metrics", &[]).text();
    let dropped = figures["dropped"].as_u64().unwrap();
    let line = format!("moongate_plugin_log_dropped_total{{plugin=\"http-log\"}} {dropped}\n");
    assert!(metrics.contains(&line), "{line} is not in {metrics}");
    (figures["queued"].as_u64().unwrap(), dropped)
}

#[test]
fn a_batch_that_a_server_refuses_is_sent_again_until_it_is_taken() {
    let (sender, bodies) = mpsc::channel();
    let (sender, refusals) = (Mutex::new(sender), Mutex::new(2));
    let server = Server::start(move |stream, _| {
        let mut reader = BufReader::new(&stream);
        while let Some((_, body)) = receive(&mut reader) {
            let mut refusals = refusals.lock();
            let refuses = *refusals > 0;
            *refusals -= i32::from(refuses);
            sender.lock().send((refuses, body)).unwrap();
            answer(&stream, if refuses { 500 } else { 200 });
        }
    });
    let queue =
        "{max_batch_size: 2, max_coalescing_delay: 0.2, initial_retry_delay: 0.3, max_retry_delay: 0.4}";
    let gateway = gateway(&server, queue);
    for number in 1..=3 {
        log(&gateway, number);
    }
    let began = Instant::now();
    let tries: Vec<_> = (0..3).map(|_| next(&bodies)).collect();
    // 300 ms, and then 400 rather than twice as many.
    assert!(began.elapsed() >= Duration::from_millis(650), "{:?}", began.elapsed());
    assert_eq!(tries.iter().map(|(refuses, _)| *refuses).collect::<Vec<_>>(), [true, true, false]);
    for (_, body) in &tries {
        assert_eq!(requests(body), ["1", "2"]);
    }
    // What came meanwhile waits its turn.
    assert_eq!(requests(&next(&bodies).1), ["3"]);
    assert_nothing_comes(&bodies);
    assert_eq!(counts(&gateway), (0, 0));
    assert!(!gateway.stop().contains("records dropped"));
}

#[test]
fn a_batch_that_nobody_takes_is_given_up_after_its_time_and_counted() {
    let (sender, bodies) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = Server::start(move |stream, _| {
        let mut reader = BufReader::new(&stream);
        while let Some((_, body)) = receive(&mut reader) {
            sender.lock().send(body).unwrap();
            answer(&stream, 503);
        }
    });
    let queue =
        "{max_retry_time: 0.5, initial_retry_delay: 0.2, max_retry_delay: 0.2, max_coalescing_delay: 0}";
    let gateway = gateway(&server, queue);
    log(&gateway, 1);
    gateway.wait_for_plugin("http-log", |status| status["statistics"]["dropped"] == 1);
    let tries = bodies.try_iter().count();
    assert!((2..=4).contains(&tries), "{tries}");
    assert_eq!(counts(&gateway), (0, 1));
    gateway.wait_for_log("status code 503");
}

#[test]
fn the_oldest_records_give_way_when_the_queue_is_full_and_are_counted() {
    let (sender, bodies) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let (sender, may_go_on) = (Mutex::new(sender), Mutex::new(may_go_on));
    let server = Server::start(move |stream, _| {
        let mut reader = BufReader::new(&stream);
        while let Some((_, body)) = receive(&mut reader) {
            sender.lock().send(body).unwrap();
            // Until the test has seen what it wants to see.
            let _ = may_go_on.lock().recv_timeout(Duration::from_secs(8));
            answer(&stream, 200);
        }
    });
    let gateway = gateway(&server, "{max_entries: 2, max_coalescing_delay: 0, concurrency_limit: 1}");
    log(&gateway, 1);
    assert_eq!(requests(&next(&bodies)), ["1"]);
    // The first is on its way; of the others the queue holds two.
    for number in 2..=5 {
        log(&gateway, number);
    }
    gateway.wait_for_plugin("http-log", |status| status["statistics"]["dropped"] == 2);
    assert_eq!(counts(&gateway), (2, 2));
    gateway.wait_for_log("the log queue is full, the oldest records are dropped");
    drop(go_on);
    assert_eq!(requests(&next(&bodies)), ["4"]);
    assert_eq!(requests(&next(&bodies)), ["5"]);
    assert_nothing_comes(&bodies);
    assert_eq!(counts(&gateway), (0, 2));
}
