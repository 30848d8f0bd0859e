//! What plugins see and do, over sockets.

use crate::client::{Client, get, raw};
use crate::harness::{Gateway, SECRET, Setup, token, token_signed_with};

fn probe(mode: &str) -> Gateway {
    Setup::new().route("probe", "probe", &format!("mode: {mode}")).start()
}

#[test]
fn a_plugin_can_answer_early_and_the_upstream_hears_nothing() {
    let gateway = probe("answer");
    let answer = get(gateway.proxy, "/probe", &[]);
    assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
    assert_eq!(answer.header("x-probe").unwrap(), "answered");
    assert!(answer.header("x-kong-upstream-latency").is_none());
    assert_eq!(gateway.upstream_requests(), 0);
}

#[test]
fn a_response_hook_sees_the_status_wherever_the_response_comes_from() {
    let gateway = probe("pass");
    assert_eq!(get(gateway.proxy, "/probe?echo_code=404", &[]).header("x-probe-status").unwrap(), "404");
    let gateway = probe("answer");
    assert_eq!(get(gateway.proxy, "/probe", &[]).header("x-probe-status").unwrap(), "418");
}

#[test]
fn header_values_that_are_not_utf_8_pass_unharmed() {
    let gateway = probe("echo");
    let mut request = b"GET /probe HTTP/1.1\r\nhost: a\r\nx-echo: caf\xe9 \xff\xfe\r\n".to_vec();
    request.extend(b"\r\n");
    let answer = raw(gateway.proxy, &request).unwrap();
    assert_eq!(answer.raw_header("x-response-echo").unwrap(), b"caf\xe9 \xff\xfe");
    let seen = gateway.last_upstream_head();
    assert!(seen.windows(6).any(|bytes| bytes == b"caf\xe9 \xff"), "{seen:?}");
}

#[test]
fn a_plugin_cannot_inject_headers_or_touch_framing() {
    let gateway = probe("inject");
    let answer = get(gateway.proxy, "/probe", &[]);
    assert_eq!(answer.status, 200);
    assert!(answer.header("x-injected").is_none());
    let refusals: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "x-refused").collect();
    assert_eq!(refusals.len(), 6, "{refusals:?}");
    let seen = String::from_utf8_lossy(&gateway.last_upstream_head()).to_lowercase();
    assert!(!seen.contains("x-injected") && !seen.contains("content-length: 5"), "{seen}");
}

#[test]
fn what_one_request_keeps_is_never_seen_by_another() {
    let gateway = probe("remember");
    let mut client = Client::connect(gateway.proxy);
    let mut last = 0;
    for round in 0..50 {
        let secret = format!("secret-{round}");
        let answer = client.get("/probe", &[("x-secret", &secret)]).unwrap();
        assert_eq!(answer.header("x-found").unwrap(), "", "round {round}");
        assert_eq!(answer.header("x-remembered").unwrap(), secret);
        let answer = client.get("/probe", &[]).unwrap();
        assert_eq!(answer.header("x-found").unwrap(), "", "round {round}");
        assert_eq!(answer.header("x-remembered").unwrap(), "");
        last = answer.header("x-served").unwrap().parse().unwrap();
    }
    // The same instance served them all, so there was something to leak.
    assert!(last >= 90, "{last}");
}

#[test]
fn a_plugin_learns_the_facts_of_its_request() {
    let gateway = probe("facts");
    let answer = get(gateway.proxy, "/probe/a?b=c&d", &[]);
    for (name, value) in [
        ("x-method", "GET"),
        ("x-path", "/probe/a"),
        ("x-query", "b=c&d"),
        ("x-host", "gateway.test"),
        ("x-client", "127.0.0.1"),
        ("x-route", "probe-route"),
        ("x-service", "echo"),
    ] {
        assert_eq!(answer.header(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(answer.header("x-id"), answer.header("x-kong-request-id"));
}

#[test]
fn plugins_run_by_priority_and_the_closest_configuration_wins() {
    let declarative = "
_format_version: '3.0'
plugins:
- name: one-header
  config: { name: x-from, value: global }
services:
- name: echo
  url: UPSTREAM
  plugins:
  - name: one-header
    config: { name: x-from, value: service }
  routes:
  - name: own
    paths: [/own]
    plugins:
    - name: one-header
      config: { name: x-from, value: route }
  - name: inherited
    paths: [/inherited]
  - name: 'off'
    paths: [/off]
    plugins:
    - name: one-header
      enabled: false
      config: { name: x-from, value: nobody }
- name: other
  url: UPSTREAM
  routes:
  - name: other
    paths: [/other]
";
    let gateway = Setup::new().declarative(declarative).start();
    for (path, from) in
        [("/own", "route"), ("/inherited", "service"), ("/off", "service"), ("/other", "global")]
    {
        assert_eq!(get(gateway.proxy, path, &[]).header("x-from").as_deref(), Some(from), "{path}");
    }
}

#[test]
fn a_secret_may_be_in_a_vault() {
    // A variable that whoever runs tests has set.
    let secret = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let config = "secret: '{vault://env/cargo-manifest-dir}'";
    let gateway = Setup::new().route("secure", "jwt-claims", config).start();
    for (secret, status) in [(secret.as_str(), 200), (SECRET, 401)] {
        let token = format!("Bearer {}", token_signed_with(secret, 3_600));
        assert_eq!(get(gateway.proxy, "/secure", &[("authorization", &token)]).status, status);
    }
    let shown = get(gateway.admin, "/plugins", &[]).json();
    assert_eq!(shown["data"][0]["config"]["secret"], "{vault://env/cargo-manifest-dir}");
}

#[test]
fn the_workshops_token_story_comes_out_as_told() {
    let config = format!("secret: {SECRET}\n        claims: {{ username: JWT-username }}");
    let gateway = Setup::new().route("secure", "jwt-claims", &config).plain_route("open").start();

    assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
    let answer = get(gateway.proxy, "/secure", &[]);
    assert_eq!((answer.status, answer.text().as_str()), (401, "JwtError: no bearer token"));
    let expired = format!("Bearer {}", token(-3_600));
    let answer = get(gateway.proxy, "/secure", &[("authorization", &expired)]);
    assert_eq!((answer.status, answer.text().as_str()), (401, "JwtError: token expired"));
    let valid = format!("Bearer {}", token(3_600));
    let answer = get(gateway.proxy, "/secure", &[("authorization", &valid)]);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("jwt-username").unwrap(), "MichalJeczalik");
    let answer = get(gateway.admin, "/jwt-claims/ping", &[]);
    assert_eq!((answer.status, answer.text().as_str()), (200, "PONG"));
}
