use super::*;

fn record(ip: &str) -> Record {
    Record { ip: ip.parse().unwrap(), port: None, weight: None, name: None }
}

fn a(ips: &[&str], ttl: u64) -> Option<Resolution> {
    let records = ips.iter().map(|ip| record(ip)).collect();
    Some(Resolution { kind: RecordType::A, records, ttl: Duration::from_secs(ttl) })
}

fn at(seconds: u64) -> Duration {
    NOW + Duration::from_secs(seconds)
}

#[test]
fn every_address_of_a_name_has_the_targets_weight() {
    let balancer = round_robin(&[("a.test:80", 10), ("10.0.0.9:80", 20)]);
    assert_eq!(picked(&balancer), "10.0.0.9:80");
    assert_eq!(balancer.names_due(NOW), [(0, "a.test".into())]);
    assert!(balancer.names_due(NOW).is_empty(), "somebody is on it");
    balancer.resolved(0, a(&["10.0.0.2", "10.0.0.1"], 60), NOW);
    assert_eq!(tally(&balancer, 8), tallied(&[("10.0.0.1:80", 2), ("10.0.0.2:80", 2), ("10.0.0.9:80", 4)]));
}

#[test]
fn nobody_is_picked_before_names_are_resolved_and_somebody_after() {
    let balancer = round_robin(&[("a.test:80", 10)]);
    assert!(balancer.is_pending());
    assert_eq!(balancer.pick(&request()).unwrap_err(), NoPeer::Pending);
    balancer.resolved(0, a(&["10.0.0.1"], 60), NOW);
    assert!(!balancer.is_pending());
    let pick = balancer.pick(&request()).unwrap();
    assert_eq!(
        (pick.authority().as_ref(), pick.host_header(80).to_str().unwrap()),
        ("10.0.0.1:80", "a.test")
    );
}

#[test]
fn a_name_is_resolved_again_when_its_records_expire_and_the_move_is_followed() {
    let balancer = round_robin(&[("a.test:80", 10)]);
    balancer.names_due(NOW);
    balancer.resolved(0, a(&["10.0.0.1"], 60), NOW);
    assert!(balancer.names_due(at(59)).is_empty());
    assert_eq!(balancer.names_due(at(60)).len(), 1);
    assert_eq!(picked(&balancer), "10.0.0.1:80", "the old address serves until there is another");
    balancer.resolved(0, a(&["10.0.0.2"], 0), at(61));
    assert_eq!(picked(&balancer), "10.0.0.2:80");
    assert!(balancer.names_due(at(61)).is_empty(), "not more often than every second");
    assert_eq!(balancer.names_due(at(62)).len(), 1);
}

#[test]
fn records_that_are_good_for_no_time_are_asked_for_by_each_request() {
    let balancer = round_robin(&[("10.0.0.9:80", 10), ("a.test:80", 10)]);
    balancer.resolved(1, a(&["10.0.0.1"], 60), NOW);
    assert!(!balancer.is_unsettled() && balancer.volatile_names().is_empty());
    balancer.resolved(1, a(&["10.0.0.1"], 0), NOW);
    assert!(balancer.is_unsettled() && !balancer.is_pending());
    assert_eq!(balancer.volatile_names(), [(1, "a.test".into())]);
    balancer.resolved(1, a(&["10.0.0.1"], 60), NOW);
    assert!(!balancer.is_unsettled());
}

#[test]
fn a_name_without_an_address_is_tried_again_after_half_a_minute() {
    let balancer = round_robin(&[("a.test:80", 10)]);
    balancer.names_due(NOW);
    balancer.resolved(0, None, NOW);
    assert_eq!(balancer.pick(&request()).unwrap_err(), NoPeer::Unavailable);
    assert_eq!(balancer.status().targets[0].health, HealthWord::DnsError);
    assert!(balancer.names_due(at(29)).is_empty());
    assert_eq!(balancer.names_due(at(30)).len(), 1);
    balancer.resolved(0, a(&["10.0.0.1"], 60), at(30));
    assert_eq!(picked(&balancer), "10.0.0.1:80");
}

#[test]
fn srv_records_bring_their_own_ports_weights_and_names() {
    let records = vec![
        Record { port: Some(81), weight: Some(3), name: Some("one.test".into()), ..record("10.0.0.1") },
        Record { port: Some(82), weight: Some(0), name: Some("two.test".into()), ..record("10.0.0.2") },
    ];
    let resolution = Some(Resolution { kind: RecordType::Srv, records, ttl: Duration::from_secs(5) });
    for (use_srv_name, host) in [(true, "two.test:82"), (false, "a.test:82")] {
        let settings = Settings { use_srv_name, ..Settings::default() };
        let balancer = balancer(settings, &[("a.test:80", 10)]);
        balancer.resolved(0, resolution.clone(), NOW);
        assert_eq!(tally(&balancer, 8), tallied(&[("10.0.0.1:81", 6), ("10.0.0.2:82", 2)]));
        let picks: Vec<_> = (0..4).map(|_| balancer.pick(&request()).unwrap()).collect();
        let second = picks.iter().find(|pick| pick.socket().port() == 82).unwrap();
        assert_eq!(second.host_header(80), host);
        assert_eq!(balancer.status().targets[0].dns, "SRV");
    }
    let without_weight = round_robin(&[("a.test:80", 0)]);
    without_weight.resolved(0, resolution, NOW);
    assert!(without_weight.pick(&request()).is_err());
}

#[test]
fn the_same_records_in_another_order_change_nothing() {
    let balancer = round_robin(&[("a.test:80", 10)]);
    balancer.resolved(0, a(&["10.0.0.1", "10.0.0.2"], 1), NOW);
    let before = balancer.view.load_full();
    balancer.resolved(0, a(&["10.0.0.2", "10.0.0.1"], 1), at(1));
    assert!(Arc::ptr_eq(&before, &balancer.view.load()));
}

#[test]
fn a_successor_resolves_what_the_other_was_about_to() {
    let old = round_robin(&[("a.test:80", 10)]);
    old.resolved(0, a(&["10.0.0.1"], 5), NOW);
    assert_eq!(old.names_due(at(6)).len(), 1);
    let new = round_robin(&[("a.test:80", 20)]);
    new.inherit(&old, at(6));
    assert_eq!(picked(&new), "10.0.0.1:80");
    assert_eq!(new.names_due(at(6)).len(), 1);
}

#[test]
fn only_names_and_active_checks_need_upkeep() {
    assert!(!round_robin(&[("10.0.0.1:80", 1), ("::1", 1)]).needs_upkeep());
    assert!(round_robin(&[("10.0.0.1:80", 1), ("a.test", 1)]).needs_upkeep());
    let probed = |healthy, unhealthy| {
        let mut settings = Settings::default();
        settings.checks.active.healthy_interval = Duration::from_secs(healthy);
        settings.checks.active.unhealthy_interval = Duration::from_secs(unhealthy);
        settings.checks.passive.limits.timeouts = 1;
        balancer(settings, &[("10.0.0.1:80", 1)]).needs_upkeep()
    };
    assert!(probed(1, 0) && probed(0, 1) && !probed(0, 0));
}

#[test]
fn a_successor_knows_the_names_that_were_resolved() {
    let old = round_robin(&[("a.test:80", 10), ("b.test:80", 10)]);
    old.names_due(NOW);
    old.resolved(0, a(&["10.0.0.1"], 60), NOW);
    let new = round_robin(&[("c.test:80", 10), ("a.test:81", 10), ("b.test:80", 10)]);
    new.inherit(&old, NOW);
    assert_eq!(picked(&new), "10.0.0.1:81");
    // The other's question about b.test will not be answered to this one.
    assert_eq!(new.names_due(NOW), [(0, "c.test".into()), (2, "b.test".into())]);
}
