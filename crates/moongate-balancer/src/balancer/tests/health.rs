use HealthWord::{DnsError, Healthy, Off, Unhealthy};

use super::*;

const A: &str = "127.0.0.1:19101";
const B: &str = "127.0.0.1:19102";

fn passive(limits: Limits) -> Settings {
    let mut checks = HealthChecks::default();
    checks.passive.limits = limits;
    Settings { checks, ..Settings::default() }
}

fn active() -> Settings {
    let mut checks = HealthChecks::default();
    checks.active.healthy_interval = Duration::from_secs(5);
    checks.active.unhealthy_interval = Duration::from_secs(2);
    checks.active.limits = Limits { successes: 2, http_failures: 2, tcp_failures: 1, timeouts: 2 };
    Settings { checks, ..Settings::default() }
}

/// Reports `outcome` for a request to `authority`.
fn report(balancer: &Balancer, authority: &str, outcome: Outcome) -> Option<HealthChange> {
    for _ in 0..10 {
        let pick = balancer.pick(&request()).unwrap();
        if pick.authority().as_ref() == authority {
            return balancer.report(&pick, outcome);
        }
    }
    panic!("{authority} is not picked");
}

fn healthy(balancer: &Balancer) -> Vec<HealthWord> {
    balancer.status().targets.iter().map(|target| target.health).collect()
}

#[test]
fn failures_of_the_listed_statuses_open_the_breaker() {
    let limits = Limits { successes: 1, http_failures: 3, ..Limits::default() };
    let balancer = balancer(passive(limits), &[(A, 100)]);
    for _ in 0..5 {
        assert_eq!(report(&balancer, A, Outcome::Status(502)), None);
    }
    for status in [500, 429] {
        assert_eq!(report(&balancer, A, Outcome::Status(status)), None);
    }
    let change = report(&balancer, A, Outcome::Status(503)).unwrap();
    assert!(!change.healthy && &*change.host == "127.0.0.1" && change.port == 19101);
    assert_eq!(balancer.pick(&request()).unwrap_err(), NoPeer::Unavailable);
    assert_eq!(healthy(&balancer), [Unhealthy]);
}

#[test]
fn only_the_bad_target_leaves() {
    let limits = Limits { tcp_failures: 1, ..Limits::default() };
    let balancer = balancer(passive(limits), &[(A, 100), (B, 100)]);
    report(&balancer, B, Outcome::Failed).unwrap();
    assert_eq!(tally(&balancer, 6), tallied(&[(A, 6)]));
    let status = balancer.status();
    assert_eq!(status.weight, Weights { total: 200, available: 100, unavailable: 100 });
    assert_eq!(status.balancer_health(), Healthy);
}

#[test]
fn timeouts_have_a_limit_of_their_own() {
    let limits = Limits { timeouts: 2, http_failures: 9, ..Limits::default() };
    let balancer = balancer(passive(limits), &[(A, 100)]);
    assert_eq!(report(&balancer, A, Outcome::TimedOut), None);
    assert!(report(&balancer, A, Outcome::TimedOut).is_some());
}

#[test]
fn a_request_that_was_under_way_closes_the_breaker_again() {
    let limits = Limits { successes: 2, tcp_failures: 1, ..Limits::default() };
    let balancer = balancer(passive(limits), &[(A, 100)]);
    let (one, other) = (balancer.pick(&request()).unwrap(), balancer.pick(&request()).unwrap());
    report(&balancer, A, Outcome::Failed).unwrap();
    assert_eq!(balancer.report(&one, Outcome::Status(200)), None);
    assert!(balancer.report(&other, Outcome::Status(404)).is_none(), "404 is no success");
    assert!(balancer.report(&other, Outcome::Status(201)).unwrap().healthy);
    assert!(balancer.pick(&request()).is_ok());
}

#[test]
fn an_operator_takes_targets_out_and_in() {
    let balancer = balancer(passive(Limits { http_failures: 3, ..Limits::default() }), &[(A, 100), (B, 100)]);
    balancer.set_health(A, None, false).unwrap();
    assert_eq!(healthy(&balancer), [Unhealthy, Healthy]);
    assert_eq!(tally(&balancer, 6), tallied(&[(B, 6)]));
    let ip = "127.0.0.1".parse().unwrap();
    assert_eq!(balancer.set_health(A, Some((ip, Some(1))), true), Err(SetHealthError::UnknownAddress));
    assert_eq!(healthy(&balancer), [Unhealthy, Healthy]);
    balancer.set_health(A, Some((ip, Some(19101))), true).unwrap();
    assert_eq!(tally(&balancer, 6), tallied(&[(A, 3), (B, 3)]));
    assert_eq!(balancer.set_health("zip.test:80", None, true), Err(SetHealthError::UnknownTarget));
}

#[test]
fn without_checks_everything_is_in_use() {
    let balancer = balancer(Settings::default(), &[(A, 100)]);
    assert_eq!(balancer.set_health(A, None, false), Err(SetHealthError::ChecksOff));
    for _ in 0..300 {
        assert_eq!(report(&balancer, A, Outcome::Failed), None);
    }
    assert_eq!(healthy(&balancer), [Off]);
    assert_eq!(balancer.status().health(), Off);
    assert_eq!(balancer.status().balancer_health(), Healthy);
}

#[test]
fn an_upstream_is_unhealthy_when_too_little_weight_is_left() {
    for (threshold, lost, available) in [
        (0.0, 3, true),
        (0.0, 4, false),
        (25.0, 2, true),
        (25.0, 3, false),
        (49.9, 2, true),
        (50.0, 2, false),
    ] {
        let mut settings = passive(Limits { tcp_failures: 1, ..Limits::default() });
        settings.checks.threshold = threshold;
        let targets = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"];
        let balancer = balancer(settings, &targets.map(|target| (target, 100)));
        for target in targets.iter().take(lost) {
            balancer.set_health(target, None, false).unwrap();
        }
        assert_eq!(balancer.pick(&request()).is_ok(), available, "{threshold} {lost}");
        assert_eq!(balancer.status().healthy, available);
    }
}

#[test]
fn probes_are_due_after_each_interval_and_one_at_a_time() {
    let balancer = balancer(active(), &[(A, 100), (B, 100), ("127.0.0.1:1", 0)]);
    let at = |seconds| NOW + Duration::from_secs(seconds);
    assert!(balancer.probes_due(at(0)).is_empty());
    assert!(balancer.probes_due(at(4)).is_empty());
    let probes = balancer.probes_due(at(5));
    assert_eq!(probes.iter().map(|probe| probe.socket.to_string()).collect::<Vec<_>>(), [A, B]);
    assert!(balancer.probes_due(at(10)).is_empty(), "both are under way");
    let change = balancer.probed(&probes[1], ProbeOutcome::Failed).unwrap();
    assert!(!change.healthy);
    assert_eq!(tally(&balancer, 4), tallied(&[(A, 4)]));
    drop(probes);

    // The unhealthy one has its own pace.
    let probes = balancer.probes_due(at(12));
    assert_eq!(probes.len(), 1);
    assert_eq!(balancer.probed(&probes[0], ProbeOutcome::Status(200)), None);
    drop(probes);
    let probes = balancer.probes_due(at(14));
    assert!(balancer.probed(&probes[0], ProbeOutcome::Status(302)).unwrap().healthy);
    assert_eq!(tally(&balancer, 4), tallied(&[(A, 2), (B, 2)]));
}

#[test]
fn a_probes_status_counts_only_when_it_is_listed() {
    let checks = active().checks.active;
    for (status, finding) in [
        (200, Some(Finding::Success)),
        (302, Some(Finding::Success)),
        (204, None),
        (404, Some(Finding::HttpFailure)),
        (505, Some(Finding::HttpFailure)),
        (400, None),
    ] {
        assert_eq!(ProbeOutcome::Status(status).finding(&checks), finding, "{status}");
    }
    assert_eq!(ProbeOutcome::Connected.finding(&checks), None);
    let tcp = crate::settings::ActiveChecks { kind: CheckType::Tcp, ..checks };
    assert_eq!(ProbeOutcome::Connected.finding(&tcp), Some(Finding::Success));
}

#[test]
fn health_outlives_a_change_of_targets() {
    let settings = passive(Limits { http_failures: 2, tcp_failures: 1, ..Limits::default() });
    let old = balancer(settings.clone(), &[(A, 100), (B, 100)]);
    report(&old, A, Outcome::Failed).unwrap();
    report(&old, B, Outcome::Status(500));
    let late = old.pick(&request()).unwrap();
    let new = balancer(settings, &[(A, 50), (B, 100), ("127.0.0.1:3", 100)]);
    new.inherit(&old, NOW);
    assert_eq!(healthy(&new), [Unhealthy, Healthy, Healthy]);
    // What the old balancer learns, the new one knows.
    assert!(old.report(&late, Outcome::Status(500)).is_some());
    assert_eq!(healthy(&new), [Unhealthy, Unhealthy, Healthy]);
    assert_eq!(tally(&new, 3), tallied(&[("127.0.0.1:3", 3)]));
}

#[test]
fn a_target_that_comes_back_within_five_minutes_is_what_it_was() {
    for (pause, expected) in [(299, Unhealthy), (301, Healthy)] {
        let settings = passive(Limits { tcp_failures: 1, ..Limits::default() });
        let successor = |old: &Balancer, targets: &[(&str, u32)], seconds: u64| {
            let new = balancer(settings.clone(), targets);
            new.inherit(old, NOW + Duration::from_secs(seconds));
            new
        };
        let first = balancer(settings.clone(), &[(A, 100), (B, 100)]);
        report(&first, A, Outcome::Failed).unwrap();
        let second = successor(&first, &[(B, 100)], 0);
        drop(first);
        // The next change notices that nobody has the address any more, a later one that the time is over.
        let third = successor(&second, &[(B, 99)], 0);
        let fourth = successor(&third, &[(B, 98)], pause);
        let fifth = successor(&fourth, &[(A, 100), (B, 100)], pause);
        assert_eq!(healthy(&fifth), [expected, Healthy], "{pause}");
    }
}

#[test]
fn switching_checks_off_makes_everything_healthy() {
    let settings = passive(Limits { tcp_failures: 1, ..Limits::default() });
    let on = balancer(settings.clone(), &[(A, 100)]);
    report(&on, A, Outcome::Failed).unwrap();
    let off = balancer(Settings::default(), &[(A, 100)]);
    off.inherit(&on, NOW);
    assert_eq!(picked(&off), A);
    let on_again = balancer(settings, &[(A, 100)]);
    on_again.inherit(&off, NOW);
    assert_eq!(picked(&on_again), A);
}

#[test]
fn a_status_is_shown_as_the_admin_api_does() {
    let limits = Limits { http_failures: 2, ..Limits::default() };
    let balancer = balancer(passive(limits), &[(A, 100), ("a.test", 5)]);
    balancer.set_health(A, None, false).unwrap();
    let status = balancer.status();
    assert_eq!(healthy(&balancer), [Unhealthy, DnsError]);
    assert_eq!(
        serde_json::to_value(&status.targets[0]).unwrap(),
        serde_json::json!({
            "addresses": [{"health": "UNHEALTHY", "ip": "127.0.0.1", "port": 19101, "weight": 100}],
            "dns": "A",
            "host": "127.0.0.1",
            "nodeWeight": 100,
            "port": 19101,
            "weight": {"available": 0, "total": 100, "unavailable": 100}
        })
    );
}
