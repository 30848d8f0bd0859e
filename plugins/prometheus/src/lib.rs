//! Measures requests for Prometheus.
//!
//! The gateway shows what is measured, together with what it measures itself.

mod record;

use moongate_sdk::metrics::{self, Kind};
use moongate_sdk::{Error, OnLog, Plugin, Problem, Schema, config, export};

use crate::record::Record;

/// Which families of metrics there are.
#[config]
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each switches a family on")]
pub struct Config {
    /// Whether metrics tell consumers apart.
    #[serde(default)]
    per_consumer: bool,
    /// Whether requests are counted by their status.
    #[serde(default)]
    status_code_metrics: bool,
    /// Whether requests to language models are measured; there are none here.
    #[serde(default, rename = "ai_metrics")]
    _ai_metrics: bool,
    /// Whether the time that requests take is measured.
    #[serde(default)]
    latency_metrics: bool,
    /// Whether the bytes of requests and responses are counted.
    #[serde(default)]
    bandwidth_metrics: bool,
    /// Whether the health of targets is shown; the gateway does that.
    #[serde(default, rename = "upstream_health_metrics")]
    _upstream_health_metrics: bool,
}

/// See the crate's description.
pub struct Prometheus(Config);

impl Plugin for Prometheus {
    type Config = Config;
    const PRIORITY: i32 = 13;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        if config.status_code_metrics {
            metrics::describe(
                REQUESTS,
                Kind::Counter,
                "Requests by service, route, status, source and consumer.",
            );
        }
        if config.latency_metrics {
            let buckets = || Kind::Histogram(BUCKETS.to_vec());
            metrics::describe(
                OWN_LATENCY,
                Kind::Histogram(OWN_BUCKETS.to_vec()),
                "Milliseconds that the gateway took.",
            );
            metrics::describe(UPSTREAM_LATENCY, buckets(), "Milliseconds that the upstream took to answer.");
            metrics::describe(
                REQUEST_LATENCY,
                buckets(),
                "Milliseconds from the request to the end of its response.",
            );
        }
        if config.bandwidth_metrics {
            metrics::describe(BANDWIDTH, Kind::Counter, "Bytes of requests and responses.");
        }
        Ok(Self(config))
    }
}

impl OnLog for Prometheus {
    fn on_log(&self, records: &[String]) -> Result<(), Error> {
        for record in records {
            self.measure(&moongate_sdk::serde_json::from_str(record)?);
        }
        Ok(())
    }
}

impl Prometheus {
    fn measure(&self, record: &Record) {
        let (service, route) = (record.service(), record.route());
        let consumer = if self.0.per_consumer { record.consumer() } else { "" };
        if self.0.status_code_metrics {
            let code = record.status().to_string();
            let labels = [
                ("service", service),
                ("route", route),
                ("code", &code),
                ("source", record.source()),
                ("workspace", WORKSPACE),
                ("consumer", consumer),
            ];
            metrics::record(REQUESTS, &labels, 1.0);
        }
        if self.0.latency_metrics {
            let labels = [("service", service), ("route", route), ("workspace", WORKSPACE)];
            for (name, time) in record.latencies() {
                if let Some(time) = time.filter(|time| *time >= 0.0) {
                    metrics::record(name, &labels, time);
                }
            }
        }
        if self.0.bandwidth_metrics {
            for (direction, bytes) in record.bytes() {
                if let Some(bytes) = bytes.filter(|bytes| *bytes > 0.0) {
                    let labels = [
                        ("service", service),
                        ("route", route),
                        ("direction", direction),
                        ("workspace", WORKSPACE),
                        ("consumer", consumer),
                    ];
                    metrics::record(BANDWIDTH, &labels, bytes);
                }
            }
        }
    }
}

const REQUESTS: &str = "kong_http_requests_total";
const OWN_LATENCY: &str = "kong_kong_latency_ms";
const UPSTREAM_LATENCY: &str = "kong_upstream_latency_ms";
const REQUEST_LATENCY: &str = "kong_request_latency_ms";
const BANDWIDTH: &str = "kong_bandwidth_bytes";
const WORKSPACE: &str = "default";

/// Milliseconds.
const OWN_BUCKETS: [f64; 17] = [
    1.0, 2.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0, 100.0, 200.0, 500.0, 750.0, 1000.0, 3000.0,
    6000.0,
];
/// Milliseconds.
const BUCKETS: [f64; 13] =
    [25.0, 50.0, 80.0, 100.0, 250.0, 400.0, 700.0, 1000.0, 2000.0, 5000.0, 10_000.0, 30_000.0, 60_000.0];

export!(Prometheus: OnLog);

#[cfg(test)]
mod tests;
