//! From a declarative configuration to a snapshot.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use moongate_model::core::RouterFlavor;
use moongate_model::{Declaration, DeclarativeError, Entities, Format, RowError};
use moongate_plugin_host::{HostOptions, PluginHost};
use moongate_proxy::{Proxy, Snapshot, SnapshotError};
use moongate_schema::{Catalog, CatalogError, Context, Field, Schema, SystemRandomness};
use parking_lot::RwLock;

use crate::control::Trigger;
use crate::prefix::Prefix;
use crate::properties::Properties;

/// Why a configuration is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the declarative configuration {path}: {error}{}", mend(path))]
    Read {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// The file is wrong.
    #[error("{path}: {}", declarative(error))]
    Declarative {
        /// The file.
        path: String,
        /// What is wrong.
        error: DeclarativeError,
    },
    /// What the file declares cannot be served.
    #[error("the declarative configuration cannot be served: {0}")]
    Snapshot(SnapshotError),
    /// The declarations of entities do not fit together.
    #[error(transparent)]
    Catalog(CatalogError),
    /// An entity that is right for its schema is none.
    #[error(transparent)]
    Row(RowError),
}

/// What is served at this moment, for those who show it.
#[derive(Debug)]
pub(crate) struct Live {
    current: RwLock<Current>,
}

#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) entities: Arc<Entities>,
    pub(crate) hash: String,
}

/// Builds snapshots and makes the workers serve from them.
pub(crate) struct Publisher {
    pub(crate) file: Option<PathBuf>,
    pub(crate) host: Arc<PluginHost>,
    pub(crate) proxy: Arc<Proxy<PluginHost>>,
    pub(crate) live: Arc<Live>,
}

impl Live {
    pub(crate) fn new(current: Current) -> Self {
        Self { current: RwLock::new(current) }
    }

    pub(crate) fn current(&self) -> Current {
        self.current.read().clone()
    }
}

impl Publisher {
    /// Replaces the snapshot. On failure, everything stays as it is.
    pub(crate) fn publish(&self, trigger: Trigger) -> Result<(), ConfigurationError> {
        let next = match trigger {
            Trigger::Plugins => self.live.current(),
            Trigger::Reload => read(self.file.as_deref())?,
        };
        let snapshot =
            Snapshot::build(Arc::clone(&next.entities), &*self.host).map_err(ConfigurationError::Snapshot)?;
        self.proxy.publish(snapshot);
        let (services, routes, plugins) =
            (next.entities.services.len(), next.entities.routes.len(), next.entities.plugins.len());
        tracing::info!(reason = ?trigger, services, routes, plugins, hash = next.hash, "new configuration is live");
        *self.live.current.write() = next;
        self.host.settle();
        Ok(())
    }
}

/// Reads the declarative configuration; without one there are no entities.
pub(crate) fn read(file: Option<&Path>) -> Result<Current, ConfigurationError> {
    let declaration = match file {
        Some(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|error| ConfigurationError::Read { path: shown.clone(), error })?;
            let now =
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
            let context = Context::new(now, &SystemRandomness);
            let catalog = catalog(&text).map_err(ConfigurationError::Catalog)?;
            moongate_model::parse(&text, Format::Auto, &catalog, &context)
                .map_err(|error| ConfigurationError::Declarative { path: shown, error })?
        }
        None => Declaration::default(),
    };
    let entities = Entities::from_rows(&declaration.rows).map_err(ConfigurationError::Row)?;
    Ok(Current { entities: Arc::new(entities), hash: declaration.hash })
}

/// The core entities, and the plugins that a configuration names, with whatever settings: the plugins themselves
/// refuse what they cannot use.
fn catalog(text: &str) -> Result<Catalog, CatalogError> {
    let document: serde_json::Value = serde_yaml::from_str(text).unwrap_or_default();
    let mut names = BTreeSet::new();
    plugin_names(&document, &mut names);
    let settings = Field::json().required().default(serde_json::json!({}));
    let schema = Schema::record().field("config", settings);
    let core = moongate_model::core::catalog(RouterFlavor::default());
    names.into_iter().fold(core, |catalog, name| catalog.plugin(name, schema.clone())).build()
}

fn plugin_names<'d>(value: &'d serde_json::Value, names: &mut BTreeSet<&'d str>) {
    let plugins = value.get("plugins").and_then(serde_json::Value::as_array).into_iter().flatten();
    names.extend(plugins.filter_map(|plugin| plugin.get("name")?.as_str()));
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| plugin_names(item, names)),
        serde_json::Value::Object(members) => members.values().for_each(|value| plugin_names(value, names)),
        _ => {}
    }
}

/// How the plugin host is set up.
pub(crate) fn host_options(properties: &Properties) -> HostOptions {
    HostOptions {
        plugin_dirs: properties.plugin_dirs.clone(),
        cache_dir: Some(Prefix::new(&properties.prefix).compile_cache()),
        workers: properties.worker_count(),
        settings: properties.plugin_settings.clone(),
        ..HostOptions::default()
    }
}

/// What an operator should know about the plugins that were found.
pub(crate) fn doubts(properties: &Properties, host: &PluginHost) -> Vec<String> {
    let plugins = host.plugins();
    let missing = properties.plugin_dirs.iter().filter(|directory| !directory.is_dir()).map(|directory| {
        format!("plugin_dirs: {} is no directory yet; it is watched for", directory.display())
    });
    let unused = properties.plugin_settings.keys().filter_map(|name| {
        let known = plugins.iter().any(|plugin| plugin.name == *name);
        (!known).then(|| format!("plugin_settings: no plugin is named `{name}`, its settings are not used"))
    });
    missing.chain(unused).chain(properties.without_effect()).collect()
}

/// The files that were refused, with the reasons.
pub(crate) fn refused(host: &PluginHost) -> Vec<String> {
    let refused = |plugin: &PluginStatus| plugin.state == PluginState::Refused;
    let line = |plugin: PluginStatus| format!("{} {}", plugin.file, plugin.last_error.unwrap_or_default());
    host.plugins().into_iter().filter(refused).map(line).collect()
}

/// A mistake in the syntax stands in the same line, mistakes in the content below.
fn declarative(error: &DeclarativeError) -> String {
    match error {
        DeclarativeError::Syntax { .. } => error.to_string(),
        error => format!("the declarative configuration is wrong\n{error}"),
    }
}

/// Where a relative path led to, which is what most often is wrong with it.
fn mend(path: &str) -> String {
    match (Path::new(path).is_relative(), std::env::current_dir()) {
        (true, Ok(directory)) => {
            format!(
                "; `declarative_config` is relative to {}, where the gateway was started",
                directory.display()
            )
        }
        _ => "; `declarative_config` names it".to_owned(),
    }
}
