//! What the Admin API sees of the plugins: their state, and the endpoints that they declare.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{HookError, Problem, Reply};

/// The loaded and the refused plugins of this node.
///
/// Object-safe, because the Admin API needs neither speed nor the type of the runtime.
pub trait PluginCatalog: Send + Sync + 'static {
    /// Every artifact that was found in a plugin directory, ordered by name, whatever its state.
    fn plugins(&self) -> Vec<PluginStatus>;

    /// What the plugins that serve can be configured with.
    fn schemas(&self) -> Vec<PluginSchema> {
        Vec::new()
    }

    /// The endpoints that plugins in use declare, with the plugin that answers each.
    fn admin_routes(&self) -> Vec<AdminRoute>;

    /// Lets a plugin's admin hook answer a request.
    ///
    /// Runs on instances that serve no proxied request, under the same limits and budgets.
    ///
    /// # Errors
    /// [`HookError::NotExported`] when no loaded plugin of that name has an admin hook; otherwise what went
    /// wrong while the hook ran.
    fn admin(
        &self,
        plugin: &str,
        request: AdminRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, HookError>> + Send + '_>>;

    /// Writes what plugins measure, and what is measured of them, in the text form that Prometheus reads.
    fn render_metrics(&self, text: &mut String) {
        let _ = text;
    }

    /// What plugins keep between requests.
    fn kept(&self) -> Kept {
        Kept::default()
    }

    /// Lets a plugin look at one of its entities before it is stored, and gives what is to be stored.
    /// `changed` names the fields whose values are other than those that are stored.
    ///
    /// # Errors
    /// What the plugin finds wrong with it, or how it failed.
    fn on_write<'a>(&'a self, entity: &'a str, row: Map<String, Value>, changed: Vec<String>) -> Writing<'a> {
        let _ = (entity, changed);
        Box::pin(async move { Ok(row) })
    }
}

/// Becomes a row as it is to be stored, or why it is not.
pub type Writing<'a> = Pin<Box<dyn Future<Output = Result<Map<String, Value>, WriteError>> + Send + 'a>>;

/// What all plugins keep between requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// Bytes of keys and values.
    pub bytes: u64,
    /// Bytes that there may be.
    pub limit: u64,
    /// Series of metrics that found no room.
    pub dropped_series: u64,
}

/// Why a plugin does not let an entity be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// It found something wrong with it.
    #[error("{}", Problem::list(.0))]
    Refused(Vec<Problem>),
    /// It failed.
    #[error("plugin '{plugin}' failed while it looked at the entity: {error}")]
    Failed {
        /// Name of the plugin.
        plugin: String,
        /// What happened.
        error: HookError,
    },
}

/// One artifact as `GET /moongate/plugins` shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PluginStatus {
    /// Name from the manifest; the file's stem while no manifest could be read.
    pub name: String,
    /// Version from the manifest.
    pub version: Option<String>,
    /// Position among the plugins of a request, higher runs earlier.
    pub priority: Option<i32>,
    /// SHA-256 of the artifact in use, in hex.
    pub digest: Option<String>,
    /// The file that the artifact came from.
    pub file: String,
    /// Exported hooks, in the order in which a request meets them.
    pub hooks: Vec<&'static str>,
    /// Whether the plugin serves, and why not.
    pub state: PluginState,
    /// Why the newest artifact was refused, or the plugin's last failure.
    pub last_error: Option<String>,
    /// Counts the versions of this plugin that went live, from 1; 0 when none did.
    pub generation: u64,
    /// When the version in use went live, in Unix seconds.
    pub loaded_at: Option<i64>,
    /// Capabilities that the plugin imports.
    pub capabilities: Vec<String>,
    /// Capabilities that the operator grants to it.
    pub grants: Vec<String>,
    /// What it has done since the version in use went live.
    pub statistics: Option<PluginStatistics>,
}

/// What a plugin has done.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct PluginStatistics {
    /// For each hook that was called, in the order in which a request meets them.
    pub hooks: Vec<HookStatistics>,
    /// Instances, at rest and at work.
    pub instances: usize,
    /// Linear memory of instances at rest, in bytes.
    pub memory: u64,
    /// Log records that wait.
    pub queued: u64,
    /// Log records that were dropped.
    pub dropped: u64,
}

/// What one hook has done.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct HookStatistics {
    /// Name of the hook.
    pub hook: &'static str,
    /// Calls that came to an end.
    pub calls: u64,
    /// Requests that it answered.
    pub responses: u64,
    /// Failures, by code.
    pub errors: BTreeMap<&'static str, u64>,
    /// Time that calls waited for an instance to be made, in nanoseconds.
    pub wait_ns: u64,
    /// CPU time of calls, in nanoseconds, as far as samples tell: how long they ran, not how long they waited.
    pub cpu_ns: u64,
    /// Median of the CPU time of a call, in nanoseconds, as far as buckets of powers of two tell.
    pub cpu_p50_ns: u64,
    /// 99th percentile of the CPU time of a call, in nanoseconds, likewise.
    pub cpu_p99_ns: u64,
}

/// What a plugin declares of the configuration that concerns it.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginSchema {
    /// Name of the plugin.
    pub name: String,
    /// The schema of its `config`.
    pub config: ConfigSchema,
    /// The entities that it adds, in the gateway's own form.
    pub entities: Vec<Value>,
}

/// A schema, and the language that it is written in.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigSchema {
    /// JSON Schema, draft 2020-12.
    JsonSchema(Value),
    /// The gateway's own form.
    Native(Value),
}

/// What became of the newest artifact of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PluginState {
    /// The newest artifact is in use, or ready to be configured.
    Ready,
    /// The newest artifact was refused; an older version may still serve, see `generation`.
    Refused,
    /// The file is gone, and configurations still use the version that was loaded from it.
    Removed,
}

/// An endpoint that a plugin adds to the Admin API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminRoute {
    /// The plugin that answers.
    pub plugin: String,
    /// Method, in capitals.
    pub method: String,
    /// Path, starting with a slash. A segment in braces, such as `{key}`, stands for any.
    pub path: String,
    /// Whether the status listener serves it too.
    pub status: bool,
}

/// A request to a plugin-declared endpoint.
#[derive(Debug, Clone)]
pub struct AdminRequest {
    /// Method, in capitals.
    pub method: String,
    /// Path without the query.
    pub path: String,
    /// Text behind the `?`, as received.
    pub query: Option<String>,
    /// Headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}
