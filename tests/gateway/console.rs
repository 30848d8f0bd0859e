//! What the console asks of the Admin API, and that it is told the truth.

use serde_json::{Value, json};

use crate::client::{Client, get, raw};
use crate::harness::{Gateway, Setup};

const ROUTES: &str = "
_format_version: '3.0'
services:
- name: echo
  url: UPSTREAM/base
  routes:
  - { name: short, paths: [/a] }
  - { name: long, paths: [/a/b], strip_path: false }
  - { name: regex, paths: ['~/a/\\d+$'], strip_path: false }
  - { name: host, hosts: [only.test], preserve_host: true }
  - { name: wildcard, hosts: ['*.wild.test'] }
  - { name: method, paths: [/a], methods: [DELETE] }
  - { name: header, paths: [/a], headers: { x-kind: [special] } }
  - { name: both, paths: [/a], hosts: [only.test], headers: { x-kind: [special] } }
  - { name: tls, paths: [/tls], protocols: [https] }
- name: disabled
  url: UPSTREAM
  enabled: false
  routes:
  - { name: disabled, paths: [/a/b/c] }
";

fn asking(method: &str, host: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nkong-debug: 1\r\ncontent-length: 0\r\n{lines}\r\n")
}

fn explained(gateway: &Gateway, request: Value) -> Value {
    let answer = gateway.ask("POST", "/moongate/explain", &request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn the_explained_route_and_upstream_are_those_that_the_request_takes() {
    let gateway = Setup::new().declarative(ROUTES).property("allow_debug_header: on").start();
    let special: &[(&str, &str)] = &[("x-kind", "special")];
    type Case<'a> = (&'a str, &'a str, &'a str, &'a [(&'a str, &'a str)]);
    let cases: &[Case<'_>] = &[
        ("GET", "gw.test", "/a", &[]),
        ("GET", "gw.test", "/a/", &[]),
        ("GET", "gw.test", "/a/x?y=%20z", &[]),
        ("GET", "gw.test", "/a/b", &[]),
        ("GET", "gw.test", "/a/b/c/d", &[]),
        ("GET", "gw.test", "/a/42", &[]),
        ("GET", "gw.test", "/a/42/x", &[]),
        ("GET", "gw.test", "/a/./c/../42", &[]),
        ("GET", "gw.test", "/%61/%62", &[]),
        ("DELETE", "gw.test", "/a/x", &[]),
        ("DELETE", "gw.test", "/a/b", &[]),
        ("GET", "gw.test", "/a/x", special),
        ("GET", "only.test", "/a/x", special),
        ("GET", "only.test", "/a/x", &[]),
        ("GET", "only.test:8000", "/z", &[]),
        ("GET", "ONLY.test", "/z", &[]),
        ("GET", "x.wild.test", "/z", &[]),
        ("GET", "wild.test", "/z", &[]),
        ("POST", "gw.test", "/b", &[]),
        ("GET", "gw.test", "/tls/x", &[]),
        ("TRACE", "gw.test", "/a", &[]),
    ];
    for (method, host, path, headers) in cases {
        let mut pairs: Vec<Value> = headers.iter().map(|(name, value)| json!([name, value])).collect();
        pairs.push(json!(["host", host]));
        let said = explained(&gateway, json!({"method": method, "url": path, "headers": pairs}));
        let answer = raw(gateway.proxy, asking(method, host, path, headers).as_bytes()).unwrap();
        let case = format!("{method} {host} {path} {headers:?}: {said}");
        match said["refusal"]["status"].as_u64() {
            Some(status) => assert_eq!(u64::from(answer.status), status, "{case}"),
            None => {
                assert_eq!(answer.status, 200, "{case}");
                assert_eq!(
                    answer.header("kong-route-id").as_deref(),
                    said["matched"]["route"]["id"].as_str(),
                    "{case}"
                );
                let seen = String::from_utf8(gateway.last_upstream_head()).unwrap();
                let uri = said["upstream"]["uri"].as_str().unwrap();
                let asked = uri.strip_prefix(&gateway.upstream_url()).unwrap();
                assert_eq!(seen.split(' ').nth(1).unwrap(), asked, "{case}");
                let host = format!("\r\nhost: {}\r\n", said["upstream"]["host_header"].as_str().unwrap());
                assert!(seen.to_lowercase().contains(&host.to_lowercase()), "{case}: {seen}");
            }
        }
    }
}

#[test]
fn an_explanation_says_what_came_close_and_which_plugins_run() {
    let declarative = "
_format_version: '3.0'
plugins:
- { name: noop, config: {} }
services:
- name: echo
  url: UPSTREAM
  plugins:
  - { name: one-header, config: { name: x-one, value: '1' } }
  routes:
  - { name: open, paths: [/a] }
  - { name: closer, paths: [/a/b], methods: [PUT] }
";
    let gateway = Setup::new().declarative(declarative).start();
    let said = explained(&gateway, json!({"url": "/a/b"}));
    assert_eq!(said["matched"]["route"]["name"], "open");
    assert_eq!(said["missed"][0]["route"]["name"], "closer");
    assert_eq!(said["missed"][0]["unmet"], json!(["method"]));
    let plugins: Vec<_> =
        said["plugins"].as_array().unwrap().iter().map(|run| (&run["name"], &run["level"])).collect();
    assert_eq!(plugins.len(), 2, "{said}");
    assert!(plugins.contains(&(&json!("one-header"), &json!("service"))), "{said}");
    assert!(plugins.contains(&(&json!("noop"), &json!("global"))), "{said}");
}

#[test]
fn what_sees_a_request_before_its_route_is_named_and_what_it_does_is_not_foreseen() {
    let declarative = "
_format_version: '3.0'
plugins:
- { name: every-hook, config: {} }
services:
- name: echo
  url: UPSTREAM
  routes:
  - { name: x, paths: [/x] }
";
    let grants = "[consumers, counters, crypto, entities, kv, metrics, secrets, \
                  {http-client: {hosts: ['127.0.0.1'], private: true}}]";
    let gateway = Setup::new()
        .declarative(declarative)
        .bundled("every-hook")
        .property(&format!("plugin_grants: {{every-hook: {grants}}}"))
        .start();
    let names =
        |runs: &Value| runs.as_array().unwrap().iter().map(|run| run["name"].clone()).collect::<Vec<_>>();
    // The plugin leads /early to the route of /x.
    assert_eq!(get(gateway.proxy, "/early", &[]).status, 200);
    let said = explained(&gateway, json!({"url": "/early"}));
    assert_eq!((names(&said["early"]), &said["refusal"]["status"]), (vec![json!("every-hook")], &json!(404)));
    assert_eq!(said["early"][0]["hooks"], json!(["early-request"]));
    let said = explained(&gateway, json!({"url": "/x"}));
    assert_eq!(said["matched"]["route"]["name"], "x");
    let hooks = &said["plugins"][0]["hooks"];
    assert_eq!(hooks, &json!(["request", "response", "response-body", "log"]), "{said}");
    // What is refused at once is seen by nobody.
    let said = explained(&gateway, json!({"url": "/x", "method": "TRACE"}));
    assert_eq!((names(&said["early"]), &said["refusal"]["status"]), (Vec::new(), &json!(405)), "{said}");
}

#[test]
fn a_request_is_tried_through_the_proxy_and_traced_where_that_is_allowed() {
    let declarative = "
_format_version: '3.0'
services:
- name: echo
  url: UPSTREAM
  routes:
  - name: open
    paths: [/a]
    plugins:
    - { name: one-header, config: { name: x-one, value: '1' } }
";
    for (setting, traced) in [("on", true), ("off", false)] {
        let gateway =
            Setup::new().declarative(declarative).property(&format!("allow_debug_header: {setting}")).start();
        let answer = gateway.ask("POST", "/moongate/try", &json!({"url": "/a/x"}));
        let tried = answer.json();
        assert_eq!(tried["status"], 200, "{tried}");
        match traced {
            true => assert_eq!(tried["trace"][0]["plugin"], "one-header", "{tried}"),
            false => assert_eq!(tried["trace"], Value::Null),
        }
        let answer = raw(gateway.proxy, asking("GET", "a", "/a", &[]).as_bytes()).unwrap();
        assert_eq!(answer.header("moongate-trace").is_some(), traced);
        assert_eq!(answer.header("kong-route-name").as_deref(), traced.then_some("open"));
        // Who does not ask is not told.
        assert_eq!(get(gateway.proxy, "/a", &[]).header("kong-route-id"), None);
    }
}

/// Answers of `POST /moongate/try`: its status, and what was tried.
fn tried(gateway: &Gateway, request: Value) -> (u16, Value) {
    let answer = gateway.ask("POST", "/moongate/try", &request);
    (answer.status, answer.json())
}

#[test]
fn requests_over_tls_are_tried_with_the_server_name_that_their_url_or_they_say() {
    let declarative = "
_format_version: '3.0'
services:
- name: echo
  url: UPSTREAM
  routes:
  - { name: secure, paths: [/a], protocols: [https] }
  - { name: named, paths: [/a], protocols: [https], snis: [named.test] }
";
    let setup = Setup::new().declarative(declarative).property("allow_debug_header: on");
    let gateway = setup.over_tls().start();
    for (request, route) in [
        (json!({"url": "https://other.test/a"}), "secure"),
        (json!({"url": "https://named.test/a"}), "named"),
        (json!({"url": "https://127.0.0.1/a"}), "secure"),
        (json!({"url": "https://other.test/a", "server_name": "named.test"}), "named"),
        (json!({"url": "https://named.test/a", "server_name": null}), "secure"),
        (json!({"url": "https://named.test/a", "http2": true}), "named"),
    ] {
        let (status, answer) = tried(&gateway, request.clone());
        assert_eq!((status, &answer["status"]), (200, &json!(200)), "{request}: {answer}");
        let headers = answer["headers"].as_array().unwrap();
        assert!(headers.contains(&json!(["kong-route-name", route])), "{request}: {answer}");
        assert_eq!(explained(&gateway, request)["matched"]["route"]["name"], route);
    }
    let (_, answer) = tried(&gateway, json!({"url": "http://named.test/a"}));
    assert_eq!(answer["status"], 426, "{answer}");
    let (status, answer) = tried(&gateway, json!({"url": "https://named.test/a", "server_name": "a b"}));
    assert_eq!(status, 502, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("cannot be the name"), "{answer}");
}

#[test]
fn a_call_of_grpc_is_tried_over_http2_and_its_message_sent_as_it_is() {
    let declarative = "
_format_version: '3.0'
services:
- name: echo
  url: UPSTREAM
  routes:
  - { name: calls, paths: [/a], protocols: [grpcs] }
  - { name: bodies, paths: [/b] }
";
    let setup = Setup::new().declarative(declarative).property("allow_debug_header: on");
    let gateway = setup.over_tls().start();
    let headers = json!({"content-type": "application/grpc", "te": "trailers"});
    let call = json!({"method": "POST", "url": "https://a.test/a", "headers": headers, "http2": true});
    let (_, answer) = tried(&gateway, call.clone());
    assert!(answer["headers"].as_array().unwrap().contains(&json!(["kong-route-name", "calls"])), "{answer}");
    let mut unknown = call.clone();
    unknown["url"] = json!("https://a.test/elsewhere");
    let (_, answer) = tried(&gateway, unknown);
    assert!(answer["headers"].as_array().unwrap().contains(&json!(["grpc-status", "5"])), "{answer}");
    // Bytes that are no text arrive as they are.
    let (_, answer) = tried(&gateway, json!({"method": "POST", "url": "/b", "body_base64": "AAAAAAL/gA=="}));
    assert_eq!(answer["body"], "received 7", "{answer}");
    for wrong in [json!({"body_base64": "?"}), json!({"body_base64": "AA==", "body": "x"})] {
        let mut request = wrong.as_object().unwrap().clone();
        request.insert("url".to_owned(), json!("/b"));
        assert_eq!(tried(&gateway, request.into()).0, 400, "{wrong}");
    }
    // The plain listener does not speak HTTP/2, and nothing else is tried in its place.
    let mut plain = call;
    plain["url"] = json!("http://a.test/a");
    let (status, answer) = tried(&gateway, plain);
    assert_eq!(status, 501, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains("`proxy_listen`"), "{answer}");
    let without = Setup::new().plain_route("open").start();
    let (status, answer) = tried(&without, json!({"url": "https://a.test/open"}));
    assert_eq!(status, 501, "{answer}");
}

#[test]
fn events_tell_of_requests_within_two_seconds() {
    let gateway = Setup::new().plain_route("open").start();
    let mut client = Client::connect(gateway.admin);
    client.send(b"GET /moongate/events HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let head = client.receive_head().unwrap();
    assert_eq!(head.header("content-type").as_deref(), Some("text/event-stream"));
    for _ in 0..20 {
        assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
    }
    let started = std::time::Instant::now();
    let mut messages = client
        .into_lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    let history = messages.next().unwrap();
    assert!(history["samples"].is_array() && history["events"].is_array(), "{history}");
    let mut samples = Vec::new();
    for message in messages.filter(|message| message["sample"].is_object()) {
        let has_seen_all = message["totals"]["requests"].as_u64().unwrap() >= 20;
        samples.push(message);
        if has_seen_all {
            break;
        }
    }
    assert!(started.elapsed() <= std::time::Duration::from_secs(2), "after {:?}", started.elapsed());
    let last = samples.last().unwrap();
    assert!(last["sample"]["memory"].as_u64().unwrap() > 0);
    assert_eq!(last["totals"]["workers"][0]["requests"], last["totals"]["requests"]);
    assert!(samples.iter().any(|message| message["sample"]["rate"]["2xx"].as_f64().unwrap() > 0.0));
    for part in ["gateway", "upstream"] {
        let latencies = samples.iter().filter_map(|message| {
            let latency = &message["sample"]["latency"][part];
            Some((latency["p50"].as_f64()?, latency["p99"].as_f64()?))
        });
        let latencies: Vec<_> = latencies.collect();
        assert!(!latencies.is_empty(), "{part}: {samples:?}");
        assert!(latencies.iter().all(|(p50, p99)| 0.0 < *p50 && p50 <= p99), "{part}: {latencies:?}");
    }
}

#[test]
fn events_tell_what_became_other_when_a_whole_configuration_was_loaded() {
    let declared = |hosts: &[&str]| {
        let services = hosts.iter().enumerate();
        let services = services.map(|(number, host)| format!("- {{ name: s{number}, host: {host} }}\n"));
        format!("_format_version: '3.0'\nservices:\n{}", services.collect::<String>())
    };
    let gateway = Setup::new().declarative(&declared(&["a.test"; 30])).start();
    let mut client = Client::connect(gateway.admin);
    client.send(b"GET /moongate/events HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    client.receive_head().unwrap();
    let mut messages = client
        .into_lines()
        .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok());
    // A first sample says that the node has been looked at.
    assert!(messages.any(|message| message["sample"].is_object()));
    let mut changes = messages.filter(|message| message["kind"] == "configuration_changed");
    let mut hosts = ["a.test"; 30];
    hosts[7] = "b.test";
    gateway.declare(&declared(&hosts));
    let change = changes.next().unwrap();
    assert_eq!(change["message"], "The service s7 was changed", "{change}");
    let told = &change["changes"][0];
    assert_eq!(
        (&told["entity"], &told["operation"], &told["name"]),
        (&json!("services"), &json!("changed"), &json!("s7")),
        "{change}"
    );
    gateway.declare(&declared(&["c.test"; 12]));
    let change = changes.next().unwrap();
    assert_eq!(change["message"], "30 entities changed", "{change}");
    assert_eq!(
        change["changes"],
        json!([
            {"entity": "services", "operation": "changed", "count": 12},
            {"entity": "services", "operation": "deleted", "count": 18},
        ])
    );
}

#[test]
fn a_plugin_is_uploaded_only_where_a_token_is_asked_for() {
    let upload = |gateway: &Gateway, file: &str, bytes: &[u8], token: &str| {
        let mut client = Client::connect(gateway.admin);
        let head = format!(
            "POST /moongate/plugins?file={file} HTTP/1.1\r\nhost: a\r\n{token}content-type: application/wasm\r\n\
             content-length: {}\r\n\r\n",
            bytes.len()
        );
        client.send(head.as_bytes()).unwrap();
        client.send(bytes).unwrap();
        client.receive().unwrap()
    };
    let gateway = Setup::new().plain_route("open").start();
    let bytes = std::fs::read(gateway.plugin_path("noop.wasm")).unwrap();
    assert_eq!(upload(&gateway, "noop.wasm", &bytes, "").status, 403);

    let gateway = Setup::new().plain_route("open").property("admin_token: s3cret").start();
    let token = "kong-admin-token: s3cret\r\n";
    assert_eq!(upload(&gateway, "noop.wasm", &bytes, "").status, 401);
    let refused = upload(&gateway, "noop.wasm", b"no component", token);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("is not a WebAssembly component"), "{}", refused.text());
    assert_eq!(std::fs::read(gateway.plugin_path("noop.wasm")).unwrap(), bytes, "the file is as it was");
    let taken = upload(&gateway, "noop.wasm", &bytes, token);
    assert_eq!((taken.status, &taken.json()["plugin"]["generation"]), (201, &json!(2)), "{}", taken.text());
    assert_eq!(upload(&gateway, "..%2Fnoop.wasm", &bytes, token).status, 400);
}

#[test]
fn the_explained_host_of_a_balanced_service_is_the_one_that_the_target_gets() {
    let gateway = Setup::new().property("database: sqlite").start();
    let target = gateway.upstream_url().replace("http://", "");
    for (name, host_header) in [("plain", Value::Null), ("named", json!("custom.test"))] {
        gateway.write("POST", "/upstreams", json!({"name": name, "host_header": host_header}));
        let targets = format!("/upstreams/{name}/targets");
        gateway.write("POST", &targets, json!({"target": "127.0.0.1:1", "weight": 0}));
        gateway.write("POST", &targets, json!({"target": target}));
        gateway.write("POST", "/services", json!({"name": name, "host": name}));
        gateway.write("POST", &format!("/services/{name}/routes"), json!({"paths": [format!("/{name}")]}));
        let said = explained(&gateway, json!({"url": format!("/{name}")}));
        assert_eq!(get(gateway.proxy, &format!("/{name}"), &[]).status, 200);
        let head = String::from_utf8(gateway.last_upstream_head()).unwrap().to_ascii_lowercase();
        let host = said["upstream"]["host_header"].as_str().unwrap();
        assert!(head.contains(&format!("\r\nhost: {host}\r\n")), "{host} in {head}");
    }
}
