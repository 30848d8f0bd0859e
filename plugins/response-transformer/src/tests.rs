//! What clients see.

use moongate_sdk::export::configure;
use moongate_sdk::testing::RawResponse;
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> ResponseTransformer {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn header(response: &RawResponse, name: &str) -> Vec<String> {
    let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
    response.as_response().header_values(name).into_iter().map(text).collect()
}

#[test]
fn headers_are_removed_renamed_replaced_added_and_appended_in_this_order() {
    let config = json!({
        "remove": {"headers": ["X-A", "x-f:1"]}, "rename": {"headers": ["x-old:X-New"]},
        "replace": {"headers": ["x-b:rep", "x-none:rep"]}, "add": {"headers": ["x-c:a:b", "x-a:again", "x-e:no"]},
        "append": {"headers": ["x-b:app", "x-d:app"]},
    });
    let headers = [("x-a", "1"), ("x-old", "o"), ("x-old", "p"), ("x-b", "b"), ("x-e", "e"), ("x-f", "2")];
    let response = headers
        .iter()
        .fold(RawResponse::new(200), |response, (name, value)| response.with_header(name, value));
    plugin(&config).on_response(&response.as_response()).unwrap();
    for (name, values) in [
        ("x-a", vec!["again"]),
        ("x-old", vec![]),
        ("x-new", vec!["o", "p"]),
        ("x-b", vec!["rep", "app"]),
        ("x-c", vec!["a:b"]),
        ("x-d", vec!["app"]),
        ("x-e", vec!["e"]),
        ("x-f", vec![]),
        ("x-none", vec![]),
    ] {
        assert_eq!(header(&response, name), values, "{name}");
    }
}

#[test]
fn headers_that_belong_to_the_gateway_stay_as_they_are() {
    let config = json!({
        "remove": {"headers": ["Content-Length"]}, "rename": {"headers": ["content-length:x-length", "x-a:connection"]},
        "add": {"headers": ["Transfer-Encoding:chunked", "x-b:1"]},
    });
    let response = RawResponse::new(200).with_header("content-length", "5").with_header("x-a", "a");
    plugin(&config).on_response(&response.as_response()).unwrap();
    for (name, values) in
        [("content-length", vec!["5"]), ("transfer-encoding", vec![]), ("x-a", vec!["a"]), ("x-b", vec!["1"])]
    {
        assert_eq!(header(&response, name), values, "{name}");
    }
}

#[test]
fn only_bodies_of_json_are_looked_at_and_only_if_something_is_to_be_changed() {
    let (rules, none) =
        (plugin(&json!({"add": {"json": ["p:1"]}})), plugin(&json!({"add": {"headers": ["x-a:1"]}})));
    for (plugin, content_type, is_watched) in [
        (&rules, "application/json", true),
        (&rules, "Application/JSON; charset=utf-8", true),
        (&rules, "application/vnd.x+json", true),
        (&rules, "text/plain", false),
        (&rules, "application/jsonx", false),
        (&none, "application/json", false),
    ] {
        let response = RawResponse::new(200).with_header("content-type", content_type);
        plugin.on_response(&response.as_response()).unwrap();
        assert_eq!(response.watched_body().is_some(), is_watched, "{content_type}");
    }
}

#[test]
fn a_body_that_is_no_object_stays_as_it_is() {
    let plugin = plugin(&json!({"add": {"json": ["p:1"]}}));
    let response = RawResponse::new(200);
    let body = |text: &str| plugin.on_response_body(&response.as_response(), text.into(), true).unwrap();
    assert_eq!(body(r#"{"a": 1}"#).unwrap(), br#"{"a":1,"p":"1"}"#);
    for text in ["{bad", "[1]", "\"text\"", ""] {
        assert_eq!(body(text), None, "{text}");
    }
}
