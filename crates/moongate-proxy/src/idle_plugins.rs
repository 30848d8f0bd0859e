//! Plugins that do nothing, for tests and fuzz targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use moongate_hooks::{
    BindError, Decision, Exchange, FailurePolicy, HookError, HookSet, PluginRuntime, PluginSpec,
};
use parking_lot::Mutex;

/// A runtime whose plugins do nothing. The default has none.
#[derive(Debug, Default)]
pub(crate) struct IdlePlugins {
    /// The versions of the plugins by their names.
    pub(crate) versions: Mutex<BTreeMap<String, u32>>,
}

/// A configuration bound to one version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdleBinding {
    pub(crate) name: String,
    pub(crate) version: u32,
    /// The id of the configuration, what it is bound to, and its settings.
    pub(crate) spec: String,
}

impl PluginRuntime for IdlePlugins {
    type Binding = IdleBinding;

    fn bind(&self, spec: &PluginSpec<'_>) -> Result<Arc<IdleBinding>, BindError> {
        let name = spec.name.to_owned();
        let Some(version) = self.versions.lock().get(&name).copied() else {
            return Err(BindError::UnknownPlugin { name });
        };
        Ok(Arc::new(IdleBinding { name, version, spec: format!("{spec:?}") }))
    }

    fn is_current(&self, binding: &IdleBinding) -> bool {
        self.versions.lock().get(&binding.name) == Some(&binding.version)
    }

    fn hooks(_: &IdleBinding) -> HookSet {
        HookSet { request: true, ..HookSet::default() }
    }

    fn priority(_: &IdleBinding) -> i32 {
        0
    }

    fn on_failure(_: &IdleBinding) -> FailurePolicy {
        FailurePolicy::Closed
    }

    async fn on_early_request(
        &self,
        _: usize,
        _: &IdleBinding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        (exchange, Ok(Decision::Continue))
    }

    async fn on_request(
        &self,
        _: usize,
        _: &IdleBinding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        (exchange, Ok(Decision::Continue))
    }

    async fn on_response(
        &self,
        _: usize,
        _: &IdleBinding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<(), HookError>) {
        (exchange, Ok(()))
    }

    async fn on_response_body(
        &self,
        _: usize,
        _: &IdleBinding,
        exchange: Box<Exchange>,
        _: Bytes,
        _: bool,
    ) -> (Box<Exchange>, Result<Option<Bytes>, HookError>) {
        (exchange, Ok(None))
    }

    fn entity(&self, _: &str, _: &str) -> Option<String> {
        None
    }

    fn log(&self, _: &Arc<IdleBinding>, _: &Arc<str>) {}
}
