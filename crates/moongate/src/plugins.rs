//! The plugins that the properties name.

use std::sync::Arc;

use moongate_hooks::{PluginCatalog, PluginState, PluginStatus};
use moongate_plugin_host::{HostError, HostOptions, PluginHost};

use crate::prefix::Prefix;
use crate::properties::Properties;

/// How the plugin host is set up.
pub(crate) fn host_options(properties: &Properties) -> HostOptions {
    HostOptions {
        plugin_dirs: properties.plugin_dirs.clone(),
        cache_dir: Some(Prefix::new(&properties.prefix).compile_cache()),
        workers: properties.worker_count(),
        settings: properties.plugin_settings.clone(),
        grants: properties.plugin_grants.clone(),
        ..HostOptions::default()
    }
}

/// Loads the plugins to look at them, for a command. A look leaves no traces; the cache of a gateway that ran here is
/// used.
pub(crate) fn look(properties: &Properties) -> Result<Arc<PluginHost>, HostError> {
    let options = host_options(properties);
    let cache_dir = options.cache_dir.filter(|directory| directory.is_dir());
    PluginHost::start(HostOptions { cache_dir, workers: 1, ..options })
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
