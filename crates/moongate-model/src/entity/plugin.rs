//! Which plugins are applied to what.

use moongate_schema::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Protocol, Reference};

/// A plugin configuration: a plugin applied globally or to a service, route or consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plugin {
    /// Primary key.
    pub id: Uuid,
    /// Name of the plugin, as its manifest has it.
    pub name: String,
    /// Unique name of this configuration, usable instead of the id in URLs.
    pub instance_name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Limits the configuration to one route.
    pub route: Option<Reference>,
    /// Limits the configuration to one service.
    pub service: Option<Reference>,
    /// Limits the configuration to one consumer.
    pub consumer: Option<Reference>,
    /// The settings, as the plugin's schema defines them.
    pub config: Object,
    /// Protocols that the configuration applies to.
    pub protocols: Vec<Protocol>,
    /// A disabled configuration is ignored, as if it were not there.
    pub enabled: bool,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}
