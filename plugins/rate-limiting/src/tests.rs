//! What clients see of limits.

use std::time::Duration;

use moongate_sdk::export::configure;
use moongate_sdk::testing::{Gateway, RawRequest};
use moongate_sdk::{Consumer, Credential, Failure};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> RateLimiting {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

/// A gateway at 2024-02-29T12:34:56.789Z.
fn gateway() -> Gateway {
    let gateway = Gateway::new();
    gateway.set_time(Duration::from_millis(1_709_210_096_789));
    gateway
}

fn header(request: &RawRequest, name: &str) -> Option<String> {
    request.response_header(name).map(|value| String::from_utf8(value).unwrap())
}

fn passes(plugin: &RateLimiting, request: &RawRequest) -> bool {
    plugin.on_request(&request.as_request()).unwrap() == Decision::Continue
}

fn refusal(plugin: &RateLimiting, request: &RawRequest) -> Failure {
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Fail(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn header_of(failure: &Failure, name: &str) -> Option<String> {
    let value = failure.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    value.map(|value| String::from_utf8(value).unwrap())
}

#[test]
fn requests_beyond_the_limit_are_refused_until_the_next_window() {
    let gateway = gateway();
    let plugin = plugin(&json!({"minute": 2}));
    for left in ["1", "0"] {
        let request = RawRequest::get("/");
        assert!(passes(&plugin, &request));
        assert_eq!(header(&request, "x-ratelimit-limit-minute").unwrap(), "2");
        assert_eq!(header(&request, "x-ratelimit-remaining-minute").unwrap(), left);
        assert_eq!(header(&request, "ratelimit-limit").unwrap(), "2");
        assert_eq!(header(&request, "ratelimit-remaining").unwrap(), left);
        assert_eq!(header(&request, "ratelimit-reset").unwrap(), "4");
        assert_eq!(header(&request, "retry-after"), None);
    }
    let failure = refusal(&plugin, &RawRequest::get("/"));
    assert_eq!((failure.status, failure.message.as_str()), (429, "API rate limit exceeded"));
    assert_eq!(header_of(&failure, "retry-after").unwrap(), "4");
    assert_eq!(header_of(&failure, "x-ratelimit-remaining-minute").unwrap(), "0");
    gateway.advance(Duration::from_secs(4));
    assert!(passes(&plugin, &RawRequest::get("/")));
}

#[test]
fn a_fraction_of_a_limit_lets_one_more_request_through() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"minute": 1.5}));
    for left in ["0.5", "0"] {
        let request = RawRequest::get("/");
        assert!(passes(&plugin, &request));
        assert_eq!(header(&request, "x-ratelimit-remaining-minute").unwrap(), left);
    }
    assert_eq!(refusal(&plugin, &RawRequest::get("/")).status, 429);
}

#[test]
fn a_refused_request_is_not_counted() {
    let gateway = gateway();
    let plugin = plugin(&json!({"second": 1, "hour": 5}));
    assert!(passes(&plugin, &RawRequest::get("/")));
    for _ in 0..3 {
        assert_eq!(
            header_of(&refusal(&plugin, &RawRequest::get("/")), "x-ratelimit-remaining-hour").unwrap(),
            "4"
        );
    }
    gateway.advance(Duration::from_secs(1));
    let request = RawRequest::get("/");
    assert!(passes(&plugin, &request));
    assert_eq!(header(&request, "x-ratelimit-remaining-hour").unwrap(), "3");
}

#[test]
fn status_and_message_can_be_chosen_and_headers_hidden() {
    let _gateway = gateway();
    let plugin = plugin(
        &json!({"hour": 1, "error_code": 419, "error_message": "slow down", "hide_client_headers": true}),
    );
    let request = RawRequest::get("/");
    assert!(passes(&plugin, &request));
    assert_eq!(header(&request, "ratelimit-limit"), None);
    let failure = refusal(&plugin, &RawRequest::get("/"));
    let expected = Failure { status: 419, message: "slow down".to_owned(), headers: Vec::new() };
    assert_eq!(failure, expected);
}

fn consumer(id: &str) -> Consumer {
    Consumer { id: id.to_owned(), username: None, custom_id: None }
}

fn credential(id: &str) -> Credential {
    Credential { id: id.to_owned(), identifier: None }
}

#[test]
fn requests_are_counted_together_by_what_the_configuration_says() {
    let from = |address: &str| RawRequest::get("/a/b").with_client_address(address);
    let of = |consumer_id: Option<&str>, credential_id: Option<&str>| {
        from("1.1.1.1").with_client(consumer_id.map(consumer), credential_id.map(credential))
    };
    // The second request of each is counted with the first, the third is not.
    for (config, requests) in [
        (json!({"limit_by": "ip"}), [from("1.1.1.1"), from("1.1.1.1"), from("2.2.2.2")]),
        (json!({}), [of(Some("a"), Some("1")), of(Some("a"), Some("2")), of(Some("b"), Some("1"))]),
        (json!({}), [of(None, Some("1")), of(None, Some("1")), of(None, Some("2"))]),
        (json!({}), [from("1.1.1.1"), of(None, None), from("2.2.2.2")]),
        (
            json!({"limit_by": "credential"}),
            [of(Some("a"), Some("1")), of(Some("b"), Some("1")), of(Some("a"), Some("2"))],
        ),
        (
            json!({"limit_by": "header", "header_name": "x-who"}),
            [
                from("1.1.1.1").with_header("x-who", "z"),
                from("2.2.2.2").with_header("x-who", "z"),
                from("1.1.1.1"),
            ],
        ),
        (
            json!({"limit_by": "service"}),
            [
                from("1.1.1.1").with_route(Some("r"), Some("s")),
                from("2.2.2.2").with_route(Some("q"), Some("s")),
                from("1.1.1.1").with_route(Some("r"), Some("t")),
            ],
        ),
        (
            json!({"limit_by": "path", "path": "/a/b"}),
            [from("1.1.1.1"), from("2.2.2.2"), RawRequest::get("/a").with_client_address("1.1.1.1")],
        ),
    ] {
        let _gateway = gateway();
        let mut with_limit = config.clone();
        with_limit["hour"] = json!(1);
        let plugin = plugin(&with_limit);
        let [first, second, third] = requests.map(|request| passes(&plugin, &request));
        assert_eq!((first, second, third), (true, false, true), "{config}");
    }
}

#[test]
fn each_route_that_a_configuration_is_bound_to_counts_for_itself() {
    let _gateway = gateway();
    let bound = |route: &str| plugin(&json!({"hour": 1, "__binding": {"route": route}}));
    assert!(passes(&bound("a"), &RawRequest::get("/")));
    assert!(passes(&bound("b"), &RawRequest::get("/")));
    assert!(!passes(&bound("a"), &RawRequest::get("/")));
}

#[test]
fn a_long_identity_is_as_good_as_a_short_one() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"hour": 1, "limit_by": "header", "header_name": "x-who"}));
    let who = |last: &str| RawRequest::get("/").with_header("x-who", "w".repeat(2000) + last);
    assert!(passes(&plugin, &who("a")));
    assert!(passes(&plugin, &who("b")));
    assert!(!passes(&plugin, &who("a")));
}

#[test]
fn without_redis_requests_pass_uncounted_or_fail() {
    let gateway = gateway();
    let redis = |tolerant: bool| {
        plugin(&json!({"hour": 1, "policy": "redis", "redis": {"host": "r"}, "fault_tolerant": tolerant}))
    };
    let (tolerant, strict) = (redis(true), redis(false));
    gateway.fail_redis(Some("connection refused"));
    for _ in 0..2 {
        let request = RawRequest::get("/");
        assert!(passes(&tolerant, &request));
        assert_eq!(header(&request, "ratelimit-limit"), None);
    }
    assert!(strict.on_request(&RawRequest::get("/").as_request()).is_err());
    gateway.fail_redis(None);
    assert!(passes(&tolerant, &RawRequest::get("/")));
    assert!(!passes(&strict, &RawRequest::get("/")));
}

#[test]
fn between_two_exchanges_with_redis_each_instance_counts_for_itself() {
    let gateway = gateway();
    let redis = || plugin(&json!({"hour": 3, "policy": "redis", "redis": {"host": "r"}, "sync_rate": 1}));
    let (one, other) = (redis(), redis());
    let request = RawRequest::get("/");
    assert!(passes(&one, &request));
    assert!(passes(&one, &request));
    // Both count from what they know.
    assert!(passes(&other, &request));
    assert_eq!(header(&request, "ratelimit-remaining").unwrap(), "2");
    gateway.advance(Duration::from_secs(1));
    assert!(passes(&one, &request));
    assert_eq!(header(&request, "ratelimit-remaining").unwrap(), "0");
    gateway.advance(Duration::from_secs(1));
    // Only now `other` tells of its one, and hears of the two that `one` has told of.
    assert!(!passes(&other, &request));
    gateway.advance(Duration::from_secs(1));
    assert!(!passes(&one, &request));
}
