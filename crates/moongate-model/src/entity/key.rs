//! Keys that signatures are made and verified with.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Reference;

/// A key, either as JSON or as PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The set that it belongs to.
    pub set: Option<Reference>,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// What signatures call it; unique within its set.
    pub kid: String,
    /// The key as JSON text.
    pub jwk: Option<String>,
    /// The key as PEM.
    pub pem: Option<KeyPem>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

/// A key as PEM; at least one half is set.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPem {
    /// The private half.
    pub private_key: Option<String>,
    /// The public half.
    pub public_key: Option<String>,
}

/// Keys that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySet {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

impl fmt::Debug for Key {
    /// Without the key itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Key");
        shown.field("id", &self.id).field("kid", &self.kid).field("set", &self.set).finish_non_exhaustive()
    }
}

impl fmt::Debug for KeyPem {
    /// Without the key itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("KeyPem").finish_non_exhaustive()
    }
}
