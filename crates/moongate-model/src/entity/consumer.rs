//! Who sends requests.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Somebody who sends requests and is known by a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Primary key.
    pub id: Uuid,
    /// Unique name, usable instead of the id in URLs.
    pub username: Option<String>,
    /// What another system calls the consumer; unique.
    pub custom_id: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}
