//! What clients, upstreams and operators see of the plugin.

use moongate_sdk::testing::{Gateway, RawRequest, configure};
use moongate_sdk::{Consumer, Failure};
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> KeyAuth {
    configure(config).unwrap()
}

/// A gateway with the consumer `ann`, whose key is `ann key`, and `nobody` without one.
fn gateway() -> Gateway {
    let gateway = Gateway::of::<KeyAuth>();
    let consumer =
        |id: &str, name: &str| Consumer { id: id.into(), username: Some(name.into()), custom_id: None };
    gateway.add_consumer(consumer("1", "ann"));
    gateway.add_consumer(consumer("9", "nobody"));
    gateway
        .add_row("keyauth_credentials", json!({ "id": "c1", "key": "ann key", "consumer": { "id": "1" } }));
    gateway
}

/// Id of the consumer and of the credential, or status and message.
fn outcome(config: &Value, request: &RawRequest) -> Result<(String, Option<String>), (u16, String)> {
    match plugin(config).on_request(&request.as_request()).unwrap() {
        Decision::Continue => {
            let request = request.as_request();
            let credential = request.credential().map(|credential| {
                assert_eq!(credential.identifier.as_ref(), Some(&credential.id));
                credential.id
            });
            Ok((request.consumer().map(|consumer| consumer.id).unwrap_or_default(), credential))
        }
        Decision::Fail(Failure { status, message, .. }) => Err((status, message)),
        Decision::Respond(reply) => panic!("{reply:?}"),
    }
}

fn ann() -> Result<(String, Option<String>), (u16, String)> {
    Ok(("1".into(), Some("c1".into())))
}

fn refused(message: &str) -> Result<(String, Option<String>), (u16, String)> {
    Err((401, message.into()))
}

fn posting(content_type: &str, body: impl Into<Vec<u8>>) -> RawRequest {
    RawRequest::new("POST", "/").with_header("content-type", content_type).with_body(body)
}

#[test]
fn a_key_is_found_in_header_query_and_body() {
    let _gateway = gateway();
    let config = json!({ "key_in_body": true });
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b\r\nContent-Disposition: \
                     form-data; name=\"apikey\"\r\n\r\nann key\r\n--b--\r\n";
    for request in [
        RawRequest::get("/").with_header("APIKey", "ann key"),
        RawRequest::get("/?a=1&apikey=ann%20key"),
        posting("application/json; charset=utf-8", r#"{"apikey":"ann key"}"#),
        posting("application/x-www-form-urlencoded", "a=1&apikey=ann+key"),
        posting("multipart/form-data; boundary=b", multipart),
    ] {
        assert_eq!(outcome(&config, &request), ann(), "{request:?}");
    }
}

#[test]
fn a_place_that_is_switched_off_is_not_looked_at() {
    let _gateway = gateway();
    let nothing = refused("No API key found in request");
    let header = RawRequest::get("/").with_header("apikey", "ann key");
    assert_eq!(outcome(&json!({ "key_in_header": false }), &header), nothing);
    assert_eq!(outcome(&json!({ "key_in_query": false }), &RawRequest::get("/?apikey=ann%20key")), nothing);
    let body = posting("application/json", r#"{"apikey":"ann key"}"#);
    assert_eq!(outcome(&json!({}), &body), nothing);
}

#[test]
fn the_first_place_of_the_first_name_counts() {
    let _gateway = gateway();
    let config = json!({ "key_names": ["first", "second"] });
    let request = RawRequest::get("/?first=ann%20key").with_header("second", "other");
    assert_eq!(outcome(&config, &request), ann());
    let request = RawRequest::get("/?first=ann%20key").with_header("first", "other");
    assert_eq!(outcome(&config, &request), refused("Unauthorized"));
    let request = RawRequest::get("/?first").with_header("second", "ann key");
    assert_eq!(outcome(&config, &request), ann());
}

#[test]
fn an_empty_key_is_none_and_two_are_too_many() {
    let _gateway = gateway();
    let config = json!({ "key_in_body": true });
    let nothing = refused("No API key found in request");
    assert_eq!(outcome(&config, &RawRequest::get("/?apikey=")), nothing);
    assert_eq!(outcome(&config, &RawRequest::get("/?apikey=ann%20key").with_header("apikey", "")), nothing);
    let several = refused("Duplicate API key found");
    for request in [
        RawRequest::get("/").with_header("apikey", "ann key").with_header("apikey", "ann key"),
        RawRequest::get("/?apikey=ann%20key&apikey=x"),
        posting("application/json", r#"{"apikey":["ann key"]}"#),
        posting("application/x-www-form-urlencoded", "apikey=ann+key&apikey=x"),
    ] {
        assert_eq!(outcome(&config, &request), several, "{request:?}");
    }
}

#[test]
fn a_body_that_is_not_what_it_says_has_no_key() {
    let _gateway = gateway();
    let config = json!({ "key_in_body": true });
    for request in [
        posting("application/json", "{bad"),
        posting("application/json", r#"{"apikey":5}"#),
        posting("application/json", r#""apikey""#),
        posting("text/plain", "apikey=ann key"),
        posting("multipart/form-data", "--b"),
        posting("multipart/form-data; boundary=b", "--b"),
        RawRequest::new("POST", "/").with_body("apikey=ann+key"),
        posting("application/json", "{}").with_body_error(moongate_sdk::BodyError::TooLarge),
    ] {
        assert_eq!(outcome(&config, &request), refused("No API key found in request"), "{request:?}");
    }
}

#[test]
fn refusals_challenge_the_client_with_the_realm() {
    let _gateway = gateway();
    for (config, challenge) in [(json!({}), "Key"), (json!({ "realm": "r" }), "Key realm=\"r\"")] {
        let request = RawRequest::get("/").with_header("apikey", "wrong");
        let Decision::Fail(failure) = plugin(&config).on_request(&request.as_request()).unwrap() else {
            panic!("a wrong key was good")
        };
        assert_eq!(failure.headers, [("www-authenticate".to_owned(), challenge.as_bytes().to_vec())]);
        assert_eq!(failure.message, "Unauthorized");
    }
}

#[test]
fn a_key_that_is_removed_lets_nobody_in_any_more() {
    let gateway = gateway();
    let plugin = plugin(&json!({}));
    let asked = || {
        let request = RawRequest::get("/").with_header("apikey", "ann key");
        plugin.on_request(&request.as_request()).unwrap()
    };
    assert_eq!(asked(), Decision::Continue);
    gateway.remove_row("keyauth_credentials", "c1");
    assert_ne!(asked(), Decision::Continue);
}

#[test]
fn hidden_keys_do_not_go_upstream() {
    let _gateway = gateway();
    let config = json!({ "hide_credentials": true, "key_names": ["k"], "key_in_body": true });
    let request = RawRequest::get("/?b=%20&k=ann%20key&c&a=1").with_header("k", "ann key");
    assert_eq!(outcome(&config, &request), ann());
    assert_eq!(request.as_request().header("k"), None);
    assert_eq!(request.as_request().query().unwrap(), "a=1&b=+&c=");
    let request = RawRequest::get("/?k=ann%20key");
    assert_eq!(outcome(&config, &request), ann());
    assert_eq!(request.as_request().query(), None);
    let request = posting("application/json", r#"{"a":1,"k":"ann key"}"#);
    assert_eq!(outcome(&config, &request), ann());
    assert_eq!(request.outcome().body.unwrap(), br#"{"a":1}"#);
    let request = posting("application/x-www-form-urlencoded", "a=1&k=ann+key");
    assert_eq!(outcome(&config, &request), ann());
    assert_eq!(request.outcome().body.unwrap(), b"a=1");
    let part = |name: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = part("a", "1") + &part("k", "ann key") + &part("c", "3") + "--b--\r\n";
    let request = posting("multipart/form-data; boundary=\"b\"", body);
    assert_eq!(outcome(&config, &request), ann());
    let expected = part("a", "1") + &part("c", "3") + "--b--\r\n";
    assert_eq!(String::from_utf8(request.outcome().body.unwrap()).unwrap(), expected);
}

#[test]
fn keys_stay_where_they_are_unless_they_are_to_be_hidden() {
    let _gateway = gateway();
    let request = RawRequest::get("/?z=1&a=2").with_header("apikey", "ann key");
    assert_eq!(outcome(&json!({}), &request), ann());
    assert_eq!(request.as_request().header("apikey").unwrap(), b"ann key");
    assert_eq!(request.as_request().query().unwrap(), "z=1&a=2");
}

#[test]
fn a_name_with_underscores_finds_the_header_with_dashes() {
    let _gateway = gateway();
    let config = json!({ "key_names": ["x_api_key"], "hide_credentials": true });
    let request = RawRequest::get("/").with_header("X-Api-Key", "ann key");
    assert_eq!(outcome(&config, &request), ann());
    assert_eq!(request.as_request().header("x-api-key"), None);
}

#[test]
fn a_client_without_a_good_key_is_the_anonymous_consumer_where_there_is_one() {
    let _gateway = gateway();
    let config = json!({ "anonymous": "nobody" });
    assert_eq!(outcome(&config, &RawRequest::get("/")), Ok(("9".into(), None)));
    let request = RawRequest::get("/").with_header("apikey", "ann key");
    assert_eq!(outcome(&config, &request), ann());
}

#[test]
fn what_another_plugin_found_out_stays_only_beside_an_anonymous_consumer() {
    let _gateway = gateway();
    let request = || {
        let consumer = Consumer { id: "5".into(), ..Consumer::default() };
        let credential = Credential { id: "c5".into(), identifier: Some("c5".into()) };
        RawRequest::get("/").with_client(Some(consumer), Some(credential))
    };
    assert_eq!(outcome(&json!({ "anonymous": "9" }), &request()), Ok(("5".into(), Some("c5".into()))));
    assert_eq!(outcome(&json!({}), &request()), refused("No API key found in request"));
}

#[test]
fn preflights_pass_where_the_operator_says_so() {
    let _gateway = gateway();
    let preflight = || RawRequest::new("OPTIONS", "/");
    assert_eq!(outcome(&json!({}), &preflight()), refused("No API key found in request"));
    assert!(outcome(&json!({ "run_on_preflight": false }), &preflight()).is_ok());
    let config = json!({ "run_on_preflight": false });
    assert_eq!(outcome(&config, &RawRequest::get("/")), refused("No API key found in request"));
}
