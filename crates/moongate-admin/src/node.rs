//! What the API needs to know of the process that it runs in.

mod announcement;
mod declarative;
mod health;
mod log_level;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moongate_hooks::{Metrics, PluginStatus};
use moongate_schema::Catalog;
use moongate_store::{Row, Store, StoreError};
use serde_json::Value;
use uuid::Uuid;

use crate::explain::{Asked, Explained};
use crate::upload::InstallError;

pub use announcement::Announcement;
pub use declarative::{Declarative, LoadError, LoadOptions, Loaded, Source};
pub use health::{Health, HealthError};
pub use log_level::{LogLevel, UnknownLevel};

/// The node whose Admin API this is.
///
/// Called for each request and never cached, so an implementation answers from memory and does not block, except where a
/// method is asynchronous.
#[async_trait]
pub trait Node: Send + Sync + 'static {
    /// The schemas of everything that can be configured now. Another catalog takes its place when plugins come or go.
    fn catalog(&self) -> Arc<Catalog>;

    /// Where the entities are. A write through it is in use on this node when it returns.
    ///
    /// With a declarative configuration the API only reads here.
    fn store(&self) -> Arc<dyn Store>;

    /// The declarative configuration, if entities come from one. Then every other write is refused.
    fn declarative(&self) -> Option<&dyn Declarative>;

    /// Whether router and plugins could work with an entity that is correct by its schema, whatever others there are.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with it.
    async fn judge(&self, _entity: &str, _row: Row) -> Result<(), StoreError> {
        Ok(())
    }

    /// The health of upstreams, as this node sees it.
    fn health(&self) -> &dyn Health;

    /// The parsed properties, an object with Kong's names, as `GET /` shows them.
    ///
    /// Shown as it is: secrets are masked by the implementation. Clients read at least `database`, `role`,
    /// `router_flavor`, `proxy_listen` and `admin_listen`.
    fn configuration(&self) -> Value;

    /// What the proxy listeners have done so far.
    fn counters(&self) -> Counters;

    /// Bytes of memory that the process has in use.
    fn resident_memory(&self) -> u64;

    /// Identity of this node, the same for its lifetime.
    fn node_id(&self) -> Uuid;

    /// Name of the machine.
    fn hostname(&self) -> String;

    /// Moongate's own version.
    fn version(&self) -> &str;

    /// Ids of the worker threads, which stand where Kong has the ids of its worker processes.
    fn workers(&self) -> Vec<u32>;

    /// The level from which on messages are logged.
    fn log_level(&self) -> LogLevel;

    /// Logs from `level` on for so long, then as before.
    fn set_log_level(&self, level: LogLevel, timeout: Duration);

    /// The secret that every request has to show, if there is one.
    fn admin_token(&self) -> Option<&str> {
        None
    }

    /// The origins whose pages may use the API from a browser; when there are none, all may.
    fn allowed_origins(&self) -> &[String] {
        &[]
    }

    /// Why nothing is served, if the database held what cannot be when the node started.
    fn unserved(&self) -> Option<String> {
        None
    }

    /// Whether the node is about to stop, so that requests should go elsewhere.
    fn is_draining(&self) -> bool {
        false
    }

    /// Calls the node about to stop from now on. It goes on serving.
    fn drain(&self) {}

    /// What the workers have measured since start.
    fn metrics(&self) -> Metrics {
        Metrics::default()
    }

    /// How long the node has been running.
    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    /// What would become of a request, if this node serves any.
    fn explain(&self, _asked: &Asked) -> Option<Explained> {
        None
    }

    /// A listener of the proxy that clients reach with or without TLS and, if asked, with HTTP/2; if there is one.
    fn proxy_listener(&self, _tls: bool, _http2: bool) -> Option<SocketAddr> {
        None
    }

    /// Admits a plugin, and keeps it as `file` in the first plugin directory. It serves when this returns.
    ///
    /// # Errors
    /// See [`InstallError`].
    async fn install_plugin(&self, _file: String, _artifact: Bytes) -> Result<PluginStatus, InstallError> {
        Err(InstallError::Impossible("this node takes no plugins".to_owned()))
    }

    /// Reads the file of a plugin again and makes another generation of it, which serves when this returns.
    ///
    /// # Errors
    /// See [`InstallError`].
    async fn reload_plugin(&self, name: String) -> Result<PluginStatus, InstallError> {
        Err(InstallError::Unknown(name))
    }

    /// Reads the configuration again and serves from it.
    ///
    /// # Errors
    /// Why the old configuration stays in use, in words for the operator who asked.
    async fn reload(&self) -> Result<(), String>;
}

/// Connections and requests of the proxy listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Connections accepted since start.
    pub connections_accepted: u64,
    /// Accepted connections that were served, rather than dropped for lack of a resource.
    pub connections_handled: u64,
    /// Connections open now.
    pub connections_active: u64,
    /// Of those, the ones whose request head is being read.
    pub connections_reading: u64,
    /// Of those, the ones whose request is being answered.
    pub connections_writing: u64,
    /// Of those, the ones that are idle between requests.
    pub connections_waiting: u64,
    /// Requests since start.
    pub total_requests: u64,
}
