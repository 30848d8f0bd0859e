//! What a worker measures of its requests.
//!
//! Each worker writes its own counters, which nobody else writes to and which share no cache line with another's, so a
//! count is a load and a store. Whoever wants to know sums up.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use moongate_hooks::{Histogram, Metrics, WorkerMetrics};

use crate::worker::WorkerCounters;

/// The measurements of one worker; part of what it counts.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    statuses: [AtomicU64; 5],
    gateway: Recorder,
    upstream: Recorder,
}

impl Measured {
    /// A response's head is ready, `total` after its request arrived. `upstream` is the part that an upstream took.
    pub(crate) fn response(&self, status: StatusCode, total: Duration, upstream: Option<Duration>) {
        let class = usize::from(status.as_u16() / 100).wrapping_sub(1);
        if let Some(count) = self.statuses.get(class) {
            add(count, 1);
        }
        self.gateway.record(total.saturating_sub(upstream.unwrap_or_default()));
        if let Some(upstream) = upstream {
            self.upstream.record(upstream);
        }
    }
}

/// Counts durations.
#[derive(Debug)]
struct Recorder {
    counts: [AtomicU64; Histogram::BUCKETS],
    /// Microseconds.
    sum: AtomicU64,
}

impl Recorder {
    fn record(&self, duration: Duration) {
        if let Some(count) = self.counts.get(Histogram::bucket(duration)) {
            add(count, 1);
            add(&self.sum, duration.as_micros() as u64);
        }
    }

    fn read(&self) -> Histogram {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Histogram::new(counts, self.sum.load(Ordering::Relaxed))
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self { counts: array::from_fn(|_| AtomicU64::new(0)), sum: AtomicU64::new(0) }
    }
}

/// What all workers measured.
pub(crate) fn read<'a>(workers: impl Iterator<Item = &'a WorkerCounters>) -> Metrics {
    let mut metrics = Metrics::default();
    for worker in workers {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        metrics.workers.push(WorkerMetrics {
            requests: read(&worker.requests),
            accepted: read(&worker.accepted),
            connections: read(&worker.active),
        });
        for (sum, count) in metrics.statuses.iter_mut().zip(&worker.measured.statuses) {
            *sum += read(count);
        }
        metrics.gateway.add(&worker.measured.gateway.read());
        metrics.upstream.add(&worker.measured.upstream.read());
    }
    metrics
}

/// One writer, so no read-modify-write is needed.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workers_are_told_apart_and_what_they_measured_is_added_up() {
        let workers = [WorkerCounters::default(), WorkerCounters::default()];
        let millis = Duration::from_millis;
        workers[0].request();
        workers[0].measured.response(StatusCode::OK, millis(12), Some(millis(10)));
        workers[1].measured.response(StatusCode::NOT_FOUND, millis(1), None);
        workers[1].measured.response(StatusCode::BAD_GATEWAY, millis(31), Some(millis(30)));

        let metrics = read(workers.iter());
        assert_eq!(metrics.workers.iter().map(|worker| worker.requests).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(metrics.statuses, [0, 1, 0, 1, 1]);
        assert_eq!((metrics.gateway.count(), metrics.gateway.sum()), (3, millis(4)));
        assert_eq!((metrics.upstream.count(), metrics.upstream.sum()), (2, millis(40)));
    }

    #[test]
    fn an_odd_status_and_a_clock_that_went_back_are_survived() {
        let measured = Measured::default();
        measured.response(StatusCode::from_u16(799).unwrap(), Duration::ZERO, Some(Duration::from_secs(1)));
        assert!(measured.statuses.iter().all(|count| count.load(Ordering::Relaxed) == 0));
        assert_eq!(measured.gateway.read().sum(), Duration::ZERO);
    }
}
