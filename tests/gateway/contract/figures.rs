//! What the gateway measures of plugins: at `/metrics` and where the Admin API shows the plugin.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::get;
use crate::harness::{Gateway, Setup};

/// The series of a plugin, by family and labels but the plugin's own.
fn series(gateway: &Gateway, plugin: &str) -> BTreeMap<String, f64> {
    let text = get(gateway.status, "/metrics", &[]).text();
    let own = format!("plugin=\"{plugin}\"");
    let lines = text.lines().filter(|line| line.starts_with("moongate_plugin_") && line.contains(&own));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        let name =
            name.replace("moongate_plugin_", "").replace(&own, "").replace("{,", "{").replace("{}", "");
        (name, value.parse().unwrap())
    });
    series.collect()
}

/// The same of the Admin API's figures.
fn shown(status: &Value) -> BTreeMap<String, f64> {
    let mut shown = BTreeMap::new();
    let figures = &status["statistics"];
    let number = |value: &Value| value.as_f64().unwrap();
    for hook in figures["hooks"].as_array().unwrap() {
        let name = hook["hook"].as_str().unwrap();
        let labels = format!("{{hook=\"{name}\"}}");
        shown.insert(format!("calls_total{labels}"), number(&hook["calls"]));
        if number(&hook["responses"]) > 0.0 {
            shown.insert(format!("responses_total{labels}"), number(&hook["responses"]));
        }
        for (kind, count) in hook["errors"].as_object().unwrap() {
            shown.insert(format!("errors_total{{hook=\"{name}\",kind=\"{kind}\"}}"), number(count));
        }
        shown.insert(format!("wait_seconds_total{labels}"), number(&hook["wait_ns"]) / 1e9);
        shown.insert(format!("cpu_seconds_total{labels}"), number(&hook["cpu_ns"]) / 1e9);
    }
    shown.insert("instances".to_owned(), number(&figures["instances"]));
    shown.insert("memory_bytes".to_owned(), number(&figures["memory"]));
    shown.insert("log_queue".to_owned(), number(&figures["queued"]));
    shown.insert("log_dropped_total".to_owned(), number(&figures["dropped"]));
    shown.insert("generation".to_owned(), number(&status["generation"]));
    shown
}

/// The figures of a plugin, which both places agree on.
fn figures(gateway: &Gateway, plugin: &str) -> BTreeMap<String, f64> {
    let mut figures = series(gateway, plugin);
    // What is dropped of a plugin's own series is for /metrics alone.
    assert_eq!(figures.remove("series_dropped_total"), Some(0.0), "{figures:?}");
    assert_eq!(figures, shown(&gateway.plugin(plugin)), "{plugin}");
    figures
}

#[test]
fn calls_answers_failures_and_reloads_of_a_plugin_are_counted() {
    let gateway = Setup::new()
        .route("pass", "probe", "mode: pass")
        .route("answer", "probe", "mode: answer")
        .route("trap", "probe", "mode: trap")
        .route("fail", "probe", "mode: fail")
        .start();
    for (path, times, status) in
        [("/pass", 40, 200), ("/answer", 3, 418), ("/fail", 2, 500), ("/trap", 1, 500)]
    {
        for _ in 0..times {
            assert_eq!(get(gateway.proxy, path, &[]).status, status, "{path}");
        }
    }
    let before = figures(&gateway, "probe");
    let is = |name: &str| before.get(name).copied().unwrap_or_else(|| panic!("no {name} in {before:?}"));
    assert_eq!(is("calls_total{hook=\"request\"}"), 46.0);
    assert_eq!(is("responses_total{hook=\"request\"}"), 3.0);
    assert_eq!(is("errors_total{hook=\"request\",kind=\"plugin_error\"}"), 2.0);
    assert_eq!(is("errors_total{hook=\"request\",kind=\"plugin_trap\"}"), 1.0);
    assert_eq!(is("generation"), 1.0);
    assert!(is("instances") >= 1.0 && is("memory_bytes") > 65_536.0, "{before:?}");
    assert!(is("cpu_seconds_total{hook=\"request\"}") > 0.0, "{before:?}");
    // The instance that trapped had to be made anew for whoever came next.
    assert_eq!(get(gateway.proxy, "/pass", &[]).status, 200);
    let after = figures(&gateway, "probe");
    let waits = after.iter().filter(|(name, _)| name.starts_with("wait_seconds_total"));
    assert!(waits.map(|(_, seconds)| seconds).sum::<f64>() > 0.0, "{after:?}");

    let reloaded = gateway.ask("POST", "/moongate/plugins/probe/reload", &json!({}));
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    // It serves when the answer is there, and counts for itself.
    assert_eq!(get(gateway.proxy, "/pass", &[]).status, 200);
    assert_eq!(gateway.plugin("probe")["generation"], 2);
    let anew = figures(&gateway, "probe");
    assert_eq!(anew["calls_total{hook=\"request\"}"], 1.0, "{anew:?}");
    assert!(!anew.keys().any(|name| name.starts_with("errors_total")), "{anew:?}");
}
