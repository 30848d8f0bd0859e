//! `moongate plugin inspect`

use moongate_hooks::ConfigSchema;
use moongate_plugin_host::{Grants, Inspection};
use serde_json::{Value, json};

use super::arguments::InspectArguments;
use super::check::inspect;
use crate::cli::say;

pub(super) fn run(arguments: &InspectArguments) -> anyhow::Result<()> {
    let inspection = inspect(&arguments.file, &Grants::all())?;
    if arguments.json {
        say(&format!("{:#}", as_json(&inspection)));
        return Ok(());
    }
    let width = TITLES.iter().map(|title| title.len()).max().unwrap_or_default();
    for (title, lines) in TITLES.iter().zip(rows(&inspection)) {
        let mut title = *title;
        for line in &lines {
            say(&format!("{title:<width$}  {line}"));
            title = "";
        }
    }
    Ok(())
}

const TITLES: [&str; 12] = [
    "name",
    "version",
    "priority",
    "contract",
    "size",
    "sha256",
    "hooks",
    "needs grants",
    "imports",
    "admin routes",
    "entities",
    "configuration",
];

/// The lines behind each title.
fn rows(inspection: &Inspection) -> [Vec<String>; 12] {
    let or_none = |lines: Vec<String>| if lines.is_empty() { vec!["none".to_owned()] } else { lines };
    let joined =
        |words: Vec<&str>| or_none(if words.is_empty() { Vec::new() } else { vec![words.join(", ")] });
    let mut hooks = inspection.hooks.join(", ");
    if let Some(interval) = inspection.timer_interval {
        hooks += &format!(" (every {} ms)", interval.as_millis());
    }
    [
        vec![inspection.name.clone()],
        vec![inspection.version.clone()],
        vec![inspection.priority.to_string()],
        vec![format!("moongate:plugin@{}", inspection.contract)],
        vec![format!("{} KiB", inspection.size.div_ceil(1024))],
        vec![inspection.digest.clone()],
        vec![hooks],
        joined(inspection.capabilities.iter().map(|capability| capability.name()).collect()),
        or_none(inspection.imports.clone()),
        or_none(
            inspection.admin_routes.iter().map(|route| format!("{} {}", route.method, route.path)).collect(),
        ),
        or_none(inspection.entities.iter().filter_map(name_of).collect()),
        or_none(fields(&inspection.schema)),
    ]
}

fn name_of(entity: &Value) -> Option<String> {
    entity.get("name")?.as_str().map(str::to_owned)
}

/// The fields of the configuration, with what is said about them.
fn fields(schema: &ConfigSchema) -> Vec<String> {
    let ConfigSchema::JsonSchema(schema) = schema else {
        return vec!["in the gateway's own form; --json shows it".to_owned()];
    };
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = schema.get("properties").and_then(Value::as_object);
    let field = |(name, schema): (&String, &Value)| {
        let mut line = name.clone();
        if required.iter().any(|required| required == name) {
            line += " (required)";
        } else if let Some(default) = schema.get("default") {
            line += &format!(" (default {default})");
        }
        if let Some(text) = schema.get("description").and_then(Value::as_str) {
            line += &format!(": {}", text.lines().next().unwrap_or_default());
        }
        line
    };
    properties.into_iter().flatten().map(field).collect()
}

fn as_json(inspection: &Inspection) -> Value {
    let (language, schema) = match &inspection.schema {
        ConfigSchema::JsonSchema(schema) => ("json-schema", schema),
        ConfigSchema::Native(schema) => ("native", schema),
    };
    let routes: Vec<_> = inspection
        .admin_routes
        .iter()
        .map(|route| json!({"method": route.method, "path": route.path, "status": route.status}))
        .collect();
    let capabilities: Vec<_> = inspection.capabilities.iter().map(|capability| capability.name()).collect();
    json!({
        "name": inspection.name,
        "version": inspection.version,
        "priority": inspection.priority,
        "contract": inspection.contract,
        "size": inspection.size,
        "sha256": inspection.digest,
        "hooks": inspection.hooks,
        "capabilities": capabilities,
        "imports": inspection.imports,
        "admin_routes": routes,
        "entities": inspection.entities,
        "timer_interval": inspection.timer_interval.map(|interval| interval.as_millis() as u64),
        "schema": {"language": language, "schema": schema},
    })
}
