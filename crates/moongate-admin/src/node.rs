//! What the API needs to know of the process that it runs in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use moongate_model::Entities;
use serde_json::Value;
use uuid::Uuid;

/// The node whose Admin API this is.
///
/// Called for each request and never cached, so an implementation answers from memory and does not block.
pub trait Node: Send + Sync + 'static {
    /// The entities that the node serves from at this moment.
    fn entities(&self) -> Arc<Entities>;

    /// The parsed properties, an object with Kong's names, as `GET /` shows them.
    ///
    /// Shown as it is: secrets are masked by the implementation. Clients read at least `database`, `role`,
    /// `router_flavor`, `proxy_listen` and `admin_listen`.
    fn configuration(&self) -> Value;

    /// Hash of the declarative configuration in use, 32 hex digits; all zeros while there is none.
    fn configuration_hash(&self) -> String;

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

    /// Reads the configuration again and serves from it.
    ///
    /// # Errors
    /// Why the old configuration stays in use, in words for the operator who asked.
    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;
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
