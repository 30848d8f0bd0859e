//! The health of upstreams and their targets.

use moongate_balancer::UpstreamStatus;
use uuid::Uuid;

/// What a node knows of the health of upstreams.
pub trait Health: Send + Sync {
    /// The state of an upstream, if this node has a balancer for it.
    fn upstream(&self, id: Uuid) -> Option<UpstreamStatus>;

    /// Calls a target, or one of its addresses, healthy or not until a check says otherwise.
    ///
    /// `target` is the text of a target that exists; `address` is an IP address with or without a port.
    ///
    /// # Errors
    /// Why that makes no sense for this upstream.
    fn set(
        &self,
        upstream: Uuid,
        target: &str,
        address: Option<&str>,
        healthy: bool,
    ) -> Result<(), HealthError>;
}

/// Why the health of a target cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthError {
    /// This node has no balancer for the upstream.
    NoBalancer,
    /// Nothing is checked, so health has no meaning.
    NoChecks,
    /// The target has no such address.
    UnknownAddress,
}
