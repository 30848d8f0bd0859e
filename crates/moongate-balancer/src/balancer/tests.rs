use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::names::{Record, RecordType};
use crate::settings::{CheckType, HealthChecks, Limits};

mod health;
mod names;
mod properties;

const NOW: Duration = Duration::from_secs(1_000);

fn balancer(settings: Settings, targets: &[(&str, u32)]) -> Balancer {
    let targets = targets.iter().map(|(text, weight)| Target::parse(text, *weight)).collect();
    Balancer::new(settings, targets, 7)
}

fn with(algorithm: Algorithm) -> Settings {
    Settings { algorithm, ..Settings::default() }
}

fn round_robin(targets: &[(&str, u32)]) -> Balancer {
    balancer(Settings::default(), targets)
}

/// A request with nothing to hash, that was not tried yet.
fn request() -> Request<'static> {
    Request { hash: None, tried: &[], now: NOW, random: 0 }
}

fn picked(balancer: &Balancer) -> String {
    balancer.pick(&request()).unwrap().authority().to_string()
}

fn tally(balancer: &Balancer, requests: usize) -> HashMap<String, usize> {
    let mut tally = HashMap::new();
    for _ in 0..requests {
        *tally.entry(picked(balancer)).or_default() += 1;
    }
    tally
}

fn tallied(entries: &[(&str, usize)]) -> HashMap<String, usize> {
    entries.iter().map(|(authority, count)| ((*authority).to_owned(), *count)).collect()
}

#[test]
fn turns_are_exact_in_proportion_to_weights() {
    let (a, b) = ("127.0.0.1:19101", "127.0.0.1:19102");
    for (weights, requests, counts) in
        [([100, 100], 10, [5, 5]), ([25, 75], 16, [4, 12]), ([1, 2], 12, [4, 8]), ([1000, 250], 20, [16, 4])]
    {
        let balancer = round_robin(&[(a, weights[0]), (b, weights[1])]);
        assert_eq!(tally(&balancer, requests), tallied(&[(a, counts[0]), (b, counts[1])]));
    }
}

#[test]
fn without_weight_there_is_nobody_to_pick() {
    for algorithm in
        [Algorithm::RoundRobin, Algorithm::ConsistentHashing, Algorithm::LeastConnections, Algorithm::Latency]
    {
        let none = balancer(with(algorithm), &[("127.0.0.1:1", 0), ("127.0.0.1:2", 0)]);
        assert_eq!(none.pick(&request()).unwrap_err(), NoPeer::Unavailable);
        let none = balancer(with(algorithm), &[]);
        assert_eq!(none.pick(&request()).unwrap_err(), NoPeer::Unavailable);
    }
}

#[test]
fn workers_share_their_turns() {
    let balancer = round_robin(&[("10.0.0.1:1", 1), ("10.0.0.2:1", 3)]);
    let counted: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..1000).filter(|_| picked(&balancer) == "10.0.0.1:1").count()))
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(counted, 1000);
}

#[test]
fn a_retry_takes_the_next_place_on_the_wheel() {
    let balancer = round_robin(&[("10.0.0.1:1", 1), ("10.0.0.2:1", 1)]);
    let first = balancer.pick(&request()).unwrap();
    let tried = [first.id()];
    let second = balancer.pick(&Request { tried: &tried, ..request() }).unwrap();
    assert_ne!(first.id(), second.id());
    let only = round_robin(&[("10.0.0.1:1", 1)]);
    let first = only.pick(&request()).unwrap();
    assert_eq!(only.pick(&Request { tried: &[first.id()], ..request() }).unwrap().id(), first.id());
}

#[test]
fn other_algorithms_avoid_what_was_tried_while_there_are_others() {
    for algorithm in [Algorithm::ConsistentHashing, Algorithm::LeastConnections, Algorithm::Latency] {
        let balancer = balancer(with(algorithm), &[("10.0.0.1:1", 1), ("10.0.0.2:1", 1), ("10.0.0.3:1", 1)]);
        let mut tried = Vec::new();
        for _ in 0..3 {
            let pick = balancer.pick(&Request { tried: &tried, random: 5, ..request() }).unwrap();
            assert!(!tried.contains(&pick.id()), "{algorithm:?}");
            tried.push(pick.id());
        }
        assert!(balancer.pick(&Request { tried: &tried, ..request() }).is_ok());
    }
}

#[test]
fn a_hash_belongs_to_one_address() {
    let targets = [("10.0.0.1:1", 1), ("10.0.0.2:1", 1), ("10.0.0.3:1", 1)];
    let mut shuffled = targets;
    shuffled.rotate_left(1);
    let one = balancer(with(Algorithm::ConsistentHashing), &targets);
    let other = balancer(with(Algorithm::ConsistentHashing), &shuffled);
    let mut used = HashMap::<String, u32>::new();
    for value in 0..300_u32 {
        let hash = Some(crate::hash(&value.to_le_bytes()));
        let pick = |balancer: &Balancer| {
            balancer.pick(&Request { hash, ..request() }).unwrap().authority().to_string()
        };
        let authority = pick(&one);
        assert_eq!(authority, pick(&one));
        assert_eq!(authority, pick(&other), "the order of targets matters");
        *used.entry(authority).or_default() += 1;
    }
    assert!(used.len() == 3 && used.values().all(|count| *count > 50), "{used:?}");
}

#[test]
fn the_address_with_the_fewest_requests_for_its_weight_is_picked() {
    let balancer = balancer(with(Algorithm::LeastConnections), &[("10.0.0.1:1", 100), ("10.0.0.2:1", 200)]);
    let mut under_way: Vec<Pick> = (0..9).map(|_| balancer.pick(&request()).unwrap()).collect();
    let count =
        |picks: &[Pick], ip: &str| picks.iter().filter(|pick| pick.socket().ip().to_string() == ip).count();
    assert_eq!((count(&under_way, "10.0.0.1"), count(&under_way, "10.0.0.2")), (3, 6));

    under_way.retain(|pick| pick.socket().ip().to_string() != "10.0.0.2");
    for _ in 0..4 {
        under_way.push(balancer.pick(&request()).unwrap());
    }
    assert_eq!((count(&under_way, "10.0.0.1"), count(&under_way, "10.0.0.2")), (3, 4));
}

#[test]
fn idle_addresses_of_equal_weight_take_turns() {
    let balancer = balancer(with(Algorithm::LeastConnections), &[("10.0.0.1:1", 5), ("10.0.0.2:1", 5)]);
    assert_eq!(tally(&balancer, 10), tallied(&[("10.0.0.1:1", 5), ("10.0.0.2:1", 5)]));
}

#[test]
fn the_faster_of_two_is_picked() {
    let balancer = balancer(with(Algorithm::Latency), &[("10.0.0.1:1", 1), ("10.0.0.2:1", 1)]);
    let mut known = HashMap::new();
    for random in 0..100 {
        let pick = balancer.pick(&Request { random, ..request() }).unwrap();
        let slow = pick.socket().ip().to_string() == "10.0.0.1";
        pick.took(Duration::from_millis(if slow { 90 } else { 3 }), NOW);
        known.insert(pick.socket(), ());
    }
    assert_eq!(known.len(), 2, "both are tried");
    for random in 0..100 {
        let pick = balancer.pick(&Request { random: random << 32 | random, ..request() }).unwrap();
        assert_eq!(pick.authority().as_ref(), "10.0.0.2:1");
    }
    // What was slow long ago is tried again.
    let later = NOW + Duration::from_secs(600);
    balancer.pick(&request()).unwrap().took(Duration::from_millis(3), later);
    let pick = balancer.pick(&Request { now: later, ..request() }).unwrap();
    assert_eq!(pick.authority().as_ref(), "10.0.0.1:1");
}

#[test]
fn a_new_address_begins_with_the_average_latency() {
    let old = balancer(with(Algorithm::Latency), &[("10.0.0.1:1", 1), ("10.0.0.2:1", 1)]);
    let first = old.pick(&request()).unwrap();
    let second = old.pick(&Request { tried: &[first.id()], ..request() }).unwrap();
    first.took(Duration::from_millis(10), NOW);
    second.took(Duration::from_millis(30), NOW);
    let new = balancer(with(Algorithm::Latency), &[("10.0.0.1:1", 1), ("10.0.0.2:1", 1), ("10.0.0.3:1", 1)]);
    new.inherit(&old, NOW);
    let mut all = Vec::new();
    let mut tried = Vec::new();
    for _ in 0..3 {
        let pick = new.pick(&Request { tried: &tried, ..request() }).unwrap();
        tried.push(pick.id());
        all.push(pick);
    }
    let third = all.iter().find(|pick| pick.authority().as_ref() == "10.0.0.3:1").unwrap();
    assert!((third.address.state.latency.at(NOW) - 0.020).abs() < 1e-9);
}

#[test]
fn a_successor_goes_on_where_the_other_balancer_was() {
    let targets = [("10.0.0.1:1", 1), ("10.0.0.2:1", 1), ("10.0.0.3:1", 1)];
    let old = round_robin(&targets);
    let first = picked(&old);
    let new = round_robin(&targets);
    new.inherit(&old, NOW);
    let mut picks = vec![first, picked(&new), picked(&new)];
    picks.sort();
    assert_eq!(picks, ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"]);

    let least = || balancer(with(Algorithm::LeastConnections), &targets[..2]);
    let (old, new) = (least(), least());
    let under_way = old.pick(&request()).unwrap();
    new.inherit(&old, NOW);
    for _ in 0..4 {
        assert_ne!(new.pick(&request()).unwrap().id(), under_way.id());
    }
}

#[test]
fn the_host_header_is_the_targets_name_with_its_port_unless_that_is_the_protocols_own() {
    let pick = round_robin(&[("127.0.0.1:19101", 1)]).pick(&request()).unwrap();
    assert_eq!(pick.host_header(80), "127.0.0.1:19101");
    assert_eq!(pick.host_header(19101), "127.0.0.1");
    let settings = Settings { host_header: Some("inner.test:8443".to_owned()), ..Settings::default() };
    let pick = balancer(settings, &[("127.0.0.1:19101", 1)]).pick(&request()).unwrap();
    assert_eq!(pick.host_header(80), "inner.test:8443:19101");
    let pick = round_robin(&[("::1", 1)]).pick(&request()).unwrap();
    assert_eq!(pick.host_header(80), "[::1]:8000");
}
