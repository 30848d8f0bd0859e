//! What a balancer and its successors have in common.
//!
//! When an upstream or its targets change, another balancer takes over. The health, connections and latencies of
//! addresses that both have go on, and reports that come in over the old balancer reach the new one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use parking_lot::Mutex;

use crate::address::{Key, State};

/// How long what is known about an address is kept when no target has it any more.
const KEPT: Duration = Duration::from_secs(300);

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) cursor: Cursor,
    /// Counts changes of health; a view made before the last one is out of date.
    pub(crate) changes: AtomicU64,
    known: Mutex<HashMap<Key, Known>>,
}

/// The place that the next request gets. On a cache line of its own, as every worker writes it.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Cursor(pub(crate) AtomicUsize);

#[derive(Debug)]
struct Known {
    state: Arc<State>,
    /// Since when nobody uses it.
    unused: Option<Duration>,
}

impl Lineage {
    pub(crate) fn new(start: usize) -> Self {
        Self { cursor: Cursor(AtomicUsize::new(start)), changes: AtomicU64::new(0), known: Mutex::default() }
    }

    /// What is known about an address.
    pub(crate) fn state(&self, key: Key) -> Arc<State> {
        let mut known = self.known.lock();
        let entry = known.entry(key).or_insert_with(|| Known { state: Arc::new(State::new()), unused: None });
        Arc::clone(&entry.state)
    }

    /// Forgets addresses that have not been used for a while.
    pub(crate) fn forget_unused(&self, now: Duration) {
        self.known.lock().retain(|_, known| {
            if Arc::strong_count(&known.state) > 1 {
                known.unused = None;
                return true;
            }
            let since = *known.unused.get_or_insert(now);
            now.saturating_sub(since) < KEPT
        });
    }

    /// Makes all addresses healthy.
    pub(crate) fn heal(&self) {
        for known in self.known.lock().values() {
            known.state.health.set(true);
        }
    }
}
