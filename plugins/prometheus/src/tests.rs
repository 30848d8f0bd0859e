//! What is measured.

use moongate_sdk::export::configure;
use moongate_sdk::testing::Gateway;
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> Prometheus {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn record() -> Value {
    json!({
        "request": {"size": "120", "method": "GET"}, "response": {"status": 404, "size": 900},
        "latencies": {"kong": 3, "proxy": 21.5, "request": 25, "receive": 0},
        "service": {"id": "1", "name": "svc", "host": "h"}, "route": {"id": "2", "name": "r"},
        "consumer": {"username": "ann"}, "source": "upstream",
    })
}

fn measured(gateway: &Gateway, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    gateway.recorded(name, labels)
}

#[test]
fn requests_are_measured_as_far_as_the_configuration_says() {
    let gateway = Gateway::new();
    let config = json!({"status_code_metrics": true, "latency_metrics": true, "bandwidth_metrics": true});
    plugin(&config).on_log(&[record().to_string(), record().to_string()]).unwrap();
    let requests = [
        ("service", "svc"),
        ("route", "r"),
        ("code", "404"),
        ("source", "service"),
        ("workspace", "default"),
        ("consumer", ""),
    ];
    assert_eq!(measured(&gateway, REQUESTS, &requests), [1.0, 1.0]);
    let times = [("service", "svc"), ("route", "r"), ("workspace", "default")];
    assert_eq!(measured(&gateway, OWN_LATENCY, &times), [3.0, 3.0]);
    assert_eq!(measured(&gateway, UPSTREAM_LATENCY, &times), [21.5, 21.5]);
    assert_eq!(measured(&gateway, REQUEST_LATENCY, &times), [25.0, 25.0]);
    for (direction, bytes) in [("egress", 900.0), ("ingress", 120.0)] {
        let labels = [
            ("service", "svc"),
            ("route", "r"),
            ("direction", direction),
            ("workspace", "default"),
            ("consumer", ""),
        ];
        assert_eq!(measured(&gateway, BANDWIDTH, &labels), [bytes, bytes]);
    }
    assert_eq!(gateway.described(UPSTREAM_LATENCY), Some(Kind::Histogram(BUCKETS.to_vec())));
}

#[test]
fn nothing_is_measured_unless_it_is_switched_on() {
    let gateway = Gateway::new();
    plugin(&json!({})).on_log(&[record().to_string()]).unwrap();
    for name in [REQUESTS, OWN_LATENCY, UPSTREAM_LATENCY, REQUEST_LATENCY, BANDWIDTH] {
        assert_eq!(gateway.described(name), None, "{name}");
    }
}

#[test]
fn a_request_without_a_route_has_empty_labels_and_no_upstreams_time() {
    let gateway = Gateway::new();
    let unmatched = json!({"response": {"status": 404}, "latencies": {"kong": 0, "proxy": -1, "request": 0}, "source": "kong"});
    let config = json!({"status_code_metrics": true, "latency_metrics": true, "per_consumer": true});
    plugin(&config).on_log(&[unmatched.to_string()]).unwrap();
    let labels = [
        ("service", ""),
        ("route", ""),
        ("code", "404"),
        ("source", "kong"),
        ("workspace", "default"),
        ("consumer", ""),
    ];
    assert_eq!(measured(&gateway, REQUESTS, &labels), [1.0]);
    let times = [("service", ""), ("route", ""), ("workspace", "default")];
    assert!(measured(&gateway, UPSTREAM_LATENCY, &times).is_empty());
    assert_eq!(measured(&gateway, OWN_LATENCY, &times), [0.0]);
}

#[test]
fn consumers_are_told_apart_if_asked_for_and_names_stand_in_for_missing_ones() {
    let gateway = Gateway::new();
    let mut record = record();
    record["service"]["name"] = Value::Null;
    record["route"]["name"] = Value::Null;
    plugin(&json!({"status_code_metrics": true, "per_consumer": true}))
        .on_log(&[record.to_string()])
        .unwrap();
    let labels = [
        ("service", "h"),
        ("route", "2"),
        ("code", "404"),
        ("source", "service"),
        ("workspace", "default"),
        ("consumer", "ann"),
    ];
    assert_eq!(measured(&gateway, REQUESTS, &labels), [1.0]);
}
