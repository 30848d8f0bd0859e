//! Which of several configurations of one plugin applies to a request.
//!
//! A plugin runs at most once per request. The configuration that is limited the most wins as a whole:
//! a route's configuration is not merged with the global one. Configurations for a consumer take part
//! only once consumers are served, so they are left out here.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::{Entities, Plugin, Protocol, Route};

/// The plugin configurations of one set of entities, by what they are limited to.
///
/// Building it reads every configuration once; after that a route costs only as much as it has
/// configurations that might apply to it.
#[derive(Debug, Default)]
pub struct PluginIndex<'e> {
    by_scope: HashMap<Scope, Vec<&'e Plugin>>,
}

impl<'e> PluginIndex<'e> {
    /// Indexes the configurations that can apply to HTTP requests; disabled ones count as absent.
    pub fn new(entities: &'e Entities) -> Self {
        let mut by_scope: HashMap<Scope, Vec<&'e Plugin>> = HashMap::new();
        for plugin in &entities.plugins {
            let serves_http = plugin.protocols.iter().copied().any(Protocol::is_http);
            if plugin.enabled && serves_http && plugin.consumer.is_none() {
                let scope = Scope {
                    route: plugin.route.map(|route| route.id),
                    service: plugin.service.map(|service| service.id),
                };
                by_scope.entry(scope).or_default().push(plugin);
            }
        }
        Self { by_scope }
    }

    /// The configurations for requests that match `route`, one per plugin, ordered by the plugin's name.
    pub fn for_route(&self, route: &Route) -> Vec<&'e Plugin> {
        let service = route.service.map(|service| service.id);
        self.select([
            Scope { route: Some(route.id), service },
            Scope { route: Some(route.id), service: None },
            Scope { route: None, service },
            Scope::default(),
        ])
    }

    /// The configurations for requests that match no route, one per plugin, ordered by the plugin's name.
    pub fn global(&self) -> Vec<&'e Plugin> {
        self.select([Scope::default()])
    }

    /// The first configuration of each plugin in `scopes`, which come with the winner first.
    fn select<const N: usize>(&self, scopes: [Scope; N]) -> Vec<&'e Plugin> {
        let mut names = HashSet::new();
        let mut selected: Vec<&'e Plugin> = scopes
            .iter()
            .filter_map(|scope| self.by_scope.get(scope))
            .flatten()
            .copied()
            .filter(|plugin| names.insert(plugin.name.as_str()))
            .collect();
        selected.sort_unstable_by_key(|plugin| plugin.name.as_str());
        selected
    }
}

/// The plugin configurations for requests that match `route`, at most one per plugin.
///
/// This reads every configuration; use a [`PluginIndex`] to ask for more than one route.
pub fn select_plugins<'e>(entities: &'e Entities, route: &Route) -> Vec<&'e Plugin> {
    PluginIndex::new(entities).for_route(route)
}

/// The plugin configurations for requests that match no route, at most one per plugin.
pub fn global_plugins(entities: &Entities) -> Vec<&Plugin> {
    PluginIndex::new(entities).global()
}

/// What a configuration is limited to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Scope {
    route: Option<Uuid>,
    service: Option<Uuid>,
}

#[cfg(test)]
mod tests;
