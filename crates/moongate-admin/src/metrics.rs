//! `/metrics`: figures in the text form that Prometheus reads.
//!
//! Families that dashboards for Kong ask for have Kong's names. Where Kong's is about something that this gateway has not,
//! the nearest thing stands there: instances of plugins for Lua VMs, what plugins keep for shared dictionaries.

use std::fmt::{Display, Write as _};

use axum::response::{IntoResponse as _, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use moongate_balancer::HealthWord;
use serde_json::Value;
use uuid::Uuid;

use crate::access::Access;
use crate::information::COMPATIBLE_VERSION;

pub(crate) async fn answer(access: &Access) -> Response {
    let mut response = text(access).await.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    response
}

async fn text(access: &Access) -> String {
    let mut text = String::with_capacity(4096);
    let (node, store) = (access.node(), access.store());
    let (counters, id) = (node.counters(), node.node_id());
    let statistics = access.plugins().plugins().into_iter().filter_map(|plugin| plugin.statistics);
    let memory: u64 = statistics.map(|statistics| statistics.memory).sum();

    let mut family =
        Family::gauge(&mut text, "kong_datastore_reachable", "Whether the database answers, 1 or 0.");
    family.value("", u8::from(store.status().await.reachable));
    let mut family =
        Family::gauge(&mut text, "kong_nginx_connections_total", "Connections of clients, by state.");
    for (state, count) in [
        ("accepted", counters.connections_accepted),
        ("active", counters.connections_active),
        ("handled", counters.connections_handled),
        ("reading", counters.connections_reading),
        ("total", counters.total_requests),
        ("waiting", counters.connections_waiting),
        ("writing", counters.connections_writing),
    ] {
        family.value(&format!("node_id=\"{id}\",subsystem=\"http\",state=\"{state}\""), count);
    }
    let mut family = Family::gauge(&mut text, "kong_nginx_requests_total", "Requests since the start.");
    family.value(&format!("node_id=\"{id}\",subsystem=\"http\""), counters.total_requests);
    let mut family = Family::gauge(&mut text, "kong_nginx_timers", "Timers of plugins, by state.");
    let timers = access.plugins().plugins().iter().filter(|plugin| plugin.hooks.contains(&"timer")).count();
    family.value("state=\"pending\"", timers);
    family.value("state=\"running\"", 0);
    let mut family = Family::gauge(&mut text, "kong_node_info", "The node, with 1.");
    family.value(&format!("node_id=\"{id}\",version=\"{COMPATIBLE_VERSION}\""), 1);
    let mut family =
        Family::gauge(&mut text, "kong_memory_workers_lua_vms_bytes", "Memory of plugin instances at rest.");
    let process = std::process::id();
    family.value(&format!("node_id=\"{id}\",pid=\"{process}\",kong_subsystem=\"http\""), memory);
    let kept = access.plugins().kept();
    let labels = format!("node_id=\"{id}\",shared_dict=\"plugins\",kong_subsystem=\"http\"");
    let mut family =
        Family::gauge(&mut text, "kong_memory_lua_shared_dict_bytes", "What plugins keep in memory.");
    family.value(&labels, kept.bytes);
    let mut family = Family::gauge(
        &mut text,
        "kong_memory_lua_shared_dict_total_bytes",
        "What plugins may keep in memory.",
    );
    family.value(&labels, kept.limit);
    let mut family = Family::new(
        &mut text,
        "kong_nginx_metric_errors_total",
        "counter",
        "Figures of plugins that found no room.",
    );
    family.value("", kept.dropped_series);
    let mut family = Family::gauge(&mut text, "moongate_memory_bytes", "Memory of the process.");
    family.value(&format!("node_id=\"{id}\""), node.resident_memory());
    target_health(access, &mut text);
    access.plugins().render_metrics(&mut text);
    text
}

/// The health of targets, where a configuration of the plugin `prometheus` asks for it.
fn target_health(access: &Access, text: &mut String) {
    let dataset = access.store().dataset();
    let is_asked = dataset.rows("plugins").any(|plugin| {
        let config = plugin.get("config").and_then(|config| config.get("upstream_health_metrics"));
        plugin.get("name").and_then(Value::as_str) == Some("prometheus")
            && plugin.get("enabled") != Some(&Value::Bool(false))
            && config == Some(&Value::Bool(true))
    });
    if !is_asked {
        return;
    }
    let mut family = Family::gauge(
        text,
        "kong_upstream_target_health",
        "Health of targets, 1 in the state that they are in.",
    );
    for upstream in dataset.rows("upstreams") {
        let name = upstream.get("name").and_then(Value::as_str).unwrap_or_default();
        let id = upstream.id().unwrap_or(Uuid::nil());
        let Some(status) = access.node().health().upstream(id) else { continue };
        for target in &status.targets {
            let shown = format!("{}:{}", target.host, target.port);
            let addresses: Vec<_> = match target.addresses.is_empty() {
                true => vec![(String::new(), HealthWord::DnsError)],
                false => target
                    .addresses
                    .iter()
                    .map(|address| (format!("{}:{}", address.ip, address.port), address.health))
                    .collect(),
            };
            for (address, health) in addresses {
                for (state, word) in [
                    ("healthchecks_off", HealthWord::Off),
                    ("healthy", HealthWord::Healthy),
                    ("unhealthy", HealthWord::Unhealthy),
                    ("dns_error", HealthWord::DnsError),
                ] {
                    let labels = format!(
                        "upstream=\"{name}\",target=\"{shown}\",address=\"{address}\",state=\"{state}\",subsystem=\"http\""
                    );
                    family.value(&labels, u8::from(word == health));
                }
            }
        }
    }
}

/// A metric whose lines are being written.
struct Family<'t> {
    text: &'t mut String,
    name: &'static str,
}

impl<'t> Family<'t> {
    fn gauge(text: &'t mut String, name: &'static str, help: &str) -> Self {
        Self::new(text, name, "gauge", help)
    }

    fn new(text: &'t mut String, name: &'static str, kind: &str, help: &str) -> Self {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Self { text, name }
    }

    fn value(&mut self, labels: &str, value: impl Display) {
        let name = self.name;
        let _ = match labels {
            "" => writeln!(self.text, "{name} {value}"),
            labels => writeln!(self.text, "{name}{{{labels}}} {value}"),
        };
    }
}
