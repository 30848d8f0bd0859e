//! The figures of one second.

use std::time::Duration;

use moongate_hooks::{Histogram, Metrics};
use serde::Serialize;

/// What happened between two looks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Sample {
    /// Unix seconds.
    at: f64,
    rate: Rate,
    latency: Latencies,
    /// Connections that are open.
    connections: u64,
    /// Bytes that the process has in use.
    memory: u64,
}

/// Requests per second by the class of their status.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Rate {
    #[serde(rename = "1xx")]
    informational: f64,
    #[serde(rename = "2xx")]
    successful: f64,
    #[serde(rename = "3xx")]
    redirected: f64,
    #[serde(rename = "4xx")]
    refused: f64,
    #[serde(rename = "5xx")]
    failed: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Latencies {
    gateway: Latency,
    upstream: Latency,
}

/// Milliseconds; nothing where there was no request.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Latency {
    p50: Option<f64>,
    p99: Option<f64>,
}

impl Sample {
    pub(super) fn between(before: &Metrics, now: &Metrics, passed: Duration, at: f64, memory: u64) -> Self {
        let seconds = passed.as_secs_f64().max(0.001);
        let mut rates = now.statuses.iter().zip(before.statuses);
        let mut next = || {
            let counted = rates.next().map_or(0, |(now, before)| now.saturating_sub(before));
            (counted as f64 / seconds * 10.0).round() / 10.0
        };
        let rate = Rate {
            informational: next(),
            successful: next(),
            redirected: next(),
            refused: next(),
            failed: next(),
        };
        let latency = Latencies {
            gateway: Latency::of(&now.gateway.since(&before.gateway)),
            upstream: Latency::of(&now.upstream.since(&before.upstream)),
        };
        let connections = now.workers.iter().map(|worker| worker.connections).sum();
        Self { at, rate, latency, connections, memory }
    }
}

impl Latency {
    fn of(histogram: &Histogram) -> Self {
        let milliseconds = |share| {
            let exact = histogram.quantile(share)?.as_secs_f64() * 1000.0;
            Some((exact * 1000.0).round() / 1000.0)
        };
        Self { p50: milliseconds(0.5), p99: milliseconds(0.99) }
    }
}

/// What holds now.
#[derive(Debug, Serialize)]
pub(super) struct Totals {
    /// Seconds since the gateway started.
    uptime: u64,
    requests: u64,
    connections_accepted: u64,
    /// Nothing where there is no database.
    database: Option<Database>,
    workers: Vec<Worker>,
}

#[derive(Debug, Serialize)]
struct Database {
    reachable: bool,
}

#[derive(Debug, Serialize)]
struct Worker {
    worker: usize,
    requests: u64,
    connections: u64,
}

impl Totals {
    pub(super) fn new(metrics: &Metrics, uptime: Duration, reachable: Option<bool>) -> Self {
        let workers = metrics.workers.iter().enumerate().map(|(number, worker)| Worker {
            worker: number,
            requests: worker.requests,
            connections: worker.connections,
        });
        Self {
            uptime: uptime.as_secs(),
            requests: metrics.workers.iter().map(|worker| worker.requests).sum(),
            connections_accepted: metrics.workers.iter().map(|worker| worker.accepted).sum(),
            database: reachable.map(|reachable| Database { reachable }),
            workers: workers.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_has_the_rates_and_latencies_of_its_own_time_only() {
        let mut counts = vec![0; Histogram::BUCKETS];
        counts[Histogram::bucket(Duration::from_millis(2))] = 50;
        let upstream = Histogram::new(counts.clone(), 100_000);
        let before = Metrics { statuses: [0, 100, 0, 3, 0], upstream, ..Metrics::default() };
        let mut now = before.clone();
        now.statuses = [0, 120, 0, 3, 1];
        counts[Histogram::bucket(Duration::from_millis(40))] = 4;
        now.upstream = Histogram::new(counts, 260_000);

        let sample = Sample::between(&before, &now, Duration::from_secs(2), 5.0, 7);
        let shown = serde_json::to_value(&sample).unwrap();
        assert_eq!(shown["rate"], json!({"1xx": 0.0, "2xx": 10.0, "3xx": 0.0, "4xx": 0.0, "5xx": 0.5}));
        assert_eq!(shown["latency"]["gateway"], json!({"p50": null, "p99": null}));
        let p50 = shown["latency"]["upstream"]["p50"].as_f64().unwrap();
        assert!((35.0..45.0).contains(&p50), "{p50}");
    }
}
