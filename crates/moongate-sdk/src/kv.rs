//! Keeps values between requests, in memory, for all workers of a node. Needs the grant `kv`.
//!
//! A plugin has a space of its own, of 16 MiB unless the operator says otherwise. A value without a time stays
//! until it is removed or the gateway ends. Times are to the millisecond.

use std::time::Duration;

use crate::raw::kv as raw;

/// The value under a key, unless its time is over.
pub fn get(key: &str) -> Option<Vec<u8>> {
    raw::get(key)
}

/// Stores a value. Says `false`, and changes nothing, when there is no room.
pub fn set(key: &str, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> bool {
    raw::set(key, value.as_ref(), ttl.map(milliseconds))
}

/// Stores a value unless there is one; says whether it did.
pub fn add(key: &str, value: impl AsRef<[u8]>, ttl: Option<Duration>) -> bool {
    raw::add(key, value.as_ref(), ttl.map(milliseconds))
}

/// Removes a value.
pub fn delete(key: &str) {
    raw::delete(key);
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
