//! Values that last longer than a request.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use parking_lot::Mutex;
use wasmtime::Result;

use crate::bindings::kv;
use crate::settings::bounds;
use crate::state::GuestState;

/// The values of one plugin.
#[derive(Default)]
pub(crate) struct KeyValues(Mutex<Table>);

#[derive(Default)]
struct Table {
    values: HashMap<Box<str>, Value>,
    /// Bytes of keys and values together.
    bytes: usize,
}

struct Value {
    bytes: Box<[u8]>,
    ends: Option<Instant>,
}

impl Value {
    fn is_over(&self, now: Instant) -> bool {
        self.ends.is_some_and(|ends| ends <= now)
    }
}

impl KeyValues {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        let now = Instant::now();
        self.0.lock().values.get(key).filter(|value| !value.is_over(now)).map(|value| value.bytes.to_vec())
    }

    /// Stores a value, unless there is one that is to be kept, or no room. Says whether it did.
    fn set(&self, key: &str, bytes: Vec<u8>, ttl: Option<u64>, keep: bool) -> bool {
        let now = Instant::now();
        let mut table = self.0.lock();
        let old = table.values.get(key);
        if keep && old.is_some_and(|old| !old.is_over(now)) {
            return false;
        }
        let freed = old.map_or(0, |old| key.len() + old.bytes.len() + ENTRY);
        let wanted = key.len() + bytes.len() + ENTRY;
        if table.bytes - freed + wanted > bounds::KV_BYTES {
            table.forget_ended(now);
            let freed = table.values.get(key).map_or(0, |old| key.len() + old.bytes.len() + ENTRY);
            if table.bytes - freed + wanted > bounds::KV_BYTES {
                return false;
            }
        }
        let ends = ttl.map(|ttl| now + Duration::from_millis(ttl));
        table.remove(key);
        table.bytes += wanted;
        table.values.insert(key.into(), Value { bytes: bytes.into(), ends });
        true
    }

    fn delete(&self, key: &str) {
        self.0.lock().remove(key);
    }

    /// Bytes that are kept.
    pub(crate) fn bytes(&self) -> usize {
        self.0.lock().bytes
    }
}

/// What an entry costs beside its key and value, in bytes.
const ENTRY: usize = 64;

impl Table {
    fn remove(&mut self, key: &str) {
        if let Some(old) = self.values.remove(key) {
            self.bytes -= key.len() + old.bytes.len() + ENTRY;
        }
    }

    fn forget_ended(&mut self, now: Instant) {
        let Self { values, bytes } = self;
        values.retain(|key, value| {
            let stays = !value.is_over(now);
            if !stays {
                *bytes -= key.len() + value.bytes.len() + ENTRY;
            }
            stays
        });
    }
}

impl kv::Host for GuestState {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>> {
        Ok(self.space()?.kv.get(&key))
    }

    fn set(&mut self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Result<bool> {
        Ok(self.space()?.kv.set(&key, value, ttl, false))
    }

    fn add(&mut self, key: String, value: Vec<u8>, ttl: Option<u64>) -> Result<bool> {
        Ok(self.space()?.kv.set(&key, value, ttl, true))
    }

    fn delete(&mut self, key: String) -> Result<()> {
        self.space()?.kv.delete(&key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_there_until_its_time_is_over_or_it_is_removed() {
        let kv = KeyValues::default();
        assert!(kv.set("a", b"1".to_vec(), None, false));
        assert!(kv.set("b", b"2".to_vec(), Some(0), false));
        assert_eq!(kv.get("a"), Some(b"1".to_vec()));
        assert_eq!(kv.get("b"), None);
        assert!(!kv.set("a", b"3".to_vec(), None, true));
        assert!(kv.set("b", b"4".to_vec(), None, true));
        kv.delete("a");
        assert_eq!((kv.get("a"), kv.get("b")), (None, Some(b"4".to_vec())));
    }

    #[test]
    fn a_full_space_refuses_values_until_there_is_room_again() {
        let kv = KeyValues::default();
        let half = vec![0; bounds::KV_BYTES / 2];
        assert!(kv.set("a", half.clone(), Some(0), false));
        assert!(kv.set("b", half[1_000..].to_vec(), None, false));
        // What has ended makes room.
        assert!(kv.set("c", half[1_000..].to_vec(), None, false));
        assert!(!kv.set("d", half.clone(), None, false));
        assert_eq!(kv.get("d"), None);
        kv.delete("b");
        assert!(kv.set("d", half[1_000..].to_vec(), None, false));
        kv.delete("c");
        kv.delete("d");
        assert_eq!(kv.0.lock().bytes, 0);
    }
}
