//! Groups of targets that requests are spread over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Reference;

/// A group of targets; a service whose host is its name is balanced over them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upstream {
    /// Primary key.
    pub id: Uuid,
    /// Unique name in the form of a host name.
    pub name: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What part of a request is hashed.
    pub hash_on: HashInput,
    /// What is hashed when the first part is missing.
    pub hash_fallback: HashInput,
    /// The header of `hash_on: header`.
    pub hash_on_header: Option<String>,
    /// The header of `hash_fallback: header`.
    pub hash_fallback_header: Option<String>,
    /// The cookie of hashing on a cookie.
    pub hash_on_cookie: Option<String>,
    /// The path that a cookie is set for when a request has none.
    pub hash_on_cookie_path: Option<String>,
    /// The query argument of `hash_on: query_arg`.
    pub hash_on_query_arg: Option<String>,
    /// The query argument of `hash_fallback: query_arg`.
    pub hash_fallback_query_arg: Option<String>,
    /// The named group in the path of `hash_on: uri_capture`.
    pub hash_on_uri_capture: Option<String>,
    /// The named group in the path of `hash_fallback: uri_capture`.
    pub hash_fallback_uri_capture: Option<String>,
    /// Places on the ring of the balancer, 10 to 65536.
    pub slots: u32,
    /// When a target counts as healthy.
    pub healthchecks: Healthchecks,
    /// Free labels.
    pub tags: Option<Vec<String>>,
    /// The Host header of requests to the targets.
    pub host_header: Option<String>,
    /// Certificate presented to the targets.
    pub client_certificate: Option<Reference>,
    /// Whether host names of SRV records are used as server names.
    pub use_srv_name: bool,
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// One after the other, by weight; the default.
    #[default]
    RoundRobin,
    /// The same target for the same input.
    ConsistentHashing,
    /// The one with the fewest connections.
    LeastConnections,
    /// The one that answers fastest.
    Latency,
}

/// A part of a request that is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashInput {
    /// Nothing; the default.
    #[default]
    None,
    /// The authenticated consumer.
    Consumer,
    /// The client's address.
    Ip,
    /// A header.
    Header,
    /// A cookie, which is set if it is missing.
    Cookie,
    /// The path.
    Path,
    /// A query argument.
    QueryArg,
    /// A named group of the route's path.
    UriCapture,
}

/// When a target counts as healthy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Healthchecks {
    /// Below this percentage of healthy weight, the upstream as a whole is unhealthy.
    pub threshold: f64,
    /// Probes of the gateway's own.
    pub active: ActiveHealthcheck,
    /// What is learned from the requests of clients.
    pub passive: PassiveHealthcheck,
}

/// Probes of the gateway's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveHealthcheck {
    /// What a probe is.
    #[serde(rename = "type")]
    pub kind: HealthcheckType,
    /// Seconds.
    pub timeout: f64,
    /// How many targets are probed at once.
    pub concurrency: u32,
    /// The path of probes over HTTP.
    pub http_path: String,
    /// The server name of probes over TLS.
    pub https_sni: Option<String>,
    /// Whether certificates of targets are verified.
    pub https_verify_certificate: bool,
    /// Headers of probes.
    pub headers: Option<BTreeMap<String, Vec<String>>>,
    /// Probes of healthy targets.
    pub healthy: ActiveHealthy,
    /// Probes of unhealthy targets.
    pub unhealthy: ActiveUnhealthy,
}

/// Probes of healthy targets, and what counts as success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveHealthy {
    /// Seconds between probes; 0 for none.
    pub interval: f64,
    /// Statuses that count as success.
    pub http_statuses: Vec<u16>,
    /// Successes that make a target healthy; 0 for never.
    pub successes: u32,
}

/// Probes of unhealthy targets, and what counts as failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActiveUnhealthy {
    /// Seconds between probes; 0 for none.
    pub interval: f64,
    /// Statuses that count as failure.
    pub http_statuses: Vec<u16>,
    /// Failed connections that make a target unhealthy; 0 for never.
    pub tcp_failures: u32,
    /// Time-outs that make a target unhealthy; 0 for never.
    pub timeouts: u32,
    /// Bad statuses that make a target unhealthy; 0 for never.
    pub http_failures: u32,
}

/// What is learned from the requests of clients.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassiveHealthcheck {
    /// What is looked at.
    #[serde(rename = "type")]
    pub kind: HealthcheckType,
    /// What makes a target healthy.
    pub healthy: PassiveHealthy,
    /// What makes a target unhealthy.
    pub unhealthy: PassiveUnhealthy,
}

/// Which answers make a target healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassiveHealthy {
    /// Statuses that count as success.
    pub http_statuses: Vec<u16>,
    /// Successes that make a target healthy; 0 for never.
    pub successes: u32,
}

/// Which answers make a target unhealthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassiveUnhealthy {
    /// Statuses that count as failure.
    pub http_statuses: Vec<u16>,
    /// Failed connections that make a target unhealthy; 0 for never.
    pub tcp_failures: u32,
    /// Time-outs that make a target unhealthy; 0 for never.
    pub timeouts: u32,
    /// Bad statuses that make a target unhealthy; 0 for never.
    pub http_failures: u32,
}

/// What a check of a target's health looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthcheckType {
    /// Whether a connection is made.
    Tcp,
    /// The status of an answer; the default.
    #[default]
    Http,
    /// The status of an answer over TLS.
    Https,
    /// The status of a gRPC answer.
    Grpc,
    /// The status of a gRPC answer over TLS.
    Grpcs,
}
