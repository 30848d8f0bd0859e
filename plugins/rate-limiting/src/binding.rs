//! What a configuration is bound to.

use moongate_sdk::config;

/// The entities that a configuration is bound to, by their ids. The gateway puts them into the configuration, because
/// the schema asks for it.
#[config]
#[derive(Debug, Clone, Default)]
pub struct Binding {
    /// Id of the plugin configuration.
    pub id: Option<String>,
    /// Id of the route.
    pub route: Option<String>,
    /// Id of the service.
    pub service: Option<String>,
    /// Id of the consumer.
    pub consumer: Option<String>,
}

impl Binding {
    /// What the names of counters begin with: each route or service that a configuration is bound to counts for itself.
    pub(crate) fn prefix(&self, kind: &str) -> String {
        let id = |id: &Option<String>| id.clone().unwrap_or_else(|| NO_ENTITY.to_owned());
        format!("{kind}:{}:{}:", id(&self.route), id(&self.service))
    }
}

const NO_ENTITY: &str = "00000000-0000-0000-0000-000000000000";
