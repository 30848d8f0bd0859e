//! What operators and their machines see: the Admin API over TLS, and the listener for probes.

use serde_json::json;

use crate::client::{Client, get};
use crate::exchange::{Answer, Request};
use crate::harness::{Gateway, Setup};

const TOKEN: &str = "admin_token: secret-of-the-operator";
const UPSTREAM: &str = "_format_version: '3.0'\nupstreams: [{name: u, targets: [{target: '127.0.0.1:9'}]}]\n";
const SHOWN: (&str, &str) = ("kong-admin-token", "secret-of-the-operator");

#[test]
fn the_admin_api_speaks_tls_with_a_certificate_of_its_own_making() {
    let gateway = Setup::new().property("database: sqlite").property(TOKEN).over_tls().start();
    let refused = ask(&gateway, "GET", "/services", &[], None);
    assert_eq!(refused.status, 401);
    let made = json!({"name": "s", "url": gateway.upstream_url()}).to_string();
    let made = ask(&gateway, "POST", "/services", &[SHOWN], Some(&made));
    assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
    let read = get(gateway.admin, "/services/s", &[SHOWN]);
    assert_eq!(read.json()["name"], "s");
    let shown = get(gateway.admin, "/", &[SHOWN]).json();
    let listeners = &shown["configuration"]["admin_listeners"];
    assert_eq!((&listeners[0]["ssl"], &listeners[1]["ssl"]), (&json!(false), &json!(true)));
    assert_eq!(listeners[1]["port"], gateway.admin_tls.unwrap().port());
}

#[test]
fn a_client_that_never_shakes_hands_holds_up_no_other() {
    let gateway = Setup::new().plain_route("open").over_tls().start();
    let address = gateway.admin_tls.unwrap();
    let _silent: Vec<_> = (0..8).map(|_| Client::connect(address)).collect();
    assert_eq!(ask(&gateway, "GET", "/status", &[], None).status, 200);
}

#[test]
fn probes_are_answered_on_a_listener_that_changes_nothing() {
    let gateway = Setup::new().declarative(UPSTREAM).start();
    let ready = get(gateway.status, "/status/ready", &[]);
    assert_eq!((ready.status, ready.json()), (200, json!({"message": "ready"})));
    assert!(get(gateway.status, "/status", &[]).json()["configuration_hash"].is_string());
    assert_eq!(get(gateway.status, "/status/dns", &[]).status, 501);
    let health = get(gateway.status, "/upstreams/u/health", &[]).json();
    assert_eq!(health["data"][0]["target"], "127.0.0.1:9");
    for path in ["/upstreams/u/targets", "/upstreams/u/targets/all", "/upstreams/u/targets/127.0.0.1:9"] {
        assert_eq!(get(gateway.status, path, &[]).status, 200, "{path}");
    }
    for path in
        ["/services", "/", "/config", "/moongate/plugins", "/one-header/ping", "/upstreams", "/upstreams/u"]
    {
        assert_eq!(get(gateway.status, path, &[]).status, 404, "{path}");
    }
    for (method, path, status) in [
        ("DELETE", "/status", 405),
        ("POST", "/upstreams/u/targets", 405),
        ("OPTIONS", "/status", 204),
        ("OPTIONS", "/status/ready", 204),
    ] {
        let mut client = Client::connect(gateway.status);
        client.send(format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n").as_bytes()).unwrap();
        assert_eq!(client.receive_head().unwrap().status, status, "{method} {path}");
    }
    assert_eq!(get(gateway.admin, "/status/ready", &[]).status, 404);
    let metrics = get(gateway.status, "/metrics", &[]);
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("\n# TYPE kong_"), "{}", metrics.text());
}

#[test]
fn who_is_told_to_drain_goes_on_serving_and_is_not_ready() {
    let gateway = Setup::new().plain_route("open").property(TOKEN).start();
    let drain = |path: &str, header: &str| {
        let mut client = Client::connect(gateway.status);
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{header}content-length: 0\r\n\r\n");
        client.send(head.as_bytes()).unwrap();
        client.receive_head().unwrap().status
    };
    assert_eq!(drain("/status/ready?status=draining", ""), 401);
    let token = format!("{}: {}\r\n", SHOWN.0, SHOWN.1);
    assert_eq!(drain("/status/ready?status=open", &token), 400);
    assert_eq!(get(gateway.status, "/status/ready", &[]).status, 200);
    assert_eq!(drain("/status/ready?status=draining", &token), 204);
    let ready = get(gateway.status, "/status/ready", &[]);
    assert_eq!((ready.status, ready.json()), (503, json!({"message": "draining"})));
    assert_eq!(get(gateway.proxy, "/open", &[]).status, 200);
}

#[test]
fn a_gateway_with_nothing_to_serve_is_not_ready() {
    let gateway = Setup::new().property("database: 'off'").start();
    let ready = get(gateway.status, "/status/ready", &[]);
    let message = "no configuration available (empty configuration present)";
    assert_eq!((ready.status, ready.json()), (503, json!({"message": message})));
}

#[test]
fn probes_need_no_token_and_scrapers_do() {
    let gateway = Setup::new().plain_route("open").property(TOKEN).start();
    assert_eq!(get(gateway.status, "/status/ready", &[]).status, 200);
    assert_eq!(get(gateway.status, "/status", &[]).status, 401);
    assert_eq!(get(gateway.status, "/status", &[SHOWN]).status, 200);
    assert_eq!(get(gateway.status, "/metrics", &[]).status, 401);
}

fn ask(gateway: &Gateway, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
    let address = gateway.admin_tls.unwrap();
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    headers.push(("content-type".into(), "application/json".into()));
    Request::new(method, path, address, &headers, body.map(str::as_bytes)).send_tls(address, None).unwrap()
}
