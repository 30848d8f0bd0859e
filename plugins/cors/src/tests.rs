//! What browsers see.

use moongate_sdk::export::configure;
use moongate_sdk::testing::{Gateway, RawRequest, RawResponse};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> Cors {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn preflight() -> RawRequest {
    RawRequest::new("OPTIONS", "/x")
        .with_header("origin", "https://app.test")
        .with_header("access-control-request-method", "PUT")
}

fn answered(config: &Value, request: &RawRequest) -> Option<Vec<(String, String)>> {
    let _gateway = Gateway::new();
    match plugin(config).on_request(&request.as_request()).unwrap() {
        Decision::Respond(reply) => {
            assert_eq!((reply.status, reply.body.len()), (200, 0));
            let text = |value: Vec<u8>| String::from_utf8(value).unwrap();
            Some(reply.headers.into_iter().map(|(name, value)| (name, text(value))).collect())
        }
        _ => None,
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(String, String)>> {
    Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn a_preflight_request_is_answered() {
    let methods = ("access-control-allow-methods", METHODS);
    assert_eq!(answered(&json!({}), &preflight()), pairs(&[(ALLOW_ORIGIN, "*"), methods]));
    let config = json!({
        "origins": ["https://app.test"], "headers": ["X-A", "X-B"], "methods": ["GET", "PUT"], "max_age": 10,
        "credentials": true, "private_network": true, "exposed_headers": ["X-C"],
    });
    let request = preflight().with_header("access-control-request-private-network", "true");
    let expected = pairs(&[
        ("vary", "Origin"),
        (ALLOW_ORIGIN, "https://app.test"),
        (ALLOW_CREDENTIALS, "true"),
        (ALLOW_HEADERS, "X-A,X-B"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-max-age", "10"),
        ("access-control-allow-private-network", "true"),
    ]);
    assert_eq!(answered(&config, &request), expected);
}

#[test]
fn the_headers_that_a_client_asks_for_are_allowed_unless_there_is_a_list() {
    let request = preflight().with_header("access-control-request-headers", "x-a, x-b");
    let headers = answered(&json!({}), &request).unwrap();
    assert!(headers.contains(&(ALLOW_HEADERS.to_owned(), "x-a, x-b".to_owned())));
}

#[test]
fn what_is_no_preflight_request_goes_on() {
    for request in [
        RawRequest::get("/x").with_header("origin", "a").with_header("access-control-request-method", "PUT"),
        RawRequest::new("OPTIONS", "/x").with_header("origin", "https://app.test"),
        RawRequest::new("OPTIONS", "/x").with_header("access-control-request-method", "PUT"),
    ] {
        assert_eq!(answered(&json!({}), &request), None);
    }
}

#[test]
fn the_upstreams_answer_to_a_preflight_request_is_left_alone() {
    let _gateway = Gateway::new();
    let plugin = plugin(&json!({"preflight_continue": true}));
    let request = preflight();
    assert_eq!(plugin.on_request(&request.as_request()).unwrap(), Decision::Continue);
    let response = RawResponse::to(&request, 204);
    plugin.on_response(&response.as_response()).unwrap();
    assert_eq!(response.as_response().headers(), []);
}

#[test]
fn responses_say_who_may_read_them_in_place_of_what_the_upstream_says() {
    let _gateway = Gateway::new();
    let plugin = plugin(&json!({"origins": ["https://app.test"], "exposed_headers": ["X-A", "X-B"]}));
    let request = RawRequest::get("/").with_header("origin", "https://other.test");
    let response = RawResponse::to(&request, 200)
        .with_header(ALLOW_ORIGIN, "https://up.test")
        .with_header("vary", "Accept");
    plugin.on_response(&response.as_response()).unwrap();
    let response = response.as_response();
    assert_eq!(response.header_text(ALLOW_ORIGIN).unwrap(), "https://app.test");
    assert_eq!(response.header_values("vary"), [b"Accept".to_vec(), b"Origin".to_vec()]);
    assert_eq!(response.header_text("access-control-expose-headers").unwrap(), "X-A,X-B");
    assert_eq!(response.header(ALLOW_CREDENTIALS), None);
}

#[test]
fn an_origin_that_may_not_read_finds_no_header() {
    let _gateway = Gateway::new();
    let plugin = plugin(&json!({"origins": ["https://a.test", "https://b.test"]}));
    let request = RawRequest::get("/").with_header("origin", "https://c.test");
    let response = RawResponse::to(&request, 200).with_header(ALLOW_ORIGIN, "*");
    plugin.on_response(&response.as_response()).unwrap();
    assert_eq!(response.as_response().header(ALLOW_ORIGIN), None);
}

#[test]
fn with_credentials_everybody_is_named() {
    let plugin = plugin(&json!({"credentials": true}));
    let named = Head { vary: true, allow_origin: Some("https://a.test"), credentials: true };
    assert_eq!(plugin.head(Some("https://a.test")), named);
    let star = Head { vary: false, allow_origin: Some("*"), credentials: false };
    assert_eq!(plugin.head(None), star);
}
