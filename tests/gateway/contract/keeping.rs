//! What a plugin keeps, measures and finds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::obedient;
use crate::client::{Response, get};
use crate::harness::Gateway;

/// A gateway with the route `/own` of the service `own`.
fn gateway() -> Gateway {
    let gateway = obedient();
    gateway.write("POST", "/services", json!({"name": "own", "url": gateway.upstream_url()}));
    gateway.write("POST", "/services/own/routes", json!({"name": "r", "paths": ["/own"]}));
    gateway
}

fn ask(gateway: &Gateway, headers: &[(&str, &str)]) -> Response {
    let answer = get(gateway.proxy, "/own", headers);
    assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    answer
}

#[test]
fn a_value_is_added_once_until_it_is_removed_or_its_time_is_over() {
    let gateway = gateway();
    let add = |value: &str, more: &[(&str, &str)]| {
        let headers = [&[("x-add", "k"), ("x-value", value), ("x-get", "k")], more].concat();
        let answer = ask(&gateway, &headers);
        (answer.header("x-added").unwrap(), answer.header("x-kept").unwrap())
    };
    let told = |added: bool, kept: &str| (added.to_string(), kept.to_owned());
    assert_eq!(add("one", &[]), told(true, "one"));
    assert_eq!(add("two", &[]), told(false, "one"), "what is there stays");
    assert_eq!(ask(&gateway, &[("x-delete", "k"), ("x-get", "k")]).header("x-kept").unwrap(), "nothing");
    assert_eq!(
        ask(&gateway, &[("x-delete", "k")]).header("x-kept"),
        None,
        "what is not there can be removed"
    );
    assert_eq!(add("three", &[("x-ttl", "300")]), told(true, "three"));
    let began = Instant::now();
    loop {
        match add("four", &[]) {
            (added, kept) if added == "true" => {
                assert_eq!(kept, "four");
                break;
            }
            (_, kept) => assert_eq!(kept, "three"),
        }
        assert!(began.elapsed() < Duration::from_secs(10), "its time is never over");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Removed and added within one call, it is the new one.
    assert_eq!(add("five", &[("x-delete", "k")]), told(true, "five"));
}

#[test]
fn a_gauge_is_what_it_was_set_to_and_rises_and_falls_from_there() {
    let gateway = gateway();
    let level = || {
        let text = get(gateway.status, "/metrics", &[]).text();
        assert!(text.contains("# TYPE obedient_level gauge\n"), "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix("obedient_level{of=\"requests\"} "));
        line.map(|value| value.parse::<f64>().unwrap())
    };
    for (headers, expected) in [
        ([("x-level", "5")], 5.0),
        ([("x-level", "2.5")], 2.5),
        ([("x-rise", "1.5")], 4.0),
        ([("x-rise", "-6")], -2.0),
        ([("x-level", "0")], 0.0),
    ] {
        ask(&gateway, &headers);
        assert_eq!(level(), Some(expected), "{headers:?}");
    }
}

#[test]
fn a_plugin_finds_its_entities_that_refer_to_another() {
    let gateway = gateway();
    for name in ["ann", "ben"] {
        gateway.write("POST", "/consumers", json!({"username": name}));
    }
    for (title, consumer) in [("wash", "ann"), ("cook", "ann"), ("sing", "ben")] {
        gateway.write("POST", &format!("/consumers/{consumer}/obedient-tasks"), json!({"title": title}));
    }
    gateway.write("POST", "/obedient-tasks", json!({"title": "rest"}));
    let tasks = |consumer: &str, field: &str| {
        ask(&gateway, &[("x-as", consumer), ("x-referring", field)]).header("x-tasks").unwrap()
    };
    assert_eq!(tasks("ann", "consumer"), "cook,wash");
    assert_eq!(tasks("ben", "consumer"), "sing");
    assert_eq!(tasks("nobody", "consumer"), "", "no consumer, no tasks");
    assert_eq!(tasks("ann", "title"), "unknown field");
    assert_eq!(gateway.ask("DELETE", "/obedient-tasks/wash", &Value::Null).status, 204);
    assert_eq!(tasks("ann", "consumer"), "cook");
}

#[test]
fn a_plugin_sees_what_is_set_of_the_entities_that_a_request_met() {
    let gateway = gateway();
    gateway.write("POST", "/consumers", json!({"username": "ann", "custom_id": "a-1", "tags": ["t"]}));
    let met = |headers: &[(&str, &str)]| {
        let answer = ask(&gateway, headers);
        ["route", "service", "consumer"].map(|which| {
            let text = answer.header(&format!("x-met-{which}")).unwrap();
            serde_json::from_str::<Value>(&text).unwrap_or(Value::Null)
        })
    };
    let shown = |path: &str| {
        let mut shown = get(gateway.admin, path, &[]).json();
        shown.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        shown
    };
    let [route, service, consumer] = met(&[("x-meet", "all"), ("x-as", "ann")]);
    assert_eq!(route, shown("/routes/r"));
    assert_eq!(service, shown("/services/own"));
    assert_eq!(consumer, shown("/consumers/ann"));
    // Nobody was found out, and a route may have no service.
    gateway.write("POST", "/routes", json!({"name": "alone", "paths": ["/alone"]}));
    let answer = get(gateway.proxy, "/alone", &[("x-meet", "all")]);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("x-met-service").as_deref(), Some(""));
    assert_eq!(answer.header("x-met-consumer").as_deref(), Some(""));
    assert!(answer.header("x-met-route").unwrap().contains("\"alone\""));
}
