//! Credentials that are written while the gateway serves.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::get;
use crate::harness::{Gateway, Setup};

/// A gateway with a database, a route `/x` with these plugins and their configurations, and the consumer `ann`.
fn gateway(plugins: &[(&str, Value)]) -> Gateway {
    let setup = Setup::new().property("database: sqlite");
    let gateway = plugins.iter().fold(setup, |setup, (name, _)| setup.bundled(name)).start();
    gateway.write("POST", "/services", json!({"name": "s", "url": gateway.upstream_url()}));
    gateway.write("POST", "/services/s/routes", json!({"name": "r", "paths": ["/x"]}));
    gateway.write("POST", "/consumers", json!({"username": "ann"}));
    for (name, config) in plugins {
        gateway.write("POST", "/routes/r/plugins", json!({"name": name, "config": config}));
    }
    gateway
}

fn with_key(gateway: &Gateway, key: &str) -> u16 {
    get(gateway.proxy, "/x", &[("apikey", key)]).status
}

/// Status for a user and password in Base64.
fn with_password(gateway: &Gateway, pair: &str) -> u16 {
    get(gateway.proxy, "/x", &[("authorization", &format!("Basic {pair}"))]).status
}

#[test]
fn a_key_counts_from_the_request_after_it_was_written() {
    let gateway = gateway(&[("key-auth", json!({}))]);
    for round in 0..10 {
        let key = format!("key-{round}");
        assert_eq!(with_key(&gateway, &key), 401, "{key}");
        gateway.write("POST", "/consumers/ann/key-auth", json!({"key": key}));
        assert_eq!(with_key(&gateway, &key), 200, "{key}");
        assert_eq!(gateway.ask("DELETE", &format!("/key-auths/{key}"), &Value::Null).status, 204);
        assert_eq!(with_key(&gateway, &key), 401, "{key}");
    }
    gateway.write("POST", "/consumers/ann/key-auth", json!({"key": "last"}));
    assert_eq!(gateway.ask("DELETE", "/consumers/ann", &Value::Null).status, 204);
    assert_eq!(with_key(&gateway, "last"), 401);
}

#[test]
fn a_key_ends_with_its_time() {
    let gateway = gateway(&[("key-auth", json!({}))]);
    gateway.write("POST", "/consumers/ann/key-auth", json!({"key": "short", "ttl": 2}));
    assert_eq!(with_key(&gateway, "short"), 200);
    let began = Instant::now();
    while with_key(&gateway, "short") == 200 {
        assert!(began.elapsed() < Duration::from_secs(5), "the key does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_password_is_hashed_once_however_often_its_row_is_written() {
    let gateway = gateway(&[("basic-auth", json!({}))]);
    let user = json!({"username": "ann", "password": "first"});
    let row = gateway.write("POST", "/consumers/ann/basic-auth", user);
    assert_eq!(row["password"].as_str().unwrap().len(), 40);
    let changed = gateway.write("PATCH", "/consumers/ann/basic-auth/ann", json!({"tags": ["a"]}));
    assert_eq!(changed["password"], row["password"]);
    let (first, second) = ("YW5uOmZpcnN0", "YW5uOnNlY29uZA==");
    assert_eq!(with_password(&gateway, first), 200);
    // The consumer's id goes into the hash.
    let change = json!({"password": "second", "consumer": row["consumer"]});
    gateway.write("PATCH", "/consumers/ann/basic-auth/ann", change);
    assert_eq!((with_password(&gateway, first), with_password(&gateway, second)), (401, 200));
}

#[test]
fn groups_count_from_the_request_after_they_were_written() {
    let gateway = gateway(&[("key-auth", json!({})), ("acl", json!({"allow": ["devs"]}))]);
    gateway.write("POST", "/consumers/ann/key-auth", json!({"key": "k"}));
    assert_eq!(with_key(&gateway, "k"), 403);
    gateway.write("POST", "/consumers/ann/acls", json!({"group": "devs"}));
    assert_eq!(with_key(&gateway, "k"), 200);
    let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
    assert!(head.contains("\r\nx-consumer-groups: devs\r\n"), "{head}");
    assert_eq!(gateway.ask("DELETE", "/consumers/ann/acls/devs", &Value::Null).status, 204);
    assert_eq!(with_key(&gateway, "k"), 403);
}

#[test]
fn what_the_client_says_of_itself_never_reaches_the_upstream() {
    let gateway = gateway(&[("key-auth", json!({}))]);
    gateway.write("POST", "/consumers/ann/key-auth", json!({"key": "k"}));
    let claims = [
        ("apikey", "k"),
        ("x-consumer-id", "root"),
        ("x-consumer-username", "root"),
        ("x-consumer-custom-id", "root"),
        ("x-credential-identifier", "root"),
        ("x-anonymous-consumer", "root"),
    ];
    assert_eq!(get(gateway.proxy, "/x", &claims).status, 200);
    let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
    assert!(head.contains("\r\nx-consumer-username: ann\r\n"), "{head}");
    assert!(!head.contains("root"), "{head}");
}
