//! How entities refer to each other.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A foreign key, written and read as `{"id": "<uuid>"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Primary key of the referenced entity.
    pub id: Uuid,
}
