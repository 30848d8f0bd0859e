//! Certificates, and the server names that they are for.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Reference;

/// A certificate with its key. Either may be a reference to a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The chain in PEM, leaf first.
    pub cert: String,
    /// The private key in PEM.
    pub key: String,
    /// A second chain, for a key of another type.
    pub cert_alt: Option<String>,
    /// The key of the second chain.
    pub key_alt: Option<String>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

/// A certificate that others are verified with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaCertificate {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// The certificate in PEM.
    pub cert: String,
    /// SHA-256 of the certificate in hex.
    pub cert_digest: Option<String>,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

/// A server name and the certificate for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sni {
    /// Primary key.
    pub id: Uuid,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Unique host name, with at most one leading or trailing wildcard.
    pub name: String,
    /// The certificate.
    pub certificate: Reference,
    /// Free labels.
    pub tags: Option<Vec<String>>,
}

impl fmt::Debug for Certificate {
    /// Without the keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Certificate").field("id", &self.id).finish_non_exhaustive()
    }
}
