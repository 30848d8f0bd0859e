//! `moongate check`

use std::sync::Arc;

use moongate_plugin_host::PluginHost;
use moongate_store::StoreError;

use super::{Several, say};
use crate::configuration::ConfigurationError;
use crate::gateway::configure;
use crate::plugins;
use crate::properties::{Database, Properties, Sources};
use crate::storage;

pub(super) fn run(sources: &Sources) -> anyhow::Result<()> {
    let loaded = Properties::load(sources)?;
    let properties = loaded.properties;
    let mut problems = Vec::new();

    let host = plugins::look(&properties)?;
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
    if properties.chosen_database() == Database::Sqlite && !properties.sqlite_file().exists() {
        // It is made at the first start.
        return Ok(());
    }
    let runtime = storage::runtime().map_err(|error| StoreError::Unavailable { why: error.to_string() })?;
    let (configuration, _) = configure(properties, host, &runtime)?;
    configuration.first_snapshot()?;
    Ok(())
}
