//! Which thing a path names, and which methods that thing takes.

mod patterns;

use std::sync::Arc;

use moongate_schema::{Catalog, Schema};
use percent_encoding::percent_decode_str;

pub(crate) use patterns::{About, Pattern, patterns};

/// What a path of the API's own names.
#[derive(Debug, Clone)]
pub(crate) enum Resource {
    /// What is not an entity.
    Fixed(Fixed),
    /// `/services`, `/services/{services}/routes`
    Collection {
        /// The entities.
        schema: Arc<Schema>,
        /// The entity whose children are meant.
        parent: Option<Parent>,
    },
    /// `/services/{services}`, `/services/{services}/routes/{routes}`
    Entity {
        /// The entities.
        schema: Arc<Schema>,
        /// The one that is meant, as the path has it.
        key: String,
        /// The entity whose child is meant.
        parent: Option<Parent>,
    },
    /// `/routes/{routes}/service`
    Related {
        /// The entities that have the reference.
        schema: Arc<Schema>,
        /// The one that is meant, as the path has it.
        key: String,
        /// The field with the reference.
        field: String,
    },
    /// A thing of an upstream.
    Upstream {
        /// The upstream, as the path has it.
        key: String,
        /// The thing.
        what: OfUpstream,
    },
    /// A path that Kong lists and never answers.
    Nowhere,
    /// A path for the filters of Kong's other kind of WebAssembly plugins, which Moongate has not.
    Filters,
}

/// What is not an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fixed {
    Information,
    Status,
    Dns,
    Metrics,
    Timers,
    Endpoints,
    OpenApi,
    Robots,
    EnabledPlugins,
    PluginConfigSchema(String),
    PluginStates,
    PluginState(String),
    PluginReload(String),
    Events,
    Explanation,
    Attempt,
    Reload,
    EntitySchema(String),
    PluginSchema(String),
    VaultSchema(String),
    FilterSchema(String),
    Validation(String),
    Configuration,
    Cache,
    Cached(String),
    LogLevel,
    NewLogLevel { level: String, everywhere: bool },
    DataPlanes,
    Tags,
    Tagged(String),
}

/// The entity under which a nested path looks.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    /// Its kind.
    pub(crate) schema: Arc<Schema>,
    /// The entity, as the path has it.
    pub(crate) key: String,
    /// The children's field with the reference.
    pub(crate) field: String,
}

/// A thing of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OfUpstream {
    /// `/upstreams/{upstreams}/health`
    Health,
    /// `/upstreams/{upstreams}/targets/all`
    AllTargets,
    /// `/upstreams/{upstreams}/targets/{targets}/{address}/healthy`
    TargetHealth {
        /// The target, as the path has it.
        target: String,
        /// One of its addresses.
        address: Option<String>,
        /// What it is to be called.
        healthy: bool,
    },
}

impl Resource {
    /// What `path` names; one slash at its end makes no difference.
    pub(crate) fn find(catalog: &Catalog, path: &str) -> Option<Self> {
        let segments = segments(path)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some(fixed) = Fixed::find(&segments) {
            return Some(Self::Fixed(fixed));
        }
        let (first, rest) = segments.split_first()?;
        let schema =
            catalog.entity_by_admin_path(first).filter(|schema| schema.has_admin_endpoints())?.clone();
        if schema.name() == "upstreams"
            && let Some((key, what)) = of_upstream(rest)
        {
            return Some(Self::Upstream { key, what });
        }
        match (schema.name(), rest) {
            ("targets", [] | [_] | [_, "upstream"]) | ("snis", [_, "certificate"]) => {
                return Some(Self::Nowhere);
            }
            ("targets", _) => return None,
            ("routes", [_, "filters", "all" | "enabled" | "disabled"]) => return Some(Self::Filters),
            _ => {}
        }
        let resource = Self::entity(catalog, schema, rest)?;
        let kind = match &resource {
            Self::Collection { schema, .. } | Self::Entity { schema, .. } | Self::Related { schema, .. } => {
                schema.name()
            }
            _ => "",
        };
        Some(if kind == "filter_chains" { Self::Filters } else { resource })
    }

    /// What the segments behind the name of a kind of entities name.
    fn entity(catalog: &Catalog, schema: Arc<Schema>, rest: &[&str]) -> Option<Self> {
        Some(match *rest {
            [] => Self::Collection { schema, parent: None },
            [key] => Self::Entity { schema, key: key.to_owned(), parent: None },
            [key, field] if schema.references().any(|reference| reference.name == field) => {
                Self::Related { schema, key: key.to_owned(), field: field.to_owned() }
            }
            [key, below] => {
                let (schema, parent) = nested(catalog, schema, key, below)?;
                Self::Collection { schema, parent: Some(parent) }
            }
            [key, below, child] => {
                let (schema, parent) = nested(catalog, schema, key, below)?;
                Self::Entity { schema, key: child.to_owned(), parent: Some(parent) }
            }
            _ => return None,
        })
    }

    /// The methods that it takes, in alphabetical order.
    pub(crate) fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Fixed(fixed) => fixed.methods(),
            Self::Collection { .. } => &["GET", "HEAD", "OPTIONS", "POST"],
            Self::Entity { .. } | Self::Related { .. } => {
                &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"]
            }
            Self::Upstream { what: OfUpstream::TargetHealth { .. }, .. } => &["OPTIONS", "PUT"],
            Self::Upstream { .. } => &["GET", "HEAD", "OPTIONS"],
            Self::Nowhere | Self::Filters => &[],
        }
    }

    /// Whether it takes a method.
    pub(crate) fn takes(&self, method: &str) -> bool {
        match self {
            // Clients that also know older versions of Kong send POST there.
            Self::Upstream { what: OfUpstream::TargetHealth { .. }, .. } if method == "POST" => true,
            _ => self.methods().contains(&method),
        }
    }
}

impl Fixed {
    fn find(segments: &[&str]) -> Option<Self> {
        let own = |text: &str| text.to_owned();
        Some(match *segments {
            [] => Self::Information,
            ["status"] => Self::Status,
            ["status", "dns"] => Self::Dns,
            ["metrics"] => Self::Metrics,
            ["timers"] => Self::Timers,
            ["endpoints"] => Self::Endpoints,
            ["openapi.json"] => Self::OpenApi,
            ["robots.txt"] => Self::Robots,
            ["plugins", "enabled"] => Self::EnabledPlugins,
            ["plugins", "schema", name] => Self::PluginConfigSchema(own(name)),
            ["moongate", "plugins"] => Self::PluginStates,
            ["moongate", "plugins", name] => Self::PluginState(own(name)),
            ["moongate", "plugins", name, "reload"] => Self::PluginReload(own(name)),
            ["moongate", "events"] => Self::Events,
            ["moongate", "explain"] => Self::Explanation,
            ["moongate", "try"] => Self::Attempt,
            ["moongate", "reload"] => Self::Reload,
            ["schemas", name, "validate"] => Self::Validation(own(name)),
            ["schemas", "plugins", name] => Self::PluginSchema(own(name)),
            ["schemas", "vaults", name] => Self::VaultSchema(own(name)),
            ["schemas", "filters", name] => Self::FilterSchema(own(name)),
            ["schemas", name] => Self::EntitySchema(own(name)),
            ["config"] => Self::Configuration,
            ["cache"] => Self::Cache,
            ["cache", key] => Self::Cached(own(key)),
            ["debug", "node", "log-level"] => Self::LogLevel,
            ["debug", who @ ("node" | "cluster"), "log-level", level] => {
                Self::NewLogLevel { level: own(level), everywhere: who == "cluster" }
            }
            ["clustering", "data-planes" | "status"] => Self::DataPlanes,
            ["tags"] => Self::Tags,
            ["tags", tag] => Self::Tagged(own(tag)),
            _ => return None,
        })
    }

    fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Reload
            | Self::Validation(_)
            | Self::PluginReload(_)
            | Self::Explanation
            | Self::Attempt => &["OPTIONS", "POST"],
            Self::Configuration | Self::Tags | Self::PluginStates => &["GET", "HEAD", "OPTIONS", "POST"],
            Self::Tagged(_) => &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"],
            Self::Cache => &["DELETE", "OPTIONS"],
            Self::Cached(_) => &["DELETE", "GET", "HEAD", "OPTIONS"],
            Self::NewLogLevel { .. } => &["OPTIONS", "PUT"],
            _ => &["GET", "HEAD", "OPTIONS"],
        }
    }
}

/// What the segments behind `/upstreams` name, if it is none of what other entities have as well.
fn of_upstream(rest: &[&str]) -> Option<(String, OfUpstream)> {
    let (key, what) = match *rest {
        [key, "health"] => (key, OfUpstream::Health),
        [key, "targets", "all"] => (key, OfUpstream::AllTargets),
        [key, "targets", target, ref address @ .., last @ ("healthy" | "unhealthy")] if address.len() < 2 => {
            let address = address.first().map(|&address| address.to_owned());
            (key, OfUpstream::TargetHealth { target: target.to_owned(), address, healthy: last == "healthy" })
        }
        _ => return None,
    };
    Some((key.to_owned(), what))
}

fn nested(catalog: &Catalog, schema: Arc<Schema>, key: &str, below: &str) -> Option<(Arc<Schema>, Parent)> {
    let mut children = catalog.children(schema.name()).iter();
    let child =
        children.find(|child| child.schema.has_admin_endpoints() && child.schema.nested_path() == below)?;
    Some((child.schema.clone(), Parent { schema, key: key.to_owned(), field: child.field.clone() }))
}

/// The segments of a path, decoded; `None` where a path names nothing at all.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| match percent_decode_str(segment).decode_utf8() {
            Ok(decoded) if !decoded.is_empty() => Some(decoded.into_owned()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
