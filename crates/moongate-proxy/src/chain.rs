//! The plugins of a route, in the order in which they run.

use std::collections::HashMap;
use std::sync::Arc;

use moongate_hooks::{Exchange, FailurePolicy, HookSet, PluginRuntime};
use uuid::Uuid;

/// A plugin configuration in a chain.
pub(crate) struct Link<R: PluginRuntime> {
    /// Name of the plugin.
    pub(crate) name: Arc<str>,
    pub(crate) binding: Arc<R::Binding>,
    pub(crate) on_failure: FailurePolicy,
    pub(crate) hooks: HookSet,
}

impl<R: PluginRuntime> Link<R> {
    pub(crate) fn new(name: &str, binding: Arc<R::Binding>) -> Self {
        Self { name: name.into(), on_failure: R::on_failure(&binding), hooks: R::hooks(&binding), binding }
    }
}

impl<R: PluginRuntime> Clone for Link<R> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            binding: Arc::clone(&self.binding),
            on_failure: self.on_failure,
            hooks: self.hooks,
        }
    }
}

/// The configurations of one plugin; the first that applies to a request is used.
pub(crate) struct LinkChoice<R: PluginRuntime> {
    pub(crate) name: String,
    pub(crate) levels: Vec<LinkLevel<R>>,
}

/// Configurations that are limited equally much.
pub(crate) enum LinkLevel<R: PluginRuntime> {
    /// For one consumer each.
    ByConsumer(Arc<HashMap<Uuid, Link<R>>>),
    /// For everybody.
    Everybody(Link<R>),
}

impl<R: PluginRuntime> LinkChoice<R> {
    /// The configuration for the one who sent the request, as far as that is known.
    pub(crate) fn select(&self, exchange: &Exchange) -> Option<&Link<R>> {
        let consumer = || {
            let consumer = exchange.identity.as_ref()?.consumer.as_ref()?;
            consumer.id.parse::<Uuid>().ok()
        };
        self.levels.iter().find_map(|level| match level {
            LinkLevel::ByConsumer(links) => links.get(&consumer()?),
            LinkLevel::Everybody(link) => Some(link),
        })
    }

    fn everybody(&self) -> Option<&Link<R>> {
        self.levels.iter().find_map(|level| match level {
            LinkLevel::Everybody(link) => Some(link),
            LinkLevel::ByConsumer(_) => None,
        })
    }

    /// Any of the configurations: they are of one plugin.
    fn any(&self) -> Option<&Link<R>> {
        self.levels.iter().find_map(|level| match level {
            LinkLevel::Everybody(link) => Some(link),
            LinkLevel::ByConsumer(links) => links.values().next(),
        })
    }

    fn depends_on_consumer(&self) -> bool {
        matches!(self.levels.first(), Some(LinkLevel::ByConsumer(_)))
    }
}

/// The plugins of a route, in the order in which they run.
pub(crate) struct Chain<R: PluginRuntime> {
    /// Those with a request hook, for requests from nobody in particular.
    pub(crate) request: Vec<Link<R>>,
    /// Those that see responses: their heads, their bodies or both.
    pub(crate) response: Vec<Link<R>>,
    /// Those that get log records.
    pub(crate) log: Vec<Link<R>>,
    /// Those that see requests before their route is known, if they are for all requests.
    pub(crate) early: Vec<Link<R>>,
    /// All, where it matters who sends a request.
    pub(crate) choices: Vec<LinkChoice<R>>,
}

impl<R: PluginRuntime> Chain<R> {
    /// Puts plugins into their order: higher priorities first; equal ones by name, descending, as Kong's users know it.
    pub(crate) fn new(mut choices: Vec<LinkChoice<R>>) -> Self {
        choices.retain(|choice| !choice.levels.is_empty());
        let priority = |choice: &LinkChoice<R>| choice.any().map_or(0, |link| R::priority(&link.binding));
        choices.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| b.name.cmp(&a.name)));
        let links = |wanted: fn(HookSet) -> bool| {
            choices
                .iter()
                .filter_map(LinkChoice::everybody)
                .filter(|link| wanted(link.hooks))
                .cloned()
                .collect()
        };
        let (request, response) =
            (links(|hooks| hooks.request), links(|hooks| hooks.response || hooks.response_body));
        let (log, early) = (links(|hooks| hooks.log), links(|hooks| hooks.early_request));
        if !choices.iter().any(LinkChoice::depends_on_consumer) {
            choices.clear();
        }
        Self { request, response, log, early, choices }
    }

    /// Whether request hooks have to be thought of.
    pub(crate) fn has_request_hooks(&self) -> bool {
        !self.request.is_empty() || !self.choices.is_empty()
    }
}
