//! What clients, upstreams and operators see of the plugin.

use moongate_sdk::Consumer;
use moongate_sdk::serde_json::{Value, json};
use moongate_sdk::testing::{Gateway, RawRequest, configure};

use super::*;

const ANN: &str = "11111111-1111-4111-8111-111111111111";

fn gateway() -> Gateway {
    let gateway = Gateway::of::<BasicAuth>();
    gateway.add_consumer(Consumer { id: ANN.into(), username: Some("ann".into()), custom_id: None });
    gateway.add_consumer(Consumer { id: "9".into(), username: Some("nobody".into()), custom_id: None });
    // SHA-1 of `pw:with:colons` and Ann's id, made with another program.
    let hash = "46e72d670e519d91dfeffc664932c4fed935c3e5";
    let row = json!({ "id": "c1", "username": "ann", "password": hash, "consumer": { "id": ANN } });
    gateway.add_row("basicauth_credentials", row);
    gateway
}

fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

fn authorized(header: &str) -> RawRequest {
    RawRequest::get("/").with_header("authorization", header)
}

/// The consumer and what upstreams see of the credential; `None` for a refusal.
fn outcome(config: &Value, request: &RawRequest) -> Option<(String, Option<String>)> {
    let plugin: BasicAuth = configure(config).unwrap();
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Continue => {
            let request = request.as_request();
            Some((request.consumer()?.id, request.credential().and_then(|credential| credential.identifier)))
        }
        Decision::Fail(failure) => {
            assert_eq!((failure.status, failure.message.as_str()), (401, "Unauthorized"));
            assert_eq!(failure.headers, [("www-authenticate".into(), b"Basic realm=\"service\"".to_vec())]);
            None
        }
        Decision::Respond(reply) => panic!("{reply:?}"),
    }
}

fn ann() -> Option<(String, Option<String>)> {
    Some((ANN.into(), Some("ann".into())))
}

#[test]
fn the_right_password_lets_its_user_in() {
    let _gateway = gateway();
    let good = basic("ann:pw:with:colons");
    assert_eq!(outcome(&json!({}), &authorized(&good)), ann());
    assert_eq!(outcome(&json!({}), &authorized(&good.replace("Basic ", "basic   "))), ann());
    assert_eq!(outcome(&json!({}), &authorized(good.trim_end_matches('='))), ann());
}

#[test]
fn everything_else_is_refused() {
    let _gateway = gateway();
    for header in [
        basic("ann:pw"),
        basic("ann:"),
        basic("ann"),
        basic("ANN:pw:with:colons"),
        basic("bob:pw:with:colons"),
        basic(""),
        basic(b"\xff:pw"),
        "Basic".into(),
        "Basic !".into(),
        basic("ann:pw:with:colons").replace("Basic", "BASIC"),
        basic("ann:pw:with:colons").replace("Basic", "Bearer"),
    ] {
        assert_eq!(outcome(&json!({}), &authorized(&header)), None, "{header}");
    }
    assert_eq!(outcome(&json!({}), &RawRequest::get("/")), None);
}

#[test]
fn the_stored_hash_is_no_password() {
    let _gateway = gateway();
    assert_eq!(
        outcome(&json!({}), &authorized(&basic("ann:46e72d670e519d91dfeffc664932c4fed935c3e5"))),
        None
    );
}

#[test]
fn a_known_user_in_proxy_authorization_counts_first() {
    let _gateway = gateway();
    let (good, bad) = (basic("ann:pw:with:colons"), basic("ann:no"));
    let both = |proxy: &str, origin: &str| authorized(origin).with_header("proxy-authorization", proxy);
    assert_eq!(outcome(&json!({}), &both(&good, &bad)), ann());
    assert_eq!(outcome(&json!({}), &both(&bad, &good)), None);
    assert_eq!(outcome(&json!({}), &both("Bearer x", &good)), ann());
    assert_eq!(outcome(&json!({}), &both(&basic("bob:x"), &good)), ann());
}

#[test]
fn hidden_credentials_do_not_go_upstream() {
    let _gateway = gateway();
    let request = authorized(&basic("ann:pw:with:colons"));
    assert_eq!(outcome(&json!({ "hide_credentials": true }), &request), ann());
    assert_eq!(request.as_request().header("authorization"), None);
    let request = authorized(&basic("ann:pw:with:colons"));
    assert_eq!(outcome(&json!({}), &request), ann());
    assert!(request.as_request().header("authorization").is_some());
}

#[test]
fn who_has_no_good_password_is_the_anonymous_consumer_where_there_is_one() {
    let _gateway = gateway();
    let config = json!({ "anonymous": "nobody" });
    assert_eq!(outcome(&config, &authorized(&basic("ann:no"))), Some(("9".into(), None)));
    assert_eq!(outcome(&config, &authorized(&basic("ann:pw:with:colons"))), ann());
}

#[test]
fn the_realm_is_told() {
    let _gateway = gateway();
    let plugin: BasicAuth = configure(&json!({ "realm": "vault" })).unwrap();
    let decision = plugin.on_request(&RawRequest::get("/").as_request()).unwrap();
    let expected = Decision::fail(401, "Unauthorized").header("www-authenticate", "Basic realm=\"vault\"");
    assert_eq!(decision, expected);
}
