//! Settings of single plugins.

use std::collections::BTreeMap;

use moongate_hooks::FailurePolicy;
use moongate_plugin_host::PluginSettings;
use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::suggest;
use super::value::{Read, Wrong, choice, milliseconds, name_of, size, text, wrong};

/// Reads a map from plugin names to settings.
pub(super) fn read(value: &Value) -> Read<BTreeMap<String, PluginSettings>> {
    let mut all = BTreeMap::new();
    let mut problems = Vec::new();
    for (plugin, value) in entries(value)? {
        match settings(value) {
            Ok(settings) => {
                all.insert(plugin, settings);
            }
            Err(wrong) => problems.extend(below(wrong, &plugin)),
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}

/// In the form that [`read`] takes, budgets in milliseconds and memory in bytes.
pub(super) fn show(all: &BTreeMap<String, PluginSettings>) -> Json {
    all.iter()
        .map(|(plugin, settings)| {
            let of = settings.on_failure_of.iter();
            let of: BTreeMap<_, _> = of.map(|(name, policy)| (name, name_of(policy, &POLICIES))).collect();
            let shown = json!({
                "on_failure": name_of(&settings.on_failure, &POLICIES),
                "on_failure_of": of,
                "cpu_budget": settings.cpu_budget.as_millis() as u64,
                "wall_budget": settings.wall_budget.as_millis() as u64,
                "memory_limit": settings.memory_limit,
            });
            (plugin.clone(), shown)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn settings(value: &Value) -> Read<PluginSettings> {
    let mut settings = PluginSettings::default();
    let mut problems = Vec::new();
    for (name, value) in entries(value)? {
        let read = match name.as_str() {
            "on_failure" => choice(value, &POLICIES).map(|policy| settings.on_failure = policy),
            "on_failure_of" => policies(value).map(|policies| settings.on_failure_of = policies),
            "cpu_budget" => milliseconds(value).map(|budget| settings.cpu_budget = budget),
            "wall_budget" => milliseconds(value).map(|budget| settings.wall_budget = budget),
            "memory_limit" => {
                size(value, LEAST_MEMORY, MOST_MEMORY).map(|limit| settings.memory_limit = limit)
            }
            _ => Err(vec![unknown(&name)]),
        };
        if let Err(wrong) = read {
            problems.extend(below(wrong, &name));
        }
    }
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

/// A map from configurations to what their failure means.
fn policies(value: &Value) -> Read<BTreeMap<String, FailurePolicy>> {
    let mut policies = BTreeMap::new();
    for (configuration, value) in entries(value)? {
        let policy = choice(value, &POLICIES).map_err(|wrong| below(wrong, &configuration))?;
        policies.insert(configuration, policy);
    }
    Ok(policies)
}

fn below(wrong: Vec<Wrong>, name: &str) -> Vec<Wrong> {
    wrong.into_iter().map(|wrong| wrong.below(name)).collect()
}

fn unknown(name: &str) -> Wrong {
    let message = match suggest::closest(name, NAMES) {
        Some(meant) => format!("is no setting; did you mean `{meant}`?"),
        None => format!("is no setting; there are {}", NAMES.join(", ")),
    };
    Wrong { at: Vec::new(), message }
}

/// The members of a map; an empty text is an empty one.
pub(super) fn entries(value: &Value) -> Read<Vec<(String, &Value)>> {
    match value {
        Value::Mapping(map) => map.iter().map(|(key, value)| Ok((text(key)?, value))).collect(),
        Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
        _ => wrong("is no map, as {jwt-claims: {on_failure: closed}} is one"),
    }
}

const NAMES: [&str; 5] = ["on_failure", "on_failure_of", "cpu_budget", "wall_budget", "memory_limit"];

const POLICIES: [(&str, FailurePolicy); 2] =
    [("closed", FailurePolicy::Closed), ("open", FailurePolicy::Open)];

/// One page of WebAssembly.
const LEAST_MEMORY: usize = 64 * 1024;

/// What the plugin host reserves for an instance; it never gives more.
const MOST_MEMORY: usize = 256 * 1024 * 1024;
