//! Log records on their way to a plugin's log hook.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::capabilities::Surroundings;
use crate::generation::{ConfigSlot, Generation};

/// How records are put into batches, and how hard is tried to get rid of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct QueueSettings {
    pub(crate) max_batch_size: usize,
    pub(crate) max_coalescing_delay: Duration,
    pub(crate) max_entries: usize,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) max_retry_time: Duration,
    pub(crate) initial_retry_delay: Duration,
    pub(crate) max_retry_delay: Duration,
    /// Whether a batch may be handed over while another is.
    pub(crate) unbounded: bool,
}

impl QueueSettings {
    /// What a configuration says under `queue`.
    pub(crate) fn of(config: &Value) -> Self {
        let Some(queue) = config.get("queue") else {
            return Self {
                max_batch_size: 100,
                max_coalescing_delay: Duration::from_millis(100),
                max_entries: 10_000,
                max_bytes: None,
                max_retry_time: Duration::ZERO,
                initial_retry_delay: Duration::from_millis(10),
                max_retry_delay: Duration::from_secs(60),
                unbounded: false,
            };
        };
        let whole = |name: &str, default: usize| {
            queue.get(name).and_then(Value::as_u64).map_or(default, |value| value as usize)
        };
        let seconds = |name: &str, default: f64| {
            let value = queue.get(name).and_then(Value::as_f64).unwrap_or(default);
            Duration::try_from_secs_f64(value).unwrap_or_default()
        };
        Self {
            max_batch_size: whole("max_batch_size", 1).max(1),
            max_coalescing_delay: seconds("max_coalescing_delay", 1.0),
            max_entries: whole("max_entries", 10_000).max(1),
            max_bytes: queue.get("max_bytes").and_then(Value::as_u64).map(|bytes| bytes as usize),
            max_retry_time: seconds("max_retry_time", 60.0),
            initial_retry_delay: seconds("initial_retry_delay", 0.01),
            max_retry_delay: seconds("max_retry_delay", 60.0),
            unbounded: queue.get("concurrency_limit").and_then(Value::as_i64) == Some(-1),
        }
    }
}

/// The records that wait for one configuration.
pub(crate) struct LogQueue {
    settings: QueueSettings,
    waiting: Mutex<Waiting>,
    /// Tells the one who empties the queue that a batch is full.
    full: tokio::sync::Notify,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Arc<str>>,
    bytes: usize,
    dropped: u64,
    /// Whether somebody empties the queue.
    emptied: bool,
}

impl LogQueue {
    pub(crate) fn new(settings: QueueSettings) -> Self {
        Self { settings, waiting: Mutex::default(), full: tokio::sync::Notify::new() }
    }

    /// Records that wait, and those that were dropped.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let waiting = self.waiting.lock();
        (waiting.records.len() as u64, waiting.dropped)
    }

    /// Takes a record, and drops the oldest where there is no room.
    pub(crate) fn push(
        &self,
        record: &Arc<str>,
        generation: &Arc<Generation>,
        slot: &Arc<ConfigSlot>,
        surroundings: &Surroundings,
    ) {
        let mut waiting = self.waiting.lock();
        let before = waiting.dropped;
        let too_many = |waiting: &Waiting| {
            waiting.records.len() >= self.settings.max_entries
                || self.settings.max_bytes.is_some_and(|limit| waiting.bytes + record.len() > limit)
        };
        while too_many(&waiting) {
            let Some(oldest) = waiting.records.pop_front() else { break };
            waiting.bytes -= oldest.len();
            waiting.dropped += 1;
        }
        if self.settings.max_bytes.is_some_and(|limit| record.len() > limit) {
            waiting.dropped += 1;
        } else {
            waiting.bytes += record.len();
            waiting.records.push_back(Arc::clone(record));
        }
        if before == 0 && waiting.dropped > 0 {
            let plugin = generation.artifact.manifest.name.as_str();
            tracing::error!(plugin, "the log queue is full, the oldest records are dropped");
        }
        if waiting.records.len() >= self.settings.max_batch_size {
            self.full.notify_one();
        }
        if !waiting.emptied && !waiting.records.is_empty() {
            waiting.emptied = true;
            drop(waiting);
            // It holds on to the version of the plugin that took the records, until they are handed over.
            let closing = surroundings.closing.subscribe();
            let emptying = Emptying {
                generation: Arc::clone(generation),
                slot: Arc::clone(slot),
                closing,
                _at_work: Arc::clone(&surroundings.emptying),
            };
            surroundings.runtime.spawn(emptying.run());
        }
    }

    /// The next batch, when it is full or has waited long enough; `None` when there is nothing left.
    async fn batch(&self, closing: &mut watch::Receiver<bool>) -> Option<Vec<String>> {
        let deadline = Instant::now() + self.settings.max_coalescing_delay;
        loop {
            {
                let mut waiting = self.waiting.lock();
                if waiting.records.is_empty() {
                    waiting.emptied = false;
                    return None;
                }
                let size = waiting.records.len().min(self.settings.max_batch_size);
                if size == self.settings.max_batch_size || Instant::now() >= deadline || *closing.borrow() {
                    let batch: Vec<_> =
                        waiting.records.drain(..size).map(|record| record.to_string()).collect();
                    waiting.bytes -= batch.iter().map(String::len).sum::<usize>();
                    return Some(batch);
                }
            }
            tokio::select! {
                _ = tokio::time::timeout_at(deadline, self.full.notified()) => {}
                Ok(()) = closing.changed() => {}
            }
        }
    }
}

/// Who hands over the records of a queue.
#[derive(Clone)]
struct Emptying {
    generation: Arc<Generation>,
    slot: Arc<ConfigSlot>,
    closing: watch::Receiver<bool>,
    /// Tells that somebody does.
    _at_work: Arc<()>,
}

impl Emptying {
    /// Hands over batches until there are no more.
    async fn run(mut self) {
        while let Some(batch) = self.slot.queue().batch(&mut self.closing).await {
            let delivery = self.clone().deliver(batch);
            if self.slot.queue().settings.unbounded {
                tokio::spawn(delivery);
            } else {
                delivery.await;
            }
        }
    }

    /// Hands over one batch, again and again for as long as the settings say and the gateway runs.
    async fn deliver(mut self, batch: Vec<String>) {
        let queue = self.slot.queue();
        let (started, mut delay) = (Instant::now(), queue.settings.initial_retry_delay);
        while let Err(error) = self.generation.on_log(&self.slot, &batch).await {
            if *self.closing.borrow() || started.elapsed() + delay > queue.settings.max_retry_time {
                let (plugin, records) = (self.generation.artifact.manifest.name.as_str(), batch.len());
                tracing::error!(plugin, records, "log records dropped: {error}");
                queue.waiting.lock().dropped += batch.len() as u64;
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                Ok(()) = self.closing.changed() => {}
            }
            delay = (delay * 2).min(queue.settings.max_retry_delay);
        }
    }
}
