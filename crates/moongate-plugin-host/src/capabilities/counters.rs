//! Counters in windows of time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use wasmtime::Result;
use wasmtime::component::Resource;

use super::redis::RedisHandle;
use crate::bindings::counters;
use crate::settings::bounds;
use crate::state::GuestState;

/// The counters of one plugin on this node.
///
/// In shards, so that workers that count different things do not wait for each other.
#[derive(Default)]
pub(crate) struct Counters {
    shards: [Mutex<HashMap<Box<str>, Counter>>; SHARDS],
    hasher: RandomState,
}

const SHARDS: usize = 16;

#[derive(Clone, Copy)]
struct Counter {
    value: u64,
    /// Milliseconds since 1970.
    ends: u64,
}

impl Counters {
    fn shard(&self, name: &str) -> &Mutex<HashMap<Box<str>, Counter>> {
        let at = self.hasher.hash_one(name) as usize % SHARDS;
        // The number of a shard is always one of them.
        self.shards.get(at).unwrap_or(&self.shards[0])
    }

    pub(crate) fn read(&self, name: &str, now: u64) -> u64 {
        self.shard(name)
            .lock()
            .get(name)
            .filter(|counter| counter.ends > now)
            .map_or(0, |counter| counter.value)
    }

    pub(crate) fn add(&self, name: &str, ends: u64, amount: u64, now: u64) -> u64 {
        let mut shard = self.shard(name).lock();
        if let Some(counter) = shard.get_mut(name) {
            if counter.ends <= now {
                *counter = Counter { value: 0, ends };
            }
            counter.value = counter.value.saturating_add(amount);
            return counter.value;
        }
        if shard.len() >= bounds::COUNTERS / SHARDS {
            shard.retain(|_, counter| counter.ends > now);
            // Of too many that still count, any may go: a limit is then too generous, and memory stays bounded.
            let excess: Vec<_> = match shard.len() >= bounds::COUNTERS / SHARDS {
                true => shard.keys().take(shard.len() / 16 + 1).cloned().collect(),
                false => Vec::new(),
            };
            for name in excess {
                shard.remove(&name);
            }
        }
        shard.insert(name.into(), Counter { value: amount, ends });
        amount
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl counters::Host for GuestState {
    fn read(&mut self, names: Vec<String>) -> Result<Vec<u64>> {
        let (space, now) = (self.space()?, now());
        Ok(names.iter().map(|name| space.counters.read(name, now)).collect())
    }

    fn add(&mut self, counters: Vec<counters::Counter>, amount: u64) -> Result<Vec<u64>> {
        let (space, now) = (self.space()?, now());
        let add = |counter: &counters::Counter| {
            let name = counter.name.get(..bounds::COUNTER_NAME).unwrap_or(&counter.name);
            space.counters.add(name, counter.ends, amount, now)
        };
        Ok(counters.iter().map(add).collect())
    }
}

impl counters::HostRedis for GuestState {
    fn open(&mut self, settings: counters::RedisSettings) -> Result<Resource<RedisHandle>> {
        let space = self.space()?;
        let handle = RedisHandle::new(settings, &space.surroundings, self.plugin());
        Ok(self.table().push(handle)?)
    }

    async fn read(
        &mut self,
        redis: Resource<RedisHandle>,
        names: Vec<String>,
    ) -> Result<std::result::Result<Vec<u64>, String>> {
        let handle = self.table().get(&redis)?.clone();
        Ok(self.waiting(handle.read(names)).await)
    }

    async fn add(
        &mut self,
        redis: Resource<RedisHandle>,
        counters: Vec<counters::Counter>,
        amount: u64,
    ) -> Result<std::result::Result<Vec<u64>, String>> {
        let handle = self.table().get(&redis)?.clone();
        Ok(self.waiting(handle.add(counters, amount)).await)
    }

    fn drop(&mut self, redis: Resource<RedisHandle>) -> Result<()> {
        self.table().delete(redis)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_adds_up_until_its_window_ends() {
        let counters = Counters::default();
        assert_eq!(counters.add("a", 100, 2, 50), 2);
        assert_eq!(counters.add("a", 100, 3, 99), 5);
        assert_eq!((counters.read("a", 99), counters.read("a", 100), counters.read("b", 0)), (5, 0, 0));
        assert_eq!(counters.add("a", 200, 1, 100), 1);
    }

    #[test]
    fn however_many_are_counted_memory_stays_bounded() {
        let counters = Counters::default();
        for number in 0..(2 * bounds::COUNTERS) {
            counters.add(&number.to_string(), 1_000, 1, 0);
        }
        let kept: usize = counters.shards.iter().map(|shard| shard.lock().len()).sum();
        assert!(kept <= bounds::COUNTERS && kept > bounds::COUNTERS / 2, "{kept}");
    }
}
