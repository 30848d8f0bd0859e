//! The plugins of each route, chosen and in their order.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use moongate_hooks::PluginRuntime;
use moongate_model::{Choice, Entities, Level, Plugin, PluginIndex, Route};
use uuid::Uuid;

use super::bindings::Bindings;
use crate::chain::{Chain, Link, LinkChoice, LinkLevel};

/// Makes the chains of a snapshot.
pub(super) struct Chains<'a, R: PluginRuntime> {
    entities: &'a Entities,
    bindings: &'a Bindings<R>,
    /// Made when a chain is asked for: most changes leave the plugins as they are.
    index: OnceCell<PluginIndex<'a>>,
    /// By where the index keeps the configurations.
    by_consumer: RefCell<HashMap<usize, ByConsumer<R>>>,
}

/// The links of configurations for one consumer each; routes share them.
type ByConsumer<R> = Arc<HashMap<Uuid, Link<R>>>;

impl<'a, R: PluginRuntime> Chains<'a, R> {
    /// `bindings` are those of the plugin configurations among `entities`.
    pub(super) fn new(entities: &'a Entities, bindings: &'a Bindings<R>) -> Self {
        Self { entities, bindings, index: OnceCell::new(), by_consumer: RefCell::default() }
    }

    /// The chain for requests that match `route`.
    pub(super) fn of_route(&self, route: &Route) -> Arc<Chain<R>> {
        self.chain(&self.index().choices_for_route(route))
    }

    /// The chain for requests that match no route.
    pub(super) fn global(&self) -> Arc<Chain<R>> {
        self.chain(&self.index().global_choices())
    }

    fn index(&self) -> &PluginIndex<'a> {
        self.index.get_or_init(|| PluginIndex::new(self.entities))
    }

    /// The chain for requests that have these plugins to choose from.
    fn chain(&self, choices: &[Choice<'_, '_>]) -> Arc<Chain<R>> {
        let chosen = choices.iter().map(|choice| {
            let mut levels = Vec::new();
            for level in choice.levels() {
                match level {
                    Level::Everybody(plugin) => {
                        levels.extend(self.link(plugin).map(LinkLevel::Everybody));
                        // What comes behind never applies.
                        break;
                    }
                    Level::ByConsumer(plugins) => {
                        levels.push(LinkLevel::ByConsumer(self.by_consumer(plugins)))
                    }
                    _ => {}
                }
            }
            LinkChoice { name: choice.name.to_owned(), levels }
        });
        Arc::new(Chain::new(chosen.collect()))
    }

    fn by_consumer(&self, plugins: &HashMap<Uuid, &Plugin>) -> ByConsumer<R> {
        let links = || plugins.iter().filter_map(|(consumer, plugin)| Some((*consumer, self.link(plugin)?)));
        let place = std::ptr::from_ref(plugins) as usize;
        let mut known = self.by_consumer.borrow_mut();
        Arc::clone(known.entry(place).or_insert_with(|| Arc::new(links().collect())))
    }

    fn link(&self, plugin: &Plugin) -> Option<Link<R>> {
        Some(Link::new(&plugin.name, Arc::clone(self.bindings.get(plugin.id)?)))
    }
}
