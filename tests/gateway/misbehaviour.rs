//! Plugins that misbehave hurt their own request, and nobody else.

use std::time::{Duration, Instant};

use crate::client::{Client, get};
use crate::harness::{Gateway, Setup};

fn probe(mode: &str) -> Gateway {
    Setup::new().route("bad", "probe", &format!("mode: {mode}")).plain_route("good").start()
}

/// The bad route answers 500 each time, and the good one is as good as ever.
fn is_contained(mode: &str, last_error: &str) {
    let gateway = probe(mode);
    for _ in 0..5 {
        let answer = get(gateway.proxy, "/bad", &[]);
        assert_eq!(answer.status, 500, "{}", answer.text());
        assert!(answer.text().contains("An unexpected error occurred"), "{}", answer.text());
        assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
    }
    let known = gateway.plugin("probe")["last_error"].as_str().unwrap_or_default().to_owned();
    assert!(known.contains(last_error), "{known}");
}

#[test]
fn a_plugin_that_traps_on_every_call_is_answered_with_500() {
    is_contained("trap", "the probe was told to panic");
}

#[test]
fn a_hook_that_fails_again_and_again_rests_however_well_the_others_do() {
    // The response hook of the probe sees the 500 and does well.
    let gateway = Setup::new().route("bad", "probe", "mode: trap").plain_route("good").start();
    for _ in 0..8 {
        assert_eq!(get(gateway.proxy, "/bad", &[]).status, 500);
    }
    let probe = gateway.plugin("probe");
    let hooks = probe["statistics"]["hooks"].as_array().unwrap();
    let request = hooks.iter().find(|hook| hook["hook"] == "request").unwrap();
    assert_eq!(request["errors"], serde_json::json!({"plugin_trap": 3, "plugin_resting": 5}), "{probe}");
    let last = probe["last_error"].as_str().unwrap();
    assert!(last.contains("the probe was told to panic"), "resting hides why: {last}");
}

#[test]
fn a_trap_names_the_functions_that_led_to_it() {
    is_contained("trap", "\n  at core::option::expect_failed\n");
}

#[test]
fn a_plugin_that_recurses_without_end_overflows_its_own_stack() {
    is_contained("recurse", "stack");
}

#[test]
fn a_plugin_that_takes_memory_without_end_is_stopped_at_its_limit() {
    is_contained("allocate", "67108864 bytes of memory");
}

#[test]
fn a_plugin_that_loops_forever_is_cut_off() {
    is_contained("loop", "100 ms of CPU");
}

#[test]
fn a_plugin_that_reports_a_failure_is_answered_with_500() {
    is_contained("fail", "the probe was told to fail");
}

#[test]
fn a_reply_that_breaks_out_of_its_header_is_not_sent() {
    is_contained("inject-reply", "not a valid header value");
}

#[test]
fn a_plugin_that_waits_too_long_is_cut_off_and_its_worker_goes_on_meanwhile() {
    let gateway = probe("sleep");
    let mut sleeping = Client::connect(gateway.proxy);
    let started = Instant::now();
    sleeping.send(b"GET /bad HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    for _ in 0..20 {
        assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(1), "the worker waited for the plugin");
    assert_eq!(sleeping.receive().unwrap().status, 500);
    let known = gateway.plugin("probe")["last_error"].as_str().unwrap().to_owned();
    assert!(known.contains("took longer than 1000 ms"), "{known}");
}

#[test]
fn a_failing_plugin_is_overlooked_where_the_operator_says_so() {
    let gateway = Setup::new()
        .route("bad", "probe", "mode: trap")
        .property("plugin_settings: { probe: { on_failure: open } }")
        .start();
    assert_eq!(get(gateway.proxy, "/bad", &[]).status, 200);
}

#[test]
fn single_configurations_may_fail_in_another_way_than_their_plugin() {
    let plugin = |more: &str| format!("[{{name: probe, config: {{mode: trap}}{more}}}]");
    let id = "0a0b0c0d-0000-4000-8000-000000000001";
    let gateway = Setup::new()
        .declarative(&format!(
            "_format_version: '3.0'\nservices:\n- url: UPSTREAM\n  routes:\n  - {{paths: [/closed], plugins: {}}}\n  - {{paths: \
             [/named], plugins: {}}}\n  - {{paths: [/by-id], plugins: {}}}\n",
            plugin(""),
            plugin(", instance_name: lenient"),
            plugin(&format!(", id: {id}")),
        ))
        .property(&format!("plugin_settings: {{probe: {{on_failure_of: {{lenient: open, {id}: open}}}}}}"))
        .start();
    let statuses = ["/closed", "/named", "/by-id"].map(|path| get(gateway.proxy, path, &[]).status);
    assert_eq!(statuses, [500, 200, 200]);
}

#[test]
fn a_plugin_that_floods_the_log_gets_its_lines_of_a_second_and_no_more() {
    let gateway = probe("flood");
    assert_eq!(get(gateway.proxy, "/bad", &[]).status, 200);
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(get(gateway.proxy, "/bad", &[]).status, 200);
    let log = gateway.stop();
    let lines = log.lines().filter(|line| line.contains("of a flood")).count();
    assert!((1..=500).contains(&lines), "{lines} lines");
    assert!(log.contains("log lines dropped"), "{log}");
}

#[test]
fn an_admin_hook_that_loops_is_cut_off_and_holds_up_nobody() {
    let gateway = probe("pass");
    let mut looping = Client::connect(gateway.admin);
    looping.send(b"POST /probe/loop HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n").unwrap();
    for _ in 0..10 {
        assert_eq!(get(gateway.admin, "/status", &[]).status, 200);
        assert_eq!(get(gateway.proxy, "/good", &[]).status, 200);
    }
    assert_eq!(looping.receive().unwrap().status, 500);
    assert_eq!(get(gateway.admin, "/probe/served", &[]).status, 200);
}
