//! What one node tells all others of its database.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{LogLevel, Node};

/// What was asked of one node and concerns all that share its database. It is not kept: a node that starts later, or that
/// is cut off from the database just then, does not hear of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Announcement {
    /// A target, or one of its addresses, is healthy or not. See [`Health::set`](super::Health::set).
    TargetHealth {
        /// Whose target.
        upstream: Uuid,
        /// Its text.
        target: String,
        /// The address, if it is not about all.
        address: Option<String>,
        /// Which of both.
        healthy: bool,
    },
    /// From which level on messages are logged, for so long. See [`Node::set_log_level`].
    LogLevel {
        /// The level.
        level: LogLevel,
        /// How long.
        timeout: Duration,
    },
}

impl Announcement {
    /// Does on `node` what another was asked for.
    pub fn take(self, node: &dyn Node) {
        match self {
            Self::TargetHealth { upstream, target, address, healthy } => {
                let set = node.health().set(upstream, &target, address.as_deref(), healthy);
                if let Err(error) = set {
                    tracing::warn!(%upstream, target, healthy, ?error, "what another node says of a target cannot be");
                }
            }
            Self::LogLevel { level, timeout } => node.set_log_level(level, timeout),
        }
    }
}
