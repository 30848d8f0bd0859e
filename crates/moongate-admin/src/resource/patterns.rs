//! The pattern of every path that the API has of its own.

use moongate_schema::{Catalog, Schema};

/// A path, with names in braces for what varies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The path.
    pub(crate) path: String,
    /// The methods that it takes, without those that only tell of others.
    pub(crate) methods: &'static [&'static str],
    /// What it is about.
    pub(crate) about: About,
}

/// What a path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum About {
    /// The node, in a few words.
    Node(&'static str),
    /// Moongate's own view of the node, in a few words. Kong has no such path.
    Moongate(&'static str),
    /// All entities of a kind, or all that refer to one other.
    Collection(String),
    /// One entity of a kind.
    Entity(String),
    /// A path that Kong lists and never answers, or that is for what Moongate has not.
    Nothing,
}

/// Every pattern, in no particular order.
pub(crate) fn patterns(catalog: &Catalog) -> Vec<Pattern> {
    let fixed = |about: fn(&'static str) -> About| {
        move |&(path, methods, what): &(&str, &'static [&'static str], &'static str)| Pattern {
            path: path.to_owned(),
            methods,
            about: about(what),
        }
    };
    let mut patterns: Vec<Pattern> = NODE.iter().map(fixed(About::Node)).collect();
    patterns.extend(MOONGATE.iter().map(fixed(About::Moongate)));
    patterns.extend(NOTHING.iter().map(|path| nothing((*path).to_owned())));
    let entities = catalog.entities().iter().filter(|schema| schema.has_admin_endpoints());
    // Tags can only be read, at paths that are in the table below.
    for schema in entities.filter(|schema| schema.name() != "tags") {
        let all = format!("/{}", schema.admin_path());
        let one = format!("{all}/{{{}}}", schema.name());
        if schema.name() == "targets" {
            patterns.extend([all, one.clone(), format!("{one}/upstream")].map(nothing));
            continue;
        }
        for field in schema.references() {
            let Some((target, _)) = field.reference() else { continue };
            let path = format!("{one}/{}", field.name);
            patterns.push(match (schema.name(), field.name.as_str()) {
                ("snis", "certificate") | ("filter_chains", _) => nothing(path),
                _ => Pattern { path, methods: RELATED, about: About::Entity(target.to_owned()) },
            });
        }
        for child in catalog.children(schema.name()).iter().filter(|child| child.schema.has_admin_endpoints())
        {
            let nested = format!("{one}/{}", child.schema.nested_path());
            patterns.extend(of_entities(nested, &child.schema));
        }
        patterns.extend(of_entities(all, schema));
    }
    patterns
}

fn of_entities(all: String, schema: &Schema) -> [Pattern; 2] {
    let name = schema.name();
    let one = format!("{all}/{{{name}}}");
    if name == "filter_chains" {
        return [all, one].map(nothing);
    }
    [
        Pattern { path: all, methods: &["GET", "POST"], about: About::Collection(name.to_owned()) },
        Pattern {
            path: one,
            methods: &["DELETE", "GET", "PATCH", "PUT"],
            about: About::Entity(name.to_owned()),
        },
    ]
}

fn nothing(path: String) -> Pattern {
    Pattern { path, methods: &[], about: About::Nothing }
}

const RELATED: &[&str] = &["GET", "PATCH", "PUT"];

const NODE: &[(&str, &[&str], &str)] = &[
    ("/", &["GET"], "The node: version, plugins, configuration"),
    ("/cache", &["DELETE"], "Forgets what is cached"),
    ("/cache/{key}", &["DELETE", "GET"], "What is in memory under a key"),
    ("/clustering/data-planes", &["GET"], "The data planes of a control plane"),
    ("/clustering/status", &["GET"], "The data planes of a control plane"),
    ("/config", &["GET", "POST"], "The declarative configuration of a node without database"),
    ("/debug/cluster/log-level/{log_level}", &["PUT"], "Changes from which level on messages are logged"),
    ("/debug/node/log-level", &["GET"], "From which level on messages are logged"),
    ("/debug/node/log-level/{log_level}", &["PUT"], "Changes from which level on messages are logged"),
    ("/endpoints", &["GET"], "The patterns of all paths that Kong has as well"),
    ("/metrics", &["GET"], "Figures of the node, for Prometheus"),
    ("/plugins/enabled", &["GET"], "The names of the plugins that can be configured"),
    ("/plugins/schema/{name}", &["GET"], "The schema of a plugin's configuration"),
    ("/schemas/filters/{name}", &["GET"], "The schema of a filter"),
    ("/schemas/plugins/validate", &["POST"], "Checks the configuration of a plugin"),
    ("/schemas/plugins/{name}", &["GET"], "The schema of a plugin"),
    ("/schemas/vaults/validate", &["POST"], "Checks a vault"),
    ("/schemas/vaults/{name}", &["GET"], "The schema of a kind of vaults"),
    ("/schemas/{db_entity_name}/validate", &["POST"], "Checks an entity"),
    ("/schemas/{name}", &["GET"], "The schema of a kind of entities"),
    ("/status", &["GET"], "Memory, connections, and whether the database answers"),
    ("/status/dns", &["GET"], "Statistics of name resolution"),
    ("/tags", &["GET"], "All tags of all entities"),
    ("/tags/{tags}", &["GET"], "The entities with a tag"),
    ("/timers", &["GET"], "Work that is planned for later"),
    ("/upstreams/{upstreams}/health", &["GET"], "The health of the targets of an upstream"),
    ("/upstreams/{upstreams}/targets/all", &["GET"], "The targets of an upstream in the order of their ids"),
    ("/upstreams/{upstreams}/targets/{targets}/healthy", &["PUT"], "Calls a target healthy"),
    ("/upstreams/{upstreams}/targets/{targets}/unhealthy", &["PUT"], "Calls a target unhealthy"),
    (
        "/upstreams/{upstreams}/targets/{targets}/{address}/healthy",
        &["PUT"],
        "Calls an address of a target healthy",
    ),
    (
        "/upstreams/{upstreams}/targets/{targets}/{address}/unhealthy",
        &["PUT"],
        "Calls an address of a target unhealthy",
    ),
];

const MOONGATE: &[(&str, &[&str], &str)] = &[
    ("/moongate/events", &["GET"], "What the node does and what happens to it, as server-sent events"),
    ("/moongate/explain", &["POST"], "What would become of a request"),
    ("/moongate/plugins", &["GET", "POST"], "Every plugin file with its state; takes another one"),
    ("/moongate/plugins/{name}", &["GET"], "The state of a plugin"),
    ("/moongate/plugins/{name}/reload", &["POST"], "Makes another generation of a plugin from its file"),
    ("/moongate/reload", &["POST"], "Reads the configuration again"),
    ("/moongate/try", &["POST"], "Sends a request through the proxy"),
    ("/openapi.json", &["GET"], "This document"),
    ("/robots.txt", &["GET"], "Keeps robots away"),
];

const NOTHING: &[&str] = &[
    "/routes/{routes}/filters/all",
    "/routes/{routes}/filters/disabled",
    "/routes/{routes}/filters/enabled",
];
