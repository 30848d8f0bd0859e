//! What clients see.

use moongate_sdk::export::configure;
use moongate_sdk::testing::RawRequest;
use moongate_sdk::{Met, serde_json};
use serde_json::{Value, json};

use super::*;

fn decision(config: &Value, request: &RawRequest) -> Decision {
    let plugin: RequestTermination =
        configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"));
    plugin.on_request(&request.as_request()).unwrap()
}

/// Status, content type and body of the answer to a plain request.
fn answer(config: &Value) -> (u16, Option<String>, String) {
    match decision(config, &RawRequest::get("/")) {
        Decision::Respond(Reply { status, headers, body }) => {
            let kind = headers.into_iter().find(|(name, _)| name == "content-type");
            (
                status,
                kind.map(|(_, value)| String::from_utf8(value).unwrap()),
                String::from_utf8(body).unwrap(),
            )
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn statuses_have_messages() {
    let json = Some("application/json; charset=utf-8".to_owned());
    for (config, status, message) in [
        (json!({}), 503, "Service unavailable"),
        (json!({"status_code": 404}), 404, "Not found"),
        (json!({"status_code": 403, "message": "So long"}), 403, "So long"),
    ] {
        assert_eq!(answer(&config), (status, json.clone(), format!("{{\"message\":\"{message}\"}}")));
    }
}

#[test]
fn statuses_without_a_message_have_a_page_the_gateways_words_or_nothing() {
    let (status, kind, body) = answer(&json!({"status_code": 403}));
    assert_eq!((status, kind.as_deref()), (403, Some("text/html; charset=UTF-8")));
    assert!(body.starts_with("<html>\r\n<head><title>403 Forbidden</title></head>\r\n"), "{body}");
    let (_, kind, body) = answer(&json!({"status_code": 400}));
    assert_eq!(kind.as_deref(), Some("text/plain; charset=utf-8"));
    assert!(body.starts_with("Bad request\nrequest_id: "), "{body}");
    for status in [204, 418] {
        assert_eq!(answer(&json!({"status_code": status})), (status, None, String::new()));
    }
    let wants = RawRequest::get("/").with_header("accept", "application/json");
    let ends = Decision::fail(400, "Bad request").header("connection", "close");
    assert_eq!(decision(&json!({"status_code": 400}), &wants), ends);
}

#[test]
fn a_body_is_sent_as_it_is() {
    assert_eq!(answer(&json!({"status_code": 200, "body": "{}"})), (200, None, "{}".to_owned()));
    let config = json!({"status_code": 200, "body": "<a/>", "content_type": "application/xml"});
    assert_eq!(answer(&config), (200, Some("application/xml".to_owned()), "<a/>".to_owned()));
}

#[test]
fn only_what_has_the_trigger_is_answered() {
    let config = json!({"trigger": "x-t"});
    assert_eq!(decision(&config, &RawRequest::get("/?y")), Decision::Continue);
    for request in [RawRequest::get("/?x-t"), RawRequest::get("/").with_header("x-t", "")] {
        assert_ne!(decision(&config, &request), Decision::Continue);
    }
}

#[test]
fn the_request_is_shown() {
    let request = RawRequest::new("POST", "/x/1?a=1&b&a=2")
        .with_header("x-a", "1")
        .with_header("content-type", "application/json")
        .with_body("{\"c\": \"/\"}")
        .with_entity(Met::Route, &json!({"name": "r"}));
    let Decision::Respond(reply) = decision(&json!({"echo": true, "status_code": 404}), &request) else {
        panic!("no answer");
    };
    let text = String::from_utf8(reply.body).unwrap();
    assert!(text.contains(r#""path":"\/x\/1""#), "{text}");
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["message"], "Not found");
    assert_eq!(shown["request"]["query"], json!({"a": ["1", "2"], "b": true}));
    assert_eq!(shown["request"]["headers"]["x-a"], "1");
    assert_eq!(shown["request"]["body"], json!({"c": "/"}));
    assert_eq!(shown["request"]["raw_body"], "{\"c\": \"/\"}");
    assert_eq!(shown["matched_route"], json!({"name": "r"}));
}
