//! Which of several configurations of one plugin applies to a request.
//!
//! A plugin runs at most once per request. The configuration that is limited the most wins as a whole:
//! a route's configuration is not merged with the global one. Who sends a request is known only once a plugin has
//! found it out, so what depends on the consumer stays a [`Choice`] until then.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{Entities, Plugin, Protocol, Route};

/// The plugin configurations of one set of entities, by what they are limited to.
///
/// Building it reads every configuration once; after that a route costs only as much as it has
/// plugins that might apply to it, however many consumers have configurations of their own.
#[derive(Debug, Default)]
pub struct PluginIndex<'e> {
    by_scope: HashMap<Scope, HashMap<&'e str, Configurations<'e>>>,
}

/// The configurations of one plugin that can apply to the requests of a route, and those that match none.
#[derive(Debug, Clone)]
pub struct Choice<'i, 'e> {
    /// The plugin.
    pub name: &'e str,
    /// The winner comes first.
    levels: Vec<Level<'i, 'e>>,
}

/// Configurations that are limited equally much.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Level<'i, 'e> {
    /// For one consumer each.
    ByConsumer(&'i HashMap<Uuid, &'e Plugin>),
    /// For everybody.
    Everybody(&'e Plugin),
}

impl<'e> PluginIndex<'e> {
    /// Indexes the configurations that can apply to HTTP requests; disabled ones count as absent.
    pub fn new(entities: &'e Entities) -> Self {
        Self::of(entities, Protocol::is_http)
    }

    /// Indexes the configurations that can apply to streams of bytes; disabled ones count as absent.
    pub fn of_streams(entities: &'e Entities) -> Self {
        Self::of(entities, |protocol| !protocol.is_http())
    }

    fn of(entities: &'e Entities, serves: fn(Protocol) -> bool) -> Self {
        let mut index = Self::default();
        let serving = |plugin: &&Plugin| plugin.enabled && plugin.protocols.iter().copied().any(serves);
        for plugin in entities.plugins.iter().filter(serving) {
            let scope = Scope {
                route: plugin.route.map(|route| route.id),
                service: plugin.service.map(|service| service.id),
            };
            let by_name = index.by_scope.entry(scope).or_default();
            let configurations = by_name.entry(plugin.name.as_str()).or_default();
            match plugin.consumer {
                Some(consumer) => {
                    configurations.by_consumer.entry(consumer.id).or_insert(plugin);
                }
                None => {
                    configurations.everybody.get_or_insert(plugin);
                }
            }
        }
        index
    }

    /// The configurations for requests that match `route` and come from nobody in particular, one per plugin,
    /// ordered by the plugin's name.
    pub fn for_route(&self, route: &Route) -> Vec<&'e Plugin> {
        self.choices_for_route(route).iter().filter_map(|choice| choice.select(None)).collect()
    }

    /// The configurations for requests that match no route, one per plugin, ordered by the plugin's name.
    pub fn global(&self) -> Vec<&'e Plugin> {
        self.global_choices().iter().filter_map(|choice| choice.select(None)).collect()
    }

    /// What there is to choose from for requests that match `route`, ordered by the plugin's name.
    pub fn choices_for_route(&self, route: &Route) -> Vec<Choice<'_, 'e>> {
        let service = route.service.map(|service| service.id);
        let of_route = Scope { route: Some(route.id), service: None };
        match service {
            Some(_) => self.choices(&[
                (Scope { route: Some(route.id), service }, Who::Consumer),
                (of_route, Who::Consumer),
                (Scope { route: None, service }, Who::Consumer),
                (Scope { route: Some(route.id), service }, Who::Everybody),
                (Scope::default(), Who::Consumer),
                (of_route, Who::Everybody),
                (Scope { route: None, service }, Who::Everybody),
                (Scope::default(), Who::Everybody),
            ]),
            None => self.choices(&[
                (of_route, Who::Consumer),
                (Scope::default(), Who::Consumer),
                (of_route, Who::Everybody),
                (Scope::default(), Who::Everybody),
            ]),
        }
    }

    /// What there is to choose from for requests that match no route, ordered by the plugin's name.
    pub fn global_choices(&self) -> Vec<Choice<'_, 'e>> {
        self.choices(&[(Scope::default(), Who::Consumer), (Scope::default(), Who::Everybody)])
    }

    /// `order` has the winner first.
    fn choices(&self, order: &[(Scope, Who)]) -> Vec<Choice<'_, 'e>> {
        let scopes = order.iter().filter_map(|(scope, _)| self.by_scope.get(scope));
        let names: BTreeSet<&'e str> = scopes.flat_map(|by_name| by_name.keys().copied()).collect();
        let choice = |name| {
            let level = |(scope, who): &(Scope, Who)| {
                let configurations = self.by_scope.get(scope)?.get(name)?;
                match who {
                    Who::Consumer if configurations.by_consumer.is_empty() => None,
                    Who::Consumer => Some(Level::ByConsumer(&configurations.by_consumer)),
                    Who::Everybody => configurations.everybody.map(Level::Everybody),
                }
            };
            Choice { name, levels: order.iter().filter_map(level).collect() }
        };
        names.into_iter().map(choice).collect()
    }
}

impl<'i, 'e> Choice<'i, 'e> {
    /// The configuration for requests of `consumer`, or of nobody that is known.
    pub fn select(&self, consumer: Option<Uuid>) -> Option<&'e Plugin> {
        self.levels.iter().find_map(|level| match level {
            Level::ByConsumer(by_consumer) => by_consumer.get(&consumer?).copied(),
            Level::Everybody(plugin) => Some(*plugin),
        })
    }

    /// The configurations, with the winner first, for those who prepare the choice.
    ///
    /// What comes behind the first one for everybody never applies.
    pub fn levels(&self) -> &[Level<'i, 'e>] {
        &self.levels
    }

    /// Whether it matters who sends a request.
    pub fn depends_on_consumer(&self) -> bool {
        matches!(self.levels.first(), Some(Level::ByConsumer(_)))
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

/// What a configuration is limited to, besides a consumer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Scope {
    route: Option<Uuid>,
    service: Option<Uuid>,
}

/// Whose requests a configuration is for.
#[derive(Debug, Clone, Copy)]
enum Who {
    Consumer,
    Everybody,
}

/// The configurations of one plugin in one scope.
#[derive(Debug, Default)]
struct Configurations<'e> {
    everybody: Option<&'e Plugin>,
    by_consumer: HashMap<Uuid, &'e Plugin>,
}

#[cfg(test)]
mod tests;
