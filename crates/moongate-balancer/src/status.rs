//! The health of an upstream and its targets, as the Admin API shows it.

use std::net::IpAddr;

use serde::{Serialize, Serializer};

/// The word for the health of an address, a target or an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum HealthWord {
    /// Nothing is checked.
    #[serde(rename = "HEALTHCHECKS_OFF")]
    Off,
    /// It gets requests. A target is healthy when one of its addresses is.
    #[serde(rename = "HEALTHY")]
    Healthy,
    /// It gets no requests.
    #[serde(rename = "UNHEALTHY")]
    Unhealthy,
    /// The target's name has no address.
    #[serde(rename = "DNS_ERROR")]
    DnsError,
}

/// How much of a weight gets requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// All.
    pub total: u64,
    /// Of healthy addresses.
    pub available: u64,
    /// Of unhealthy addresses.
    pub unavailable: u64,
}

impl Weights {
    pub(crate) fn new(total: u64, available: u64) -> Self {
        Self { total, available, unavailable: total - available.min(total) }
    }

    /// Whether more than `threshold` per cent is available.
    pub(crate) fn exceed(&self, threshold: f64) -> bool {
        self.total > 0 && self.available as f64 / self.total as f64 * 100.0 > threshold
    }
}

/// The state of an upstream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpstreamStatus {
    /// Whether more of its weight than the threshold is available.
    pub healthy: bool,
    /// How much of its weight is available.
    pub weight: Weights,
    /// Whether anything is checked.
    #[serde(skip)]
    pub checked: bool,
    /// Its targets, in the order in which they were given.
    #[serde(rename = "hosts")]
    pub targets: Vec<TargetStatus>,
}

impl UpstreamStatus {
    /// The health of the upstream as a whole, also where nothing is checked.
    pub fn balancer_health(&self) -> HealthWord {
        if self.healthy { HealthWord::Healthy } else { HealthWord::Unhealthy }
    }

    /// The health of the upstream as a whole, where something is checked.
    pub fn health(&self) -> HealthWord {
        if self.checked { self.balancer_health() } else { HealthWord::Off }
    }
}

/// The state of a target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// Its host, as it was given.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The type of DNS record that its addresses come from.
    pub dns: &'static str,
    /// Its weight, as it was given.
    pub node_weight: u32,
    /// How much of the weight of its addresses is available.
    pub weight: Weights,
    /// Its addresses.
    pub addresses: Vec<AddressStatus>,
    /// Its health.
    #[serde(skip)]
    pub health: HealthWord,
}

/// The state of an address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AddressStatus {
    /// The address; IPv6 in brackets.
    #[serde(serialize_with = "bracketed")]
    pub ip: IpAddr,
    /// The port.
    pub port: u16,
    /// Its part of the requests.
    pub weight: u32,
    /// Its health.
    pub health: HealthWord,
}

impl TargetStatus {
    /// The health of a target with `addresses`.
    pub(crate) fn word(addresses: &[AddressStatus]) -> HealthWord {
        let mut word = HealthWord::DnsError;
        for address in addresses {
            match address.health {
                HealthWord::Healthy => return HealthWord::Healthy,
                health => word = health,
            }
        }
        word
    }
}

fn bracketed<S: Serializer>(ip: &IpAddr, serializer: S) -> Result<S::Ok, S::Error> {
    match ip {
        IpAddr::V4(ip) => serializer.collect_str(ip),
        IpAddr::V6(ip) => serializer.collect_str(&format_args!("[{ip}]")),
    }
}
