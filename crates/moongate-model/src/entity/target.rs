//! Where the requests of an upstream go.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Reference;

/// An address that requests of an upstream go to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds with milliseconds.
    pub created_at: f64,
    /// Unix seconds with milliseconds.
    pub updated_at: f64,
    /// The upstream.
    pub upstream: Reference,
    /// Host name or address, with or without a port; without one it is 8000.
    pub target: String,
    /// Its share of the requests, 0 to 65535; 0 for none.
    pub weight: u16,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}
