//! The clock of a test: the machine's, until the test sets it.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

thread_local! {
    static NOW: Cell<Option<Duration>> = const { Cell::new(None) };
}

pub(super) fn set(now: Option<Duration>) {
    NOW.set(now);
}

pub(crate) fn now() -> Duration {
    NOW.get().unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(super) fn milliseconds() -> u64 {
    u64::try_from(now().as_millis()).unwrap_or(u64::MAX)
}
