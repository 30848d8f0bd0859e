//! What clients see of limits.

use std::time::Duration;

use moongate_sdk::export::configure;
use moongate_sdk::testing::{Gateway, RawRequest, RawResponse};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> ResponseRateLimiting {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

/// A gateway at 2024-02-29T12:34:56Z.
fn gateway() -> Gateway {
    let gateway = Gateway::new();
    gateway.set_time(Duration::from_secs(1_709_210_096));
    gateway
}

/// The response to a request that costs this much.
fn response(plugin: &ResponseRateLimiting, cost: &str) -> RawResponse {
    let request = RawRequest::get("/");
    assert_eq!(plugin.on_request(&request.as_request()).unwrap(), Decision::Continue);
    let response = RawResponse::to(&request, 200).with_header("x-kong-limit", cost);
    for name in ["video", "image"] {
        let name = format!("x-ratelimit-remaining-{name}");
        if let Some(left) = request.response_header(&name) {
            response.as_response().set_header(&name, left).unwrap();
        }
    }
    plugin.on_response(&response.as_response()).unwrap();
    response
}

fn header(response: &RawResponse, name: &str) -> Option<String> {
    response.as_response().header_text(name)
}

#[test]
fn what_the_upstream_says_is_counted() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"limits": {"video": {"hour": 5, "day": 9}, "image": {"day": 3}}}));
    let first = response(&plugin, "video=2, image");
    for (name, value) in [
        ("x-ratelimit-remaining-video", "5"),
        ("x-ratelimit-limit-video-hour", "5"),
        ("x-ratelimit-remaining-video-hour", "3"),
        ("x-ratelimit-remaining-video-day", "7"),
        ("x-ratelimit-remaining-image-day", "2"),
    ] {
        assert_eq!(header(&first, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(header(&first, "x-kong-limit"), None);
    let second = response(&plugin, "");
    assert_eq!(header(&second, "x-ratelimit-remaining-video").unwrap(), "3");
    assert_eq!(header(&second, "x-ratelimit-remaining-image").unwrap(), "2");
}

#[test]
fn a_response_beyond_the_limit_is_withheld_and_not_counted() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"limits": {"video": {"hour": 1}, "image": {"hour": 9}}}));
    assert_eq!(response(&plugin, "video=3").as_response().status(), 200);
    let withheld = response(&plugin, "video=1, image=4");
    assert_eq!((withheld.as_response().status(), withheld.new_body()), (429, Some(Vec::new())));
    assert_eq!(header(&response(&plugin, ""), "x-ratelimit-remaining-image-hour").unwrap(), "9");
}

#[test]
fn a_request_is_refused_at_once_if_wanted() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"limits": {"video": {"hour": 1}}, "block_on_first_violation": true}));
    response(&plugin, "video");
    let refused = plugin.on_request(&RawRequest::get("/").as_request()).unwrap();
    assert_eq!(refused, Decision::fail(429, "API rate limit exceeded for 'video'"));
}

#[test]
fn headers_can_be_hidden_except_for_what_is_left() {
    let _gateway = gateway();
    let plugin = plugin(&json!({"limits": {"video": {"hour": 5}}, "hide_client_headers": true}));
    let response = response(&plugin, "video");
    assert_eq!(header(&response, "x-ratelimit-remaining-video").unwrap(), "5");
    assert_eq!(header(&response, "x-ratelimit-limit-video-hour"), None);
}

#[test]
fn costs_are_one_unless_something_else_is_said() {
    assert_eq!(costs("video=2, image , audio=x,,"), [("video", 2), ("image", 1), ("audio", 1)]);
    assert_eq!(costs(""), []);
}
