//! Every hook and every capability, from a component to the gateway and back.

mod figures;
mod forwarding;
mod keeping;
mod pieces;
pub mod server;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{get, raw};
use crate::harness::{Gateway, Setup};

/// A gateway with a database, the route `/x`, the consumer `ann`, and the fixture for all requests.
fn gateway() -> Gateway {
    with_grants("")
}

/// The same with more grants than those of the interfaces.
fn with_grants(more: &str) -> Gateway {
    let grants = format!(
        "[consumers, counters, crypto, entities, kv, metrics, secrets, {{http-client: {{hosts: ['127.0.0.1'], \
         private: true}}}}{more}]"
    );
    let gateway = Setup::new()
        .property("database: sqlite")
        .property(&format!("plugin_grants: {{every-hook: {grants}}}"))
        .bundled("every-hook")
        .start();
    gateway.write("POST", "/services", json!({"name": "s", "url": gateway.upstream_url()}));
    gateway.write("POST", "/services/s/routes", json!({"name": "r", "paths": ["/x"]}));
    gateway.write("POST", "/consumers", json!({"username": "ann"}));
    let config = json!({"variable": "home", "url": gateway.upstream_url()});
    gateway.write("POST", "/plugins", json!({"name": "every-hook", "config": config}));
    gateway
}

/// A gateway with a database, and the fixture that does what requests say, for all of them.
fn obedient() -> Gateway {
    let gateway = Setup::new()
        .property("database: sqlite")
        .property("plugin_grants: {obedient: [consumers, entities, kv, metrics]}")
        .bundled("obedient")
        .over_tls()
        .start();
    gateway.write("POST", "/plugins", json!({"name": "obedient"}));
    gateway
}

/// What the fixture keeps, as soon as it satisfies a condition.
fn kept(gateway: &Gateway, condition: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let kept = get(gateway.status, "/every-hook/kept", &[]).json();
        if condition(&kept) {
            return kept;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{kept}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_request_meets_every_hook_and_capability() {
    let gateway = gateway();
    gateway.write("POST", "/every-notes", json!({"title": "first", "text": "abc"}));
    // Before routing, `/early` becomes the path of the route.
    let answer = get(gateway.proxy, "/early", &[]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let header = |name: &str| answer.header(name).unwrap_or_default();
    assert_eq!(header("x-count"), "1");
    assert_eq!(header("x-note"), "cba");
    assert_eq!(header("x-digest"), "227", "SHA-256 of nothing begins with e3");
    assert_eq!(header("x-secret"), std::env::var("HOME").unwrap());
    assert_eq!(header("x-fetched"), "200");
    assert_eq!(header("x-source"), "upstream");
    assert!(answer.text().starts_with("200:"), "{}", answer.text());
    let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
    assert!(head.contains("\r\nx-consumer-username: ann\r\n"), "{head}");
    assert!(head.contains("\r\nx-anonymous-consumer: true\r\n"), "{head}");
    let ann = get(gateway.admin, "/consumers/ann", &[]).json()["id"].as_str().unwrap().to_owned();
    assert_eq!(header("x-who"), format!("{ann}/"));
    assert_eq!(header("x-taken"), "true [1]");
    // With a credential the client is not anonymous.
    let answer = get(gateway.proxy, "/x?credential=c", &[]);
    let header = |name: &str| answer.header(name).unwrap_or_default();
    assert_eq!((header("x-count"), header("x-who")), ("2".to_owned(), format!("{ann}/c")));
    assert_eq!(header("x-taken"), "true [2]");
    let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
    assert!(!head.contains("x-anonymous-consumer"), "{head}");
    // Nothing is taken beyond the limit.
    let taken = || get(gateway.proxy, "/x", &[]).header("x-taken");
    assert_eq!([taken(), taken()], [Some("false [2]".to_owned()), Some("false [2]".to_owned())]);
}

#[test]
fn requests_of_clients_are_sent_elsewhere_only_where_the_operator_grants_it() {
    let own = |gateway: &Gateway| format!("/x?target={}", gateway.admin);
    for grants in [
        "",
        ", {targets: {hosts: [elsewhere.test], private: true}}",
        // A private address is another grant, whatever name it has.
        ", {targets: {hosts: ['127.0.0.1']}}",
    ] {
        let gateway = with_grants(grants);
        let answer = get(gateway.proxy, &own(&gateway), &[]);
        assert_eq!(answer.status, 500, "{grants}: {}", answer.text());
        let error = gateway.plugin("every-hook")["last_error"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains("`targets` of `plugin_grants` for `every-hook`"), "{error}");
    }
    let gateway = with_grants(", {targets: {hosts: [localhost]}}");
    let by_name = format!("/x?target=localhost:{}", gateway.admin.port());
    assert_eq!(get(gateway.proxy, &by_name, &[]).status, 502, "the name leads to a private address");
    let gateway = with_grants(", {targets: {hosts: ['127.0.0.1'], private: true}}");
    let answer = get(gateway.proxy, &own(&gateway), &[]);
    assert!(answer.text().contains("\"tagline\""), "{}", answer.text());
}

#[test]
fn a_failure_takes_the_form_that_the_client_accepts_and_passes_the_later_hooks() {
    let gateway = gateway();
    let answer = get(gateway.proxy, "/x?fail=1", &[("accept", "text/plain")]);
    assert_eq!((answer.status, answer.header("x-failed").as_deref()), (418, Some("yes")));
    assert_eq!(answer.header("x-source").as_deref(), Some("plugin"));
    assert!(answer.text().starts_with("418:told to fail\nrequest_id: "), "{}", answer.text());
}

/// Sends a request to `/x` and gives what the early hook, the request hook and the response hook read of its body,
/// and what the upstream says of it.
fn bodies(gateway: &Gateway, query: &str, framing: &str, body: &str) -> ([String; 3], String) {
    let method = if framing.is_empty() { "GET" } else { "POST" };
    let request =
        format!("{method} /x{query} HTTP/1.1\r\nhost: h\r\n{framing}connection: close\r\n\r\n{body}");
    let answer = raw(gateway.proxy, request.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let header = |name: &str| answer.header(name).unwrap_or_default();
    (["x-early-body", "x-body", "x-late-body"].map(header), answer.text())
}

#[test]
fn a_request_without_a_body_has_an_empty_one_in_every_hook() {
    let gateway = gateway();
    for framing in ["", "content-length: 0\r\n"] {
        for (query, early) in [("", ""), ("?read=1024", "``"), ("?read=0", "``")] {
            let (read, upstream) = bodies(&gateway, query, framing, "");
            assert_eq!(read, [early, "``", "``"], "{query} {framing}");
            assert_eq!(upstream, "200:received 0");
        }
    }
}

#[test]
fn a_body_is_there_for_the_request_hook_whatever_the_early_hook_did_with_it() {
    let gateway = gateway();
    for (framing, body) in [
        ("content-length: 8\r\n", "question"),
        ("transfer-encoding: chunked\r\n", "4\r\nques\r\n4\r\ntion\r\n0\r\n\r\n"),
    ] {
        for (query, early, later) in [
            ("", "", "`question`"),
            ("?read=1024", "`question`", "`question`"),
            ("?read=3", "error: body is too large", "`question`"),
            ("?replace=other", "", "`other`"),
            ("?read=1024&replace=other", "`question`", "`other`"),
        ] {
            let (read, upstream) = bodies(&gateway, query, framing, body);
            // Behind the upstream it is gone, and said to be.
            assert_eq!(read, [early, later, "error: body is gone already"], "{query} {framing}");
            assert_eq!(upstream, format!("200:received {}", later.len() - 2), "{query} {framing}");
        }
    }
}

#[test]
fn records_and_ticks_reach_the_plugin_besides_requests() {
    let gateway = gateway();
    get(gateway.proxy, "/x", &[]);
    let ticks =
        |kept: &Value| kept["ticks"].as_str().and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or(0);
    let kept = kept(&gateway, |kept| ticks(kept) >= 3 && kept["record"] != "");
    let record: Value = serde_json::from_str(kept["record"].as_str().unwrap()).unwrap();
    assert_eq!(record["every"]["hook"], json!([1]));
    assert_eq!(record["request"]["method"], "GET");
}

#[test]
fn a_plugin_changes_and_refuses_rows_of_its_own_entity() {
    let gateway = gateway();
    let row = gateway.write("POST", "/every-notes", json!({"title": "first", "text": "abc"}));
    assert_eq!(row["text"], "cba");
    let path = "/every-notes/first";
    assert_eq!(gateway.write("PATCH", path, json!({"title": "first"}))["text"], "cba");
    assert_eq!(gateway.write("PATCH", path, json!({"text": "xyz"}))["text"], "zyx");
    assert_eq!(get(gateway.admin, path, &[]).json()["text"], "zyx");
    let refused = gateway.ask("POST", "/every-notes", &json!({"title": "refused"}));
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["fields"]["title"], "is one that is refused", "{}", refused.text());
    assert_eq!(get(gateway.admin, "/every-notes/refused", &[]).status, 404);
}
