//! What a plugin from strangers tries, and what stands against it.

use std::time::{Duration, Instant};

use crate::client::{Response, get};
use crate::harness::{Gateway, Setup};

/// A gateway whose requests to `/x` are the fixture's, with these grants.
fn gateway(grants: &str) -> Gateway {
    Setup::new()
        .route("x", "stranger", "{}")
        .plain_route("good")
        .bundled("stranger")
        .property(&format!("plugin_grants: {{stranger: [kv, counters, metrics, {grants}]}}"))
        .start()
}

/// Lets the fixture do something.
fn act(gateway: &Gateway, act: &str, on: &str) -> Response {
    get(gateway.proxy, "/x", &[("x-act", act), ("x-on", on)])
}

/// The fixture fails for this reason, and others are served.
fn is_stopped(gateway: &Gateway, what: &str, on: &str, reason: &str) {
    let answer = act(gateway, what, on);
    assert_eq!(answer.status, 500, "{what} {on}: {}", answer.text());
    let error = gateway.plugin("stranger")["last_error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains(reason), "{what}: {error}");
    assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
}

#[test]
fn requests_to_this_machine_and_to_private_networks_are_refused_in_every_shape() {
    let hosts = "['*']";
    let gateway = gateway(&format!("{{http-client: {{hosts: {hosts}}}}}"));
    let port = gateway.admin.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "2130706433",
        "127.1",
        "0.0.0.0",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.0.1",
    ] {
        let said = act(&gateway, "fetch", &format!("http://{host}:{port}/")).text();
        assert!(said.starts_with("not granted: "), "{host}: {said}");
    }
}

#[test]
fn only_granted_hosts_are_asked_and_redirects_are_not_followed() {
    let gateway = gateway("{http-client: {hosts: ['127.0.0.1'], private: true}}");
    let upstream = gateway.upstream_url();
    assert!(act(&gateway, "fetch", &upstream).text().starts_with("200"), "what is granted is asked");
    let by_name = upstream.replace("127.0.0.1", "localhost");
    let said = act(&gateway, "fetch", &by_name).text();
    assert!(said.contains("`localhost` is not among the granted hosts"), "{said}");
    // Whoever followed this would be answered 200.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let admin = gateway.admin;
    std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
        let head = format!("HTTP/1.1 302 Found\r\nlocation: http://{admin}/\r\ncontent-length: 0\r\n\r\n");
        let _ = std::io::Write::write_all(&mut stream, head.as_bytes());
    });
    assert_eq!(act(&gateway, "fetch", &format!("http://{address}/")).text(), "302 with 0 bytes");
}

#[test]
fn values_and_counters_of_one_plugin_are_out_of_reach_of_another() {
    let all = "[consumers, counters, crypto, entities, kv, metrics, secrets, {http-client: {hosts: []}}]";
    let gateway = Setup::new()
        .route("x", "stranger", "{}")
        .route("other", "every-hook", "{}")
        .bundled("stranger")
        .bundled("every-hook")
        .property(&format!("plugin_grants: {{stranger: [kv, counters, metrics, {{http-client: {{hosts: []}}}}], every-hook: {all}}}"))
        .start();
    assert_eq!(get(gateway.proxy, "/other", &[]).header("x-count").as_deref(), Some("1"));
    let began = Instant::now();
    while get(gateway.status, "/every-hook/kept", &[]).json()["ticks"] == "" {
        assert!(began.elapsed() < Duration::from_secs(10), "the fixture keeps nothing");
        std::thread::sleep(Duration::from_millis(20));
    }
    // The names that the other one uses.
    assert_eq!(act(&gateway, "kept", "ticks").text(), "nothing");
    assert_eq!(act(&gateway, "counted", "requests").text(), "0");
    assert_eq!(act(&gateway, "keep", "ticks").text(), "true");
    assert!(act(&gateway, "count", "requests").text().starts_with("1 of"));
    assert_eq!(act(&gateway, "counted", "requests").text(), "1");
    assert_eq!(get(gateway.proxy, "/other", &[]).header("x-count").as_deref(), Some("2"));
}

#[test]
fn what_is_handed_over_and_held_has_bounds() {
    let gateway = gateway("{http-client: {hosts: []}}");
    is_stopped(&gateway, "hand-over", "9000000", "hostcall");
    let gateway = self::gateway("{http-client: {hosts: []}}");
    is_stopped(&gateway, "open", "30000", "handle");
}

#[test]
fn what_is_kept_has_bounds_that_the_plugin_is_told() {
    let gateway = gateway("{http-client: {hosts: []}}");
    // 16 MiB, keys and what is around them included.
    let said = act(&gateway, "hoard", "1000000").text();
    assert_eq!(said, "16 kept, the next is there: false");
    for (what, on) in [("long-header", "200000"), ("many-headers", "5000"), ("many-edits", "5000")] {
        let said = act(&gateway, what, on).text();
        assert!(said.contains("too large") || said.contains("no room"), "{what}: {said}");
    }
    let said = act(&gateway, "many-headers", "10").text();
    assert_eq!(said, "done");
}
