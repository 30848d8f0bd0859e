//! What clients, upstreams and operators see of the plugin.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moongate_sdk::Consumer;
use moongate_sdk::crypto::Hash;
use moongate_sdk::serde_json::{Value, json};
use moongate_sdk::testing::{Gateway, RawRequest, configure};

use super::*;

const DATE: &str = "Mon, 01 Jun 2026 10:00:00 GMT";

/// A gateway with a user `ann`, at a minute after `DATE`.
fn gateway() -> Gateway {
    let gateway = Gateway::of::<HmacAuth>();
    gateway.set_time(Duration::from_secs(1_780_308_060));
    gateway.add_consumer(Consumer { id: "1".into(), username: Some("ann".into()), custom_id: None });
    gateway.add_consumer(Consumer { id: "9".into(), username: Some("nobody".into()), custom_id: None });
    let row = json!({ "id": "c1", "username": "ann-h", "secret": "hs3cret", "consumer": { "id": "1" } });
    gateway.add_row("hmacauth_credentials", row);
    gateway
}

/// What a client that knows the secret sends.
fn signed(headers: &str, text: &str) -> String {
    let signature = STANDARD.encode(crypto::hmac(Hash::Sha256, "hs3cret", text));
    format!(
        "hmac username=\"ann-h\", algorithm=\"hmac-sha256\", headers=\"{headers}\", signature=\"{signature}\""
    )
}

fn dated(uri: &str, authorization: &str) -> RawRequest {
    RawRequest::get(uri).with_header("date", DATE).with_header("authorization", authorization)
}

/// The message of a refusal; `None` for a request that goes on.
fn refusal(config: &Value, request: &RawRequest) -> Option<String> {
    let plugin: HmacAuth = configure(config).unwrap();
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Continue => None,
        Decision::Fail(failure) => {
            assert_eq!(failure.status, 401);
            assert_eq!(failure.headers, [("www-authenticate".into(), b"hmac".to_vec())]);
            Some(failure.message)
        }
        Decision::Respond(reply) => panic!("{reply:?}"),
    }
}

#[track_caller]
fn assert_good(config: Value, request: &RawRequest) {
    assert_eq!(refusal(&config, request), None);
    let credential = request.as_request().credential().unwrap();
    assert_eq!((credential.id.as_str(), credential.identifier.as_deref()), ("c1", Some("ann-h")));
    assert_eq!(request.as_request().consumer().unwrap().id, "1");
}

#[test]
fn a_signature_made_by_another_program_is_good() {
    let _gateway = gateway();
    let header = "hmac username=\"ann-h\", algorithm=\"hmac-sha256\", headers=\"date request-line\", \
                  signature=\"Rbhw5OyTtVNPMbqmZSLy20Y+8DUzSW6El8aU7k10xjY=\"";
    assert_good(json!({}), &dated("/x?a=1", header));
    assert_good(json!({}), &dated("/x?a=1", &header.replace("hmac username", "Hmac  username")));
    assert_eq!(refusal(&json!({}), &dated("/x?a=2", header)).unwrap(), MISMATCH);
    let sha1 = "hmac username=\"ann-h\", algorithm=\"hmac-sha1\", headers=\"date\", \
                signature=\"pSPD/UXH+TtBf79mo8X22Fn7KLw=\"";
    assert_good(json!({}), &dated("/x", sha1));
    let only = json!({ "algorithms": ["hmac-sha256"] });
    assert_eq!(refusal(&only, &dated("/x", sha1)).unwrap(), UNVERIFIABLE);
}

#[test]
fn every_kind_of_line_is_signed_as_clients_sign_it() {
    let _gateway = gateway();
    let date = format!("date: {DATE}\n");
    for (headers, text) in [
        ("date request-line", date.clone() + "GET /x?a=1 HTTP/1.1"),
        ("date @request-target", date.clone() + "@request-target: get /x?a=1"),
        ("date X-Foo", date.clone() + "X-Foo: Bar"),
        ("date x-absent", date.clone() + "x-absent:"),
        ("date host", date.clone() + "host: gw.test:8000"),
    ] {
        let request = dated("/x?a=1", &signed(headers, &text))
            .with_header("x-foo", "Bar")
            .with_header("host", "gw.test:8000");
        assert_good(json!({}), &request);
    }
    let second = dated("/x", &signed("request-line", "GET /x HTTP/2.0")).with_connection("https", "2", 8443);
    assert_good(json!({}), &second);
}

#[test]
fn a_request_without_a_header_is_unauthorized() {
    let _gateway = gateway();
    assert_eq!(refusal(&json!({}), &RawRequest::get("/").with_header("date", DATE)).unwrap(), "Unauthorized");
}

#[test]
fn a_date_is_needed_that_is_near() {
    let gateway = gateway();
    let header = signed("request-line", "GET / HTTP/1.1");
    let without = RawRequest::get("/").with_header("authorization", &header);
    assert_eq!(refusal(&json!({}), &without).unwrap(), UNTIMELY);
    let x_date = RawRequest::get("/").with_header("authorization", &header).with_header("x-date", DATE);
    assert_good(json!({}), &x_date);
    let bad_x_date = dated("/", &header).with_header("x-date", "yesterday");
    assert_good(json!({}), &bad_x_date);
    for by in [Duration::from_secs(240), Duration::ZERO] {
        gateway.advance(by);
        assert_good(json!({}), &dated("/", &header));
    }
    gateway.advance(Duration::from_secs(1));
    assert_eq!(refusal(&json!({}), &dated("/", &header)).unwrap(), UNTIMELY);
    assert_good(json!({ "clock_skew": 301 }), &dated("/", &header));
    gateway.set_time(Duration::from_secs(1_780_308_000 - 301));
    assert_eq!(refusal(&json!({}), &dated("/", &header)).unwrap(), UNTIMELY);
}

#[test]
fn what_is_no_signature_cannot_be_verified() {
    let _gateway = gateway();
    let good = signed("date", &format!("date: {DATE}"));
    assert_good(json!({}), &dated("/", &good));
    for header in [
        "hmac".to_owned(),
        "Basic eDp5".to_owned(),
        good.replace("hmac ", "HMAC "),
        good.replace("ann-h", "bob-h"),
        good.replace("ann-h", ""),
        good.replace("hmac-sha256", "hmac-md5"),
        good.replace("signature=", "sig="),
    ] {
        assert_eq!(refusal(&json!({}), &dated("/", &header)).unwrap(), UNVERIFIABLE, "{header}");
    }
    let garbled = good.replace("signature=\"", "signature=\"!");
    assert_eq!(refusal(&json!({}), &dated("/", &garbled)).unwrap(), MISMATCH);
}

#[test]
fn headers_that_the_operator_names_must_be_signed() {
    let _gateway = gateway();
    let config = json!({ "enforce_headers": ["date", "request-line"] });
    let date = format!("date: {DATE}");
    assert_eq!(refusal(&config, &dated("/", &signed("date", &date))).unwrap(), UNVERIFIABLE);
    let both = signed("date request-line", &(date + "\nGET / HTTP/1.1"));
    assert_good(config, &dated("/", &both));
}

#[test]
fn a_body_must_be_the_one_that_was_digested() {
    let _gateway = gateway();
    let config = json!({ "validate_request_body": true });
    let request = |body: &str, digest: Option<&str>| {
        let request = dated("/", &signed("date", &format!("date: {DATE}"))).with_body(body);
        match digest {
            Some(digest) => request.with_header("digest", digest),
            None => request,
        }
    };
    // SHA-256 of `hello`.
    let digest = Some("SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=");
    assert_good(config.clone(), &request("hello", digest));
    assert_good(config.clone(), &request("", None));
    for (body, digest) in
        [("hallo", digest), ("", digest), ("hello", None), ("hello", Some("SHA-256=")), ("", Some("MD5=x"))]
    {
        assert_eq!(refusal(&config, &request(body, digest)).unwrap(), MISMATCH, "{body} {digest:?}");
    }
    assert_good(json!({}), &request("hello", None));
}

#[test]
fn hidden_signatures_do_not_go_upstream() {
    let _gateway = gateway();
    let request = dated("/", &signed("date", &format!("date: {DATE}")));
    assert_good(json!({ "hide_credentials": true }), &request);
    assert_eq!(request.as_request().header("authorization"), None);
}

#[test]
fn proxy_authorization_counts_first_unless_it_is_no_signature() {
    let _gateway = gateway();
    let good = signed("date", &format!("date: {DATE}"));
    let other = signed("date", "date: never");
    assert_eq!(
        refusal(&json!({}), &dated("/", &good).with_header("proxy-authorization", &other)).unwrap(),
        MISMATCH
    );
    assert_good(json!({}), &dated("/", &other).with_header("proxy-authorization", &good));
    assert_good(json!({}), &dated("/", &good).with_header("proxy-authorization", "Basic eDp5"));
}

#[test]
fn who_signed_nothing_is_the_anonymous_consumer_where_there_is_one() {
    let _gateway = gateway();
    let request = RawRequest::get("/");
    assert_eq!(refusal(&json!({ "anonymous": "9" }), &request), None);
    assert_eq!(request.as_request().consumer().unwrap().id, "9");
    assert_eq!(request.as_request().credential(), None);
}

#[test]
fn dates_are_read_in_all_three_forms() {
    for text in
        ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
    {
        assert_eq!(date::parse(text), Some(784_111_777.0), "{text}");
    }
    assert_eq!(date::parse("Thu, 29 Feb 2024 00:00:00 GMT"), Some(1_709_164_800.0));
    assert_eq!(date::parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0.0));
    for text in [
        "",
        "not a date",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "784111777",
    ] {
        assert_eq!(date::parse(text), None, "{text}");
    }
}
