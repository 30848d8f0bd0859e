//! Where secrets come from.

use moongate_schema::Object;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A place that secrets come from, under a name of its own and with its own settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vault {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// What references call it; unique.
    pub prefix: String,
    /// The kind of place.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The settings, as the kind's schema defines them.
    pub config: Object,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}
