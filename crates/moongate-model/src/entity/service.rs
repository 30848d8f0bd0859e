//! Where requests are forwarded to.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Protocol, Reference};

/// An upstream application that requests are forwarded to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Primary key.
    pub id: Uuid,
    /// Unique name, usable instead of the id in URLs.
    pub name: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// How often a failed try is repeated, 0 to 32767.
    pub retries: u16,
    /// The protocol spoken to the upstream.
    pub protocol: Protocol,
    /// Host name, address, or the name of an upstream entity.
    pub host: String,
    /// TCP or UDP port.
    pub port: u16,
    /// Prefix of the path sent upstream.
    pub path: Option<String>,
    /// Milliseconds to establish a connection.
    pub connect_timeout: u32,
    /// Milliseconds between two successive writes.
    pub write_timeout: u32,
    /// Milliseconds between two successive reads.
    pub read_timeout: u32,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// Certificate presented to the upstream.
    pub client_certificate: Option<Reference>,
    /// Whether the upstream's certificate is verified; unset follows the gateway's default.
    pub tls_verify: Option<bool>,
    /// Longest accepted certificate chain.
    pub tls_verify_depth: Option<u16>,
    /// Ids of the CA certificates that the upstream is verified with.
    pub ca_certificates: Option<Vec<Uuid>>,
    /// A disabled service and its routes drop out of the router.
    pub enabled: bool,
}
