//! The plugin's configuration.

use std::collections::BTreeMap;

use moongate_sdk::config;

use crate::binding::Binding;
use crate::redis::Server;
use crate::window::Period;

/// What responses may cost.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Header in which the upstream says what a response costs.
    #[serde(default = "header_name")]
    pub header_name: String,
    /// Whose responses are counted together.
    #[serde(default)]
    pub limit_by: LimitBy,
    /// Where they are counted.
    #[serde(default)]
    pub policy: Policy,
    /// Whether requests go on, uncounted, when counting fails.
    #[serde(default = "yes")]
    pub fault_tolerant: bool,
    /// The Redis server of the policy `redis`.
    #[serde(default)]
    pub redis: Server,
    /// Whether a request is refused as soon as one of the limits is used up.
    #[serde(default)]
    pub block_on_first_violation: bool,
    /// Whether responses say nothing of the limits.
    #[serde(default)]
    pub hide_client_headers: bool,
    /// The limits by their names.
    pub limits: BTreeMap<String, Limits>,
    /// What the configuration is bound to; from the gateway.
    #[serde(default, rename = "__binding")]
    pub binding: Binding,
}

/// Whose responses are counted together.
#[config]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LimitBy {
    /// Those to a consumer.
    #[default]
    Consumer,
    /// Those to a credential.
    Credential,
    /// Those to an address.
    Ip,
}

/// Where responses are counted.
#[config]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// In the memory of each node.
    #[default]
    Local,
    /// In the database; as `local` here.
    Cluster,
    /// In Redis.
    Redis,
}

/// A limit for each period.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Limits {
    second: Option<f64>,
    minute: Option<f64>,
    hour: Option<f64>,
    day: Option<f64>,
    month: Option<f64>,
    year: Option<f64>,
}

impl Limits {
    pub(crate) fn limit(&self, period: Period) -> Option<f64> {
        match period {
            Period::Second => self.second,
            Period::Minute => self.minute,
            Period::Hour => self.hour,
            Period::Day => self.day,
            Period::Month => self.month,
            Period::Year => self.year,
        }
    }
}

fn header_name() -> String {
    "x-kong-limit".to_owned()
}

fn yes() -> bool {
    true
}
