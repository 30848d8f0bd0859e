//! `moongate check`

use moongate_plugin_host::{HostOptions, PluginHost};
use moongate_proxy::Snapshot;

use super::{Several, say};
use crate::properties::{Properties, Sources};
use crate::publisher::{self, ConfigurationError};

pub(super) fn run(sources: &Sources) -> anyhow::Result<()> {
    let loaded = Properties::load(sources)?;
    let properties = loaded.properties;
    let mut problems = Vec::new();

    let current = publisher::read(properties.declarative_config.as_deref());
    let options = publisher::host_options(&properties);
    // A look leaves no traces; the cache of a gateway that ran here is used.
    let cache_dir = options.cache_dir.filter(|directory| directory.is_dir());
    let host = PluginHost::start(HostOptions { cache_dir, workers: 1, ..options })?;
    problems
        .extend(publisher::refused(&host).into_iter().map(|refused| format!("plugin refused: {refused}")));
    let built = current
        .and_then(|current| Snapshot::build(current.entities, &*host).map_err(ConfigurationError::Snapshot));
    problems.extend(built.err().map(|error| error.to_string()));

    for doubt in publisher::doubts(&properties, &host) {
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
