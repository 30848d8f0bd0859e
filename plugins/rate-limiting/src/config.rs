//! The plugin's configuration.

use moongate_sdk::config;

use crate::binding::Binding;
use crate::redis::Server;
use crate::window::Period;

/// How many requests may be made.
#[config]
#[derive(Clone)]
pub struct Config {
    /// In a second.
    pub second: Option<f64>,
    /// In a minute.
    pub minute: Option<f64>,
    /// In an hour.
    pub hour: Option<f64>,
    /// In a day.
    pub day: Option<f64>,
    /// In a month.
    pub month: Option<f64>,
    /// In a year.
    pub year: Option<f64>,
    /// Whose requests are counted together.
    #[serde(default)]
    pub limit_by: LimitBy,
    /// The header to count by.
    pub header_name: Option<String>,
    /// The path to count by.
    pub path: Option<String>,
    /// Where requests are counted.
    #[serde(default)]
    pub policy: Policy,
    /// Whether requests go on, uncounted, when counting fails.
    #[serde(default = "yes")]
    pub fault_tolerant: bool,
    /// The Redis server of the policy `redis`.
    #[serde(default)]
    pub redis: Server,
    /// Whether responses say nothing of the limits.
    #[serde(default)]
    pub hide_client_headers: bool,
    /// Status for requests beyond the limit.
    #[serde(default = "too_many")]
    pub error_code: f64,
    /// What clients beyond the limit are told.
    #[serde(default = "exceeded")]
    pub error_message: String,
    /// Seconds between two exchanges with Redis; -1 for one with each request.
    #[serde(default = "each_request")]
    pub sync_rate: f64,
    /// What the configuration is bound to; from the gateway.
    #[serde(default, rename = "__binding")]
    pub binding: Binding,
}

/// Whose requests are counted together.
#[config]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LimitBy {
    /// Those of a consumer.
    #[default]
    Consumer,
    /// Those with a credential.
    Credential,
    /// Those of an address.
    Ip,
    /// Those to a service.
    Service,
    /// Those with a value of a header.
    Header,
    /// Those to a path.
    Path,
}

/// Where requests are counted.
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

impl Config {
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

fn yes() -> bool {
    true
}

fn too_many() -> f64 {
    429.0
}

fn exceeded() -> String {
    "API rate limit exceeded".to_owned()
}

fn each_request() -> f64 {
    -1.0
}
