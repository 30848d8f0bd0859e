//! The harness, tried with a plugin of which it is known what it does.
//!
//! `cargo xtask plugins` builds the plugin.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]
#![allow(clippy::disallowed_types, reason = "what is measured is time on the real clock")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use moongate_testing::{Answer, Gateway, Upstream};
use serde_json::json;

const SECRET: &str = "a-secret-of-the-tests";

fn plugin() -> PathBuf {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugins/jwt-claims.wasm");
    assert!(file.is_file(), "{} is not there; run `cargo xtask plugins`", file.display());
    file
}

fn token(user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
    let claims = json!({"username": user, "exp": now + 60});
    let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
    format!("Bearer {token}")
}

fn guarded() -> Gateway {
    Gateway::builder()
        .plugin(plugin())
        .config(json!({
            "secret": SECRET,
            "claims": {"username": "x-user"},
            "upstream_claims": {"username": "x-user"},
        }))
        .start()
}

#[test]
fn a_plugin_acts_on_requests_and_the_upstream_remembers() {
    let gateway = guarded();
    gateway
        .get("/orders")
        .send()
        .expect_status(401)
        .expect_header("www-authenticate", "Bearer")
        .expect_text("JwtError: no bearer token");
    gateway.upstream().expect_requests(0);

    let answer = gateway
        .request("POST", "/orders?page=2")
        .header("authorization", token("anna"))
        .json(&json!({"a": 1}))
        .send();
    answer.expect_status(200).expect_header("x-user", "anna").expect_no_header("www-authenticate");
    assert_eq!(answer.json()["target"], "/orders?page=2");
    let received = gateway.upstream().last_request();
    assert_eq!((received.method.as_str(), received.path()), ("POST", "/orders"));
    assert_eq!(received.header("x-user").unwrap(), "anna");
    assert_eq!(received.text(), r#"{"a":1}"#);
    gateway.upstream().expect_requests(1);
}

#[test]
fn routes_have_upstreams_and_plugins_of_their_own() {
    let teapot = Upstream::replying(|_| Answer::new(418, "short and stout").header("x-pot", "tea"));
    let gateway = Gateway::builder()
        .route("/open")
        .upstream(&teapot)
        .route("/secure")
        .plugin(plugin())
        .config(json!({"secret": SECRET}))
        .start();
    gateway.get("/open/pot").send().expect_status(418).expect_header("x-pot", "tea").expect_contains("stout");
    gateway.get("/secure").send().expect_status(401);
    gateway.get("/elsewhere").send().expect_status(404);
    teapot.expect_requests(1);
    assert_eq!(teapot.last_request().path(), "/open/pot");
}

#[test]
fn admin_hooks_and_the_admin_api_answer() {
    let gateway = guarded();
    assert_eq!(gateway.plugin_name(0), "jwt-claims");
    gateway.admin("GET", "/jwt-claims/ping").send().expect_status(200).expect_text("PONG");
    assert_eq!(gateway.admin("GET", "/routes").send().json()["data"][0]["name"], "route-0");
}

#[test]
fn a_wrong_configuration_is_refused_and_the_one_before_stays() {
    let wrong = Gateway::builder().plugin(plugin()).config(json!({"exit_code": "often"})).try_start();
    let message = wrong.unwrap_err().to_string();
    assert!(
        message.starts_with("the configuration is refused") && message.contains("exit_code"),
        "{message}"
    );

    let gateway = guarded();
    let mut other = gateway.declarative().clone();
    other["plugins"][0]["config"] = json!({"secret": 5});
    assert!(gateway.configure(&other).unwrap_err().to_string().contains("secret"));
    gateway.get("/").header("authorization", token("anna")).send().expect_header("x-user", "anna");
    other["plugins"] = json!([]);
    gateway.configure(&other).unwrap();
    gateway.get("/").send().expect_status(200);
}

#[test]
fn a_plugin_is_replaced_while_the_gateway_runs() {
    let gateway = guarded();
    let folder = tempfile::tempdir().unwrap();
    let next = folder.path().join("jwt-claims.wasm");
    let mut bytes = std::fs::read(plugin()).unwrap();
    // A custom section at the end changes nothing but the digest.
    bytes.extend([0, 2, 1, b'x']);
    std::fs::write(&next, &bytes).unwrap();
    gateway.replace(&next).unwrap();
    gateway.get("/").header("authorization", token("anna")).send().expect_header("x-user", "anna");

    std::fs::write(&next, b"no component").unwrap();
    let refusal = gateway.replace(&next).unwrap_err();
    assert!(refusal.contains("is not a WebAssembly component"), "{refusal}");
    gateway.get("/").header("authorization", token("anna")).send().expect_header("x-user", "anna");
}

#[test]
fn a_file_that_is_no_plugin_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.wasm");
    std::fs::write(&file, b"no component").unwrap();
    let message = Gateway::builder().plugin(&file).try_start().unwrap_err().to_string();
    assert!(message.contains("broken.wasm: the plugin is refused"), "{message}");
}

#[test]
fn the_second_start_takes_less_than_a_second() {
    drop(guarded());
    // Other work on the machine may hold up one of them.
    let fastest = (0..3).map(|_| timed(|| drop(guarded()))).min().unwrap();
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
}

#[test]
#[should_panic(expected = "GET /nothing was answered with 401")]
fn an_expectation_that_fails_shows_the_answer() {
    guarded().get("/nothing").send().expect_status(200);
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}
