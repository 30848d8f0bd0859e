//! What the node says of itself: `/`, `/status`, `/endpoints` and `/plugins/enabled`.

use std::collections::{BTreeMap, BTreeSet};

use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use serde_json::{Value, json};

use crate::arguments::Arguments;
use crate::error::ApiError;
use crate::node::{Counters, Node};
use crate::resource::Resource;
use crate::unit::Unit;

/// The version of Kong whose Admin API this one follows, as `GET /` says it.
///
/// Three numbers and not a word more: clients take a fourth for Kong's commercial edition and then ask for
/// things that are not there.
pub const COMPATIBLE_VERSION: &str = "3.9.3";

/// `GET /`
pub(crate) fn node(node: &dyn Node, catalog: &dyn PluginCatalog) -> Value {
    let entities = node.entities();
    let configured: BTreeSet<&str> = entities.plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    let available: BTreeMap<String, Value> = usable(catalog)
        .map(|plugin| (plugin.name, json!({"version": plugin.version, "priority": plugin.priority})))
        .collect();
    json!({
        "tagline": "Welcome to Moongate",
        "version": COMPATIBLE_VERSION,
        "edition": "community",
        "moongate": {"version": node.version()},
        "hostname": node.hostname(),
        "node_id": node.node_id(),
        "timers": {"running": 0, "pending": 0},
        "plugins": {"available_on_server": available, "enabled_in_cluster": configured},
        "lua_version": "none",
        "configuration": node.configuration(),
        "pids": {"master": std::process::id(), "workers": node.workers()},
    })
}

/// `GET /status`
///
/// The worker threads share one heap, so the place where Kong lists the memory of each worker process has
/// one entry, for the whole process.
pub(crate) fn status(node: &dyn Node, arguments: &Arguments) -> Result<Value, ApiError> {
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
    Ok(json!({
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
        "configuration_hash": node.configuration_hash(),
    }))
}

/// `GET /endpoints`
pub(crate) fn endpoints(catalog: &dyn PluginCatalog) -> Value {
    let declared = catalog.admin_routes().into_iter().map(|route| route.path);
    let mut patterns: Vec<String> = Resource::patterns().into_iter().chain(declared).collect();
    // A path is followed by the paths below it, whatever other characters a neighbour's name has.
    patterns.sort_by_key(|pattern| pattern.replace('/', "\0"));
    patterns.dedup();
    json!({"data": patterns})
}

/// `GET /plugins/enabled`
pub(crate) fn enabled_plugins(catalog: &dyn PluginCatalog) -> Value {
    let names: BTreeSet<String> = usable(catalog).map(|plugin| plugin.name).collect();
    json!({"enabled_plugins": names})
}

/// The plugins of which some version can be configured.
fn usable(catalog: &dyn PluginCatalog) -> impl Iterator<Item = PluginStatus> {
    let loaded = |plugin: &PluginStatus| plugin.state == PluginState::Ready || plugin.generation > 0;
    catalog.plugins().into_iter().filter(loaded)
}
