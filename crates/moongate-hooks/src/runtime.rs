//! The traits through which the proxy runs hooks.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{BindError, Decision, Exchange, FailurePolicy, HookError};

/// Runs the hooks of plugins.
///
/// Workers are single-threaded and each has a number; a runtime may keep instances per worker and never
/// needs to share one between two.
pub trait PluginRuntime: Send + Sync + 'static {
    /// One plugin configuration bound to one loaded version of its plugin.
    ///
    /// Part of a snapshot: it keeps that version alive, so that a request which started on it ends on it.
    type Binding: Send + Sync + 'static;

    /// Finds the loaded plugin that `spec` names and makes it accept the configuration.
    ///
    /// Runs off the request path while a snapshot is built, and blocks while the plugin looks at the
    /// configuration. Nothing changes for running requests.
    ///
    /// # Errors
    /// See [`BindError`].
    fn bind(&self, spec: &PluginSpec<'_>) -> Result<Arc<Self::Binding>, BindError>;

    /// Whether binding the same configuration now would give this again. Then there is no need to.
    fn is_current(&self, binding: &Self::Binding) -> bool {
        let _ = binding;
        false
    }

    /// Which hooks the bound version exports; those not in it are never called.
    fn hooks(binding: &Self::Binding) -> HookSet;

    /// Position of the plugin among those of a request; the higher runs first.
    fn priority(binding: &Self::Binding) -> i32;

    /// What a request gets when the plugin fails.
    fn on_failure(binding: &Self::Binding) -> FailurePolicy;

    /// Runs the early-request hook; no route is known yet. See [`PluginRuntime::on_request`].
    fn on_early_request(
        &self,
        worker: usize,
        binding: &Self::Binding,
        exchange: Box<Exchange>,
    ) -> impl Future<Output = (Box<Exchange>, Result<Decision, HookError>)>;

    /// Runs the request hook on the worker's own instances.
    ///
    /// The exchange always comes back, also from a hook that failed or was cut off.
    fn on_request(
        &self,
        worker: usize,
        binding: &Self::Binding,
        exchange: Box<Exchange>,
    ) -> impl Future<Output = (Box<Exchange>, Result<Decision, HookError>)>;

    /// Runs the response hook; `exchange.response` is set. See [`PluginRuntime::on_request`].
    fn on_response(
        &self,
        worker: usize,
        binding: &Self::Binding,
        exchange: Box<Exchange>,
    ) -> impl Future<Output = (Box<Exchange>, Result<(), HookError>)>;

    /// Runs the response-body hook for a piece of the body. Without a result the piece stays as it is.
    fn on_response_body(
        &self,
        worker: usize,
        binding: &Self::Binding,
        exchange: Box<Exchange>,
        piece: Bytes,
        last: bool,
    ) -> impl Future<Output = (Box<Exchange>, Result<Option<Bytes>, HookError>)>;

    /// An entity of the configuration that is served, as JSON text.
    fn entity(&self, entity: &str, id: &str) -> Option<String>;

    /// Takes the record of a finished request, a JSON object, for the log hook. Does not wait.
    fn log(&self, binding: &Arc<Self::Binding>, record: &Arc<str>);
}

/// A plugin configuration, as the runtime needs to know it.
#[derive(Debug, Clone, Copy)]
pub struct PluginSpec<'a> {
    /// Id of the configuration; empty where there is none to speak of.
    pub id: &'a str,
    /// Name of the configuration, if it has one.
    pub instance_name: Option<&'a str>,
    /// Name of the plugin.
    pub name: &'a str,
    /// The settings.
    pub config: &'a Map<String, Value>,
    /// What the configuration is bound to.
    pub bound_to: BoundTo<'a>,
}

/// The entities that a plugin configuration is bound to, by their ids.
#[derive(Debug, Clone, Copy, Default)]
pub struct BoundTo<'a> {
    /// The route.
    pub route: Option<&'a str>,
    /// The service.
    pub service: Option<&'a str>,
    /// The consumer.
    pub consumer: Option<&'a str>,
}

/// The hooks that a plugin exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HookSet {
    /// Called with each request, before its route is known.
    pub early_request: bool,
    /// Called with each request, before it is sent upstream.
    pub request: bool,
    /// Called with the head of each response.
    pub response: bool,
    /// Called with the bodies of responses.
    pub response_body: bool,
    /// Called with the records of finished requests.
    pub log: bool,
    /// Called at intervals.
    pub timer: bool,
    /// Called for the plugin's endpoints of the Admin API.
    pub admin: bool,
    /// Called before the plugin's own entities are stored.
    pub entity: bool,
}

impl HookSet {
    /// The names of the hooks, in the order in which a request meets them.
    pub fn names(self) -> Vec<&'static str> {
        [
            (self.early_request, "early-request"),
            (self.request, "request"),
            (self.response, "response"),
            (self.response_body, "response-body"),
            (self.log, "log"),
            (self.timer, "timer"),
            (self.admin, "admin"),
            (self.entity, "entity"),
        ]
        .into_iter()
        .filter_map(|(exported, name)| exported.then_some(name))
        .collect()
    }
}
