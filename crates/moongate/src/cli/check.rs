//! `moongate check`

use std::sync::Arc;

use moongate_hooks::PluginCatalog;
use moongate_plugin_host::{HostOptions, PluginHost};
use moongate_store::{Store, StoreError};

use super::{Several, say};
use crate::catalog;
use crate::configuration::{Configuration, ConfigurationError, DeclarativeConfiguration};
use crate::plugins;
use crate::properties::{Database, Properties, Sources};
use crate::storage;

pub(super) fn run(sources: &Sources) -> anyhow::Result<()> {
    let loaded = Properties::load(sources)?;
    let properties = loaded.properties;
    let mut problems = Vec::new();

    let options = plugins::host_options(&properties);
    // A look leaves no traces; the cache of a gateway that ran here is used.
    let cache_dir = options.cache_dir.filter(|directory| directory.is_dir());
    let host = PluginHost::start(HostOptions { cache_dir, workers: 1, ..options })?;
    problems.extend(plugins::refused(&host).into_iter().map(|refused| format!("plugin refused: {refused}")));
    problems.extend(configuration(&properties, &host).err().map(|error| error.to_string()));

    for doubt in plugins::doubts(&properties, &host) {
        eprintln!("warning: {doubt}");
    }
    if !problems.is_empty() {
        return Err(Several(problems).into());
    }
    let checked = loaded.file.or(properties.declarative_config);
    let checked = checked.map_or_else(|| "(defaults)".to_owned(), |path| path.display().to_string());
    say(&format!("configuration at {checked} is valid"));
    Ok(())
}

/// Looks whether the entities can be served: those of the declarative configuration, or those in the database.
fn configuration(properties: &Properties, host: &Arc<PluginHost>) -> Result<(), ConfigurationError> {
    let catalog = catalog::build(properties.router_flavor, &host.schemas())?;
    if properties.chosen_database() == Database::Sqlite && !properties.sqlite_file().exists() {
        // It is made at the first start.
        return Ok(());
    }
    let runtime = storage::runtime().map_err(|error| StoreError::Unavailable { why: error.to_string() })?;
    let store: Arc<dyn Store> = runtime.block_on(storage::open(properties, &catalog))?;
    let configuration =
        Configuration::new(Arc::clone(host), store, properties.router_flavor, Arc::new(catalog))?;
    let configuration = Arc::new(configuration);
    if properties.chosen_database() == Database::Off {
        let file = properties.declarative_config.clone();
        let declarative = DeclarativeConfiguration::new(Arc::clone(&configuration), file);
        runtime.block_on(declarative.reload())?;
    }
    configuration.first_snapshot()?;
    Ok(())
}
