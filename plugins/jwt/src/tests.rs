//! What clients, upstreams and operators see of the plugin.

mod keys;
mod tokens;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moongate_sdk::Consumer;
use moongate_sdk::crypto::{self, Hash};
use moongate_sdk::testing::{Gateway, RawRequest, configure};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_780_000_000;

/// A gateway with `ann`, whose tokens name `ann-iss`, at `NOW`.
fn gateway() -> Gateway {
    let gateway = Gateway::of::<Jwt>();
    gateway.set_time(Duration::from_secs(NOW));
    gateway.add_consumer(Consumer { id: "1".into(), username: Some("ann".into()), custom_id: None });
    gateway.add_consumer(Consumer { id: "9".into(), username: Some("nobody".into()), custom_id: None });
    add_key(&gateway, "ann-iss", json!({ "secret": "s3cret", "algorithm": "HS256" }));
    gateway
}

fn add_key(gateway: &Gateway, key: &str, mut row: Value) {
    row["id"] = json!(format!("id of {key}"));
    row["key"] = json!(key);
    row["consumer"] = json!({ "id": "1" });
    gateway.add_row("jwt_secrets", row);
}

/// A token of any header and claims, signed with `s3cret`.
fn token(header: &str, claims: &str) -> String {
    signed(header, claims, |message| crypto::hmac(Hash::Sha256, "s3cret", message))
}

fn signed(header: &str, claims: &str, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(&message));
    format!("{message}.{signature}")
}

fn good() -> String {
    with_claims(&json!({ "iss": "ann-iss" }))
}

fn with_claims(claims: &Value) -> String {
    token(r#"{"typ":"JWT","alg":"HS256"}"#, &claims.to_string())
}

fn bearing(token: &str) -> RawRequest {
    RawRequest::get("/").with_header("authorization", format!("Bearer {token}"))
}

/// Runs the plugin; the body of a refusal, its challenge, and `None` for a request that goes on.
fn refusal(config: &Value, request: &RawRequest) -> Option<(String, String)> {
    let plugin: Jwt = configure(config).unwrap();
    refusal_of(&plugin, request)
}

fn refusal_of(plugin: &Jwt, request: &RawRequest) -> Option<(String, String)> {
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Continue => None,
        Decision::Respond(reply) => {
            assert_eq!(reply.status, 401);
            let challenge = reply.headers.iter().find(|(name, _)| name == "www-authenticate");
            let challenge = challenge.map(|(_, value)| String::from_utf8(value.clone()).unwrap());
            Some((String::from_utf8(reply.body).unwrap(), challenge.unwrap_or_default()))
        }
        Decision::Fail(failure) => Some((failure.message, failure.status.to_string())),
    }
}

#[track_caller]
fn assert_good(config: &Value, request: &RawRequest) {
    assert_eq!(refusal(config, request), None);
    assert_eq!(request.as_request().consumer().unwrap().id, "1");
    let credential = request.as_request().credential().unwrap();
    assert_eq!(credential.id, format!("id of {}", credential.identifier.unwrap()));
}

#[track_caller]
fn assert_bad(config: &Value, token: &str, message: &str) {
    let (body, challenge) = refusal(config, &bearing(token)).unwrap();
    assert_eq!(body, json!({ "message": message }).to_string());
    assert_eq!(challenge, "Bearer error=\"invalid_token\"");
}

#[test]
fn a_good_token_says_who_sent_the_request() {
    let _gateway = gateway();
    let request = bearing(&good());
    assert_good(&json!({}), &request);
    assert_eq!(request.as_request().credential().unwrap().identifier.unwrap(), "ann-iss");
    assert!(request.as_request().header("authorization").is_some());
    assert_eq!(context::get_shared("authenticated_jwt_token").unwrap(), good().into_bytes());
}

#[test]
fn tokens_are_found_in_query_cookies_and_headers() {
    let _gateway = gateway();
    let config = json!({ "cookie_names": ["c"], "uri_param_names": ["t"], "header_names": ["x-jwt", "authorization"] });
    for request in [
        RawRequest::get(&format!("/?a=1&t={}", good())),
        RawRequest::get(&format!("/?t={0}&t={0}", good())),
        RawRequest::get("/").with_header("cookie", format!("a=b; c={}; d=e", good())),
        RawRequest::get("/").with_header("x-jwt", format!("bearer  {}", good())),
        bearing(&good()),
        RawRequest::get(&format!("/?t={}", good()))
            .with_header("authorization", format!("Bearer {}", good())),
    ] {
        assert_good(&config, &request);
    }
}

#[test]
fn what_is_no_token_counts_as_none() {
    let _gateway = gateway();
    for (config, challenge) in [(json!({}), "Bearer"), (json!({ "realm": "r" }), "Bearer realm=\"r\"")] {
        for request in [
            RawRequest::get("/"),
            RawRequest::get("/?jwt="),
            RawRequest::get(&format!("/?token={}", good())),
            RawRequest::get("/").with_header("authorization", good()),
            RawRequest::get("/").with_header("authorization", format!("BEARER {}", good())),
            RawRequest::get("/").with_header("authorization", "Bearer"),
            RawRequest::get("/").with_header("authorization", "Basic eDp5"),
            RawRequest::get("/").with_header("cookie", format!("jwt={}", good())),
        ] {
            let expected = (r#"{"message":"Unauthorized"}"#.to_owned(), challenge.to_owned());
            assert_eq!(refusal(&config, &request), Some(expected), "{request:?}");
        }
    }
}

#[test]
fn two_different_tokens_are_too_many() {
    let _gateway = gateway();
    let other = with_claims(&json!({ "iss": "ann-iss", "a": 1 }));
    let request =
        RawRequest::get(&format!("/?jwt={other}")).with_header("authorization", format!("Bearer {}", good()));
    let (body, challenge) = refusal(&json!({ "realm": "r" }), &request).unwrap();
    assert_eq!(body, r#"{"message":"Multiple tokens provided"}"#);
    assert_eq!(challenge, "Bearer realm=\"r\" error=\"invalid_token\"");
}

#[test]
fn who_has_no_good_token_is_the_anonymous_consumer_where_there_is_one() {
    let _gateway = gateway();
    for request in [RawRequest::get("/"), bearing("a.b.c")] {
        assert_eq!(refusal(&json!({ "anonymous": "nobody" }), &request), None);
        assert_eq!(request.as_request().consumer().unwrap().id, "9");
        assert_eq!(request.as_request().credential(), None);
    }
}

#[test]
fn preflights_pass_where_the_operator_says_so() {
    let _gateway = gateway();
    let config = json!({ "run_on_preflight": false });
    assert_eq!(refusal(&config, &RawRequest::new("OPTIONS", "/")), None);
    assert!(refusal(&config, &RawRequest::get("/")).is_some());
    assert!(refusal(&json!({}), &RawRequest::new("OPTIONS", "/")).is_some());
}
