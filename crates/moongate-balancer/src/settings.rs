//! What an operator decides about an upstream.

use std::time::Duration;

use http::HeaderName;

/// The settings of an upstream, without its targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How a target is chosen.
    pub algorithm: Algorithm,
    /// What of a request is hashed, for [`Algorithm::ConsistentHashing`].
    pub hash_on: HashSource,
    /// What is hashed when the request has nothing of `hash_on`.
    pub hash_fallback: HashSource,
    /// Places on the ring of [`Algorithm::ConsistentHashing`]; less than 1000 count as 1000.
    pub slots: u32,
    /// Host name that targets are addressed by, instead of their own.
    pub host_header: Option<String>,
    /// Whether targets found by SRV records are addressed by the name in the record.
    pub use_srv_name: bool,
    /// How targets are found to be healthy or not.
    pub checks: HealthChecks,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::RoundRobin,
            hash_on: HashSource::None,
            hash_fallback: HashSource::None,
            slots: 10_000,
            host_header: None,
            use_srv_name: false,
            checks: HealthChecks::default(),
        }
    }
}

/// How a target is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// By turns, in proportion to the weights.
    RoundRobin,
    /// By a hash of something in the request.
    ConsistentHashing,
    /// The one with the fewest requests under way for its weight.
    LeastConnections,
    /// The faster of two, for its weight.
    Latency,
}

/// What of a request is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashSource {
    /// Nothing.
    None,
    /// The authenticated consumer, or the credential where there is none.
    Consumer,
    /// The address of the client.
    Ip,
    /// A header's value.
    Header(HeaderName),
    /// A cookie's value. A client without it gets a random one.
    Cookie {
        /// Name of the cookie.
        name: String,
        /// `Path` of the cookie that is set.
        path: String,
    },
    /// The path of the request.
    Path,
    /// The values of an argument in the query.
    QueryArgument(String),
    /// A group that the route's expression captured, by name or number.
    UriCapture(String),
}

/// How targets are found to be healthy or not.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthChecks {
    /// The upstream is healthy while more than this percentage of its weight is available.
    pub threshold: f64,
    /// Checks that the gateway makes by itself.
    pub active: ActiveChecks,
    /// What proxied requests tell.
    pub passive: PassiveChecks,
}

impl Default for HealthChecks {
    fn default() -> Self {
        Self { threshold: 0.0, active: ActiveChecks::default(), passive: PassiveChecks::default() }
    }
}

impl HealthChecks {
    /// Whether anything can make a target unhealthy or is looked at regularly. Without, every target is in use.
    pub fn is_on(&self) -> bool {
        let passive = &self.passive.limits;
        !self.active.healthy_interval.is_zero()
            || !self.active.unhealthy_interval.is_zero()
            || passive.http_failures > 0
            || passive.tcp_failures > 0
            || passive.timeouts > 0
    }
}

/// How an address is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckType {
    /// By connecting to it.
    Tcp,
    /// By a request.
    Http,
    /// By a request over TLS.
    Https,
    /// As [`CheckType::Http`].
    Grpc,
    /// As [`CheckType::Http`], also without TLS.
    Grpcs,
}

/// How many findings in a row change an address's health; 0 means that such findings do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Successes that make it healthy.
    pub successes: u8,
    /// Responses with a failure's status that make it unhealthy.
    pub http_failures: u8,
    /// Connections refused or broken that make it unhealthy.
    pub tcp_failures: u8,
    /// Timeouts that make it unhealthy.
    pub timeouts: u8,
}

/// Checks that the gateway makes by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveChecks {
    /// How an address is probed.
    pub kind: CheckType,
    /// How long a probe may take.
    pub timeout: Duration,
    /// Probes at the same time.
    pub concurrency: usize,
    /// What is asked for.
    pub http_path: String,
    /// Server name for TLS; the host name of the target when absent.
    pub https_sni: Option<String>,
    /// Whether the certificate has to be valid.
    pub https_verify_certificate: bool,
    /// Headers of the request, one entry for each line.
    pub headers: Vec<(String, String)>,
    /// Pause between two probes of a healthy address; zero for none.
    pub healthy_interval: Duration,
    /// Pause between two probes of an unhealthy address; zero for none.
    pub unhealthy_interval: Duration,
    /// Statuses that count as a success.
    pub healthy_statuses: StatusSet,
    /// Statuses that count as a failure.
    pub unhealthy_statuses: StatusSet,
    /// How many of them count.
    pub limits: Limits,
}

impl Default for ActiveChecks {
    fn default() -> Self {
        Self {
            kind: CheckType::Http,
            timeout: Duration::from_secs(1),
            concurrency: 10,
            http_path: "/".to_owned(),
            https_sni: None,
            https_verify_certificate: true,
            headers: Vec::new(),
            healthy_interval: Duration::ZERO,
            unhealthy_interval: Duration::ZERO,
            healthy_statuses: [200, 302].into_iter().collect(),
            unhealthy_statuses: [429, 404, 500, 501, 502, 503, 504, 505].into_iter().collect(),
            limits: Limits::default(),
        }
    }
}

/// What proxied requests tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassiveChecks {
    /// Statuses that count as a success.
    pub healthy_statuses: StatusSet,
    /// Statuses that count as a failure.
    pub unhealthy_statuses: StatusSet,
    /// How many of them count.
    pub limits: Limits,
}

impl Default for PassiveChecks {
    fn default() -> Self {
        Self {
            healthy_statuses: (200..=208).chain([226]).chain(300..=308).collect(),
            unhealthy_statuses: [429, 500, 503].into_iter().collect(),
            limits: Limits::default(),
        }
    }
}

/// A set of HTTP statuses, up to 999.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusSet([u64; 16]);

impl StatusSet {
    /// Whether the set has `status`.
    pub fn contains(&self, status: u16) -> bool {
        self.0.get(usize::from(status / 64)).is_some_and(|word| word & (1 << (status % 64)) != 0)
    }
}

impl FromIterator<u16> for StatusSet {
    fn from_iter<I: IntoIterator<Item = u16>>(statuses: I) -> Self {
        let mut set = Self::default();
        for status in statuses {
            if let Some(word) = set.0.get_mut(usize::from(status / 64)) {
                *word |= 1 << (status % 64);
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_statuses_has_what_was_put_in_and_nothing_else() {
        let statuses = [100, 199, 200, 404, 511, 999];
        let set: StatusSet = statuses.into_iter().collect();
        for status in 0..1100 {
            assert_eq!(set.contains(status), statuses.contains(&status), "{status}");
        }
    }

    #[test]
    fn checks_are_on_when_an_interval_or_a_passive_failure_limit_is_set() {
        let on = |change: fn(&mut HealthChecks)| {
            let mut checks = HealthChecks::default();
            change(&mut checks);
            checks.is_on()
        };
        assert!(!on(|_| {}));
        assert!(!on(|checks| checks.passive.limits.successes = 3));
        assert!(!on(|checks| checks.active.limits.http_failures = 3));
        assert!(on(|checks| checks.active.healthy_interval = Duration::from_secs(1)));
        assert!(on(|checks| checks.active.unhealthy_interval = Duration::from_secs(1)));
        assert!(on(|checks| checks.passive.limits.http_failures = 1));
        assert!(on(|checks| checks.passive.limits.tcp_failures = 1));
        assert!(on(|checks| checks.passive.limits.timeouts = 1));
    }
}
