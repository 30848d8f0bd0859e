//! What the node says of itself: `/`, `/status`, `/endpoints`, `/timers` and `/plugins/enabled`.

use std::collections::{BTreeMap, BTreeSet};

use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use serde_json::{Value, json};

use crate::access::Access;
use crate::arguments::Arguments;
use crate::error::ApiError;
use crate::node::Counters;
use crate::resource::{About, patterns};
use crate::unit::Unit;

/// The version of Kong whose Admin API this one follows, as `GET /` says it.
///
/// Three numbers and not a word more: clients take a fourth for Kong's commercial edition and then ask for
/// things that are not there.
pub const COMPATIBLE_VERSION: &str = "3.9.3";

/// `GET /`
pub(crate) async fn node(access: &Access) -> Result<Value, ApiError> {
    let node = access.node();
    // Not what other nodes wrote this moment: the page is there also while the database is not.
    let data = access.store().dataset();
    let configured: BTreeSet<&str> =
        data.rows("plugins").filter_map(|row| row.get("name")?.as_str()).collect();
    let available: BTreeMap<String, Value> = usable(access.plugins())
        .map(|plugin| (plugin.name, json!({"version": plugin.version, "priority": plugin.priority})))
        .collect();
    let mut configuration = node.configuration();
    if let Some(configuration) = configuration.as_object_mut() {
        configuration.insert("log_level".to_owned(), node.log_level().name().into());
    }
    Ok(json!({
        "tagline": "Welcome to kong",
        "version": COMPATIBLE_VERSION,
        "edition": "community",
        "moongate": {"version": node.version()},
        "hostname": node.hostname(),
        "node_id": node.node_id(),
        "timers": {"running": 0, "pending": 0},
        "plugins": {"available_on_server": available, "enabled_in_cluster": configured},
        "lua_version": "none",
        "configuration": configuration,
        "pids": {"master": std::process::id(), "workers": node.workers()},
    }))
}

/// `GET /status`
///
/// The worker threads share one heap, so the place where Kong lists the memory of each worker process has
/// one entry, for the whole process.
pub(crate) async fn status(access: &Access, arguments: &Arguments) -> Result<Value, ApiError> {
    let node = access.node();
    let memory = Unit::of(arguments)?.write(node.resident_memory());
    let Counters {
        connections_accepted,
        connections_handled,
        connections_active,
        connections_reading,
        connections_writing,
        connections_waiting,
        total_requests,
    } = node.counters();
    let mut status = json!({
        "memory": {
            "lua_shared_dicts": {},
            "workers_lua_vms": [{"http_allocated_gc": memory, "pid": std::process::id()}],
        },
        "server": {
            "connections_accepted": connections_accepted,
            "connections_handled": connections_handled,
            "connections_active": connections_active,
            "connections_reading": connections_reading,
            "connections_writing": connections_writing,
            "connections_waiting": connections_waiting,
            "total_requests": total_requests,
        },
    });
    let (member, value) = match node.declarative() {
        Some(declarative) => ("configuration_hash", json!(declarative.hash())),
        None => ("database", json!({"reachable": access.store().status().await.reachable})),
    };
    if let Some(status) = status.as_object_mut() {
        status.insert(member.to_owned(), value);
    }
    Ok(status)
}

/// `GET /timers`
///
/// Kong's timers are those of its scripts; nothing here runs scripts.
pub(crate) fn timers(access: &Access) -> Value {
    json!({
        "worker": {"id": 0, "count": access.node().workers().len()},
        "stats": {
            "flamegraph": {"running": "", "elapsed_time": "", "pending": ""},
            "sys": {"total": 0, "runs": 0, "running": 0, "pending": 0, "waiting": 0},
            "timers": {},
        },
    })
}

/// `GET /endpoints`
///
/// Tools compare the list with what they know of Kong, so Moongate's own paths are only in the OpenAPI document.
pub(crate) fn endpoints(access: &Access) -> Value {
    let own =
        patterns(access.catalog()).into_iter().filter(|pattern| !matches!(pattern.about, About::Moongate(_)));
    let declared = access.plugins().admin_routes().into_iter().map(|route| route.path);
    let mut paths: Vec<String> = own.map(|pattern| pattern.path).chain(declared).collect();
    // A path is followed by the paths below it, whatever other characters a neighbour's name has.
    paths.sort_by_key(|path| path.replace('/', "\0"));
    paths.dedup();
    json!({"data": paths})
}

/// `GET /plugins/enabled`
pub(crate) fn enabled_plugins(access: &Access) -> Value {
    let names: BTreeSet<String> = usable(access.plugins()).map(|plugin| plugin.name).collect();
    json!({"enabled_plugins": names})
}

/// The plugins of which some version can be configured.
fn usable(catalog: &dyn PluginCatalog) -> impl Iterator<Item = PluginStatus> {
    let loaded = |plugin: &PluginStatus| plugin.state == PluginState::Ready || plugin.generation > 0;
    catalog.plugins().into_iter().filter(loaded)
}
