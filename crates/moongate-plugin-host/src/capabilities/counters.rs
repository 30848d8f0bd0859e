//! Counters in windows of time.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{SystemTime, UNIX_EPOCH};

use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;
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
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

const SHARDS: usize = 16;

#[derive(Clone, Copy)]
struct Counter {
    value: u64,
    /// Milliseconds since 1970.
    ends: u64,
}

type Shard = HashMap<Box<str>, Counter>;

impl Counters {
    fn place(&self, name: &str) -> usize {
        self.hasher.hash_one(name) as usize % SHARDS
    }

    fn shard(&self, name: &str) -> MutexGuard<'_, Shard> {
        // The number of a shard is always one of them.
        self.shards.get(self.place(name)).unwrap_or(&self.shards[0]).lock()
    }

    pub(crate) fn read(&self, name: &str, now: u64) -> u64 {
        value(&self.shard(name), name, now)
    }

    pub(crate) fn add(&self, name: &str, ends: u64, amount: u64, now: u64) -> u64 {
        add(&mut self.shard(name), name, ends, amount, now)
    }

    /// Adds to all of some counters or, where one would grow beyond its limit, to none. Says whether it added, and what
    /// the counters are then.
    pub(crate) fn take(&self, allowances: &[counters::Allowance], amount: u64, now: u64) -> (bool, Vec<u64>) {
        let places: SmallVec<[usize; 6]> =
            allowances.iter().map(|allowance| self.place(name_of(allowance))).collect();
        // In one order, so that two that want the same shards do not wait for each other.
        let mut held: SmallVec<[(usize, MutexGuard<'_, Shard>); 6]> = SmallVec::new();
        for (place, shard) in self.shards.iter().enumerate() {
            if places.contains(&place) {
                held.push((place, shard.lock()));
            }
        }
        let mut values: Vec<u64> = Vec::with_capacity(allowances.len());
        for (allowance, place) in allowances.iter().zip(&places) {
            let shard = held.iter().find(|(held, _)| held == place);
            values.push(shard.map_or(0, |(_, shard)| value(shard, name_of(allowance), now)));
        }
        let has_room = |(allowance, value): (&counters::Allowance, &u64)| {
            value.checked_add(amount).is_some_and(|grown| grown <= allowance.limit)
        };
        if !allowances.iter().zip(&values).all(has_room) {
            return (false, values);
        }
        for ((allowance, place), value) in allowances.iter().zip(&places).zip(&mut values) {
            if let Some((_, shard)) = held.iter_mut().find(|(held, _)| held == place) {
                *value = add(shard, name_of(allowance), allowance.ends, amount, now);
            }
        }
        (true, values)
    }
}

fn name_of(allowance: &counters::Allowance) -> &str {
    within_bounds(&allowance.name)
}

/// As much of a name as is looked at.
fn within_bounds(name: &str) -> &str {
    name.get(..name.floor_char_boundary(bounds::COUNTER_NAME)).unwrap_or_default()
}

fn value(shard: &Shard, name: &str, now: u64) -> u64 {
    shard.get(name).filter(|counter| counter.ends > now).map_or(0, |counter| counter.value)
}

fn add(shard: &mut Shard, name: &str, ends: u64, amount: u64, now: u64) -> u64 {
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

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl counters::Host for GuestState {
    fn read(&mut self, names: Vec<String>) -> Result<Vec<u64>> {
        let (space, now) = (self.space()?, now());
        Ok(names.iter().map(|name| space.counters.read(within_bounds(name), now)).collect())
    }

    fn add(&mut self, counters: Vec<counters::Counter>, amount: u64) -> Result<Vec<u64>> {
        let (space, now) = (self.space()?, now());
        let add = |counter: &counters::Counter| {
            space.counters.add(within_bounds(&counter.name), counter.ends, amount, now)
        };
        Ok(counters.iter().map(add).collect())
    }

    fn take(&mut self, allowances: Vec<counters::Allowance>, amount: u64) -> Result<(bool, Vec<u64>)> {
        Ok(self.space()?.counters.take(&allowances, amount, now()))
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

    fn allowance(name: &str, ends: u64, limit: u64) -> counters::Allowance {
        counters::Allowance { name: name.to_owned(), ends, limit }
    }

    #[test]
    fn what_is_taken_is_taken_of_all_counters_or_of_none() {
        let counters = Counters::default();
        let both = [allowance("second", 100, 2), allowance("day", 1_000, 3)];
        assert_eq!(counters.take(&both, 1, 50), (true, vec![1, 1]));
        assert_eq!(counters.take(&both, 2, 50), (false, vec![1, 1]));
        assert_eq!(counters.take(&both, 1, 50), (true, vec![2, 2]));
        assert_eq!(counters.take(&both, 1, 50), (false, vec![2, 2]));
        // The next second, the same day.
        assert_eq!(
            counters.take(&[allowance("second", 200, 2), both[1].clone()], 1, 100),
            (true, vec![1, 3])
        );
        assert_eq!(counters.take(&both, 1, 100), (false, vec![1, 3]));
        assert_eq!(counters.take(&[allowance("most", 200, u64::MAX)], u64::MAX, 100), (true, vec![u64::MAX]));
        assert_eq!(counters.take(&[allowance("most", 200, u64::MAX)], 1, 100), (false, vec![u64::MAX]));
    }

    #[test]
    fn many_that_take_at_once_take_no_more_than_there_is() {
        let counters = Counters::default();
        let names: Vec<String> = (0..6).map(|number| format!("counter-{number}")).collect();
        let taken: usize = std::thread::scope(|scope| {
            let take = |backwards: bool| {
                let mut all: Vec<_> = names.iter().map(|name| allowance(name, 100, 1_000)).collect();
                if backwards {
                    all.reverse();
                }
                (0..1_000).filter(|_| counters.take(&all, 1, 50).0).count()
            };
            let takers = [false, true, false, true].map(|backwards| scope.spawn(move || take(backwards)));
            takers.into_iter().map(|taker| taker.join().unwrap()).sum()
        });
        assert_eq!((taken, counters.read("counter-3", 50)), (1_000, 1_000));
    }

    #[test]
    fn a_name_is_looked_at_up_to_its_bound_and_no_further() {
        let long = "a".repeat(bounds::COUNTER_NAME - 1) + "\u{e9}" + &"b".repeat(100);
        assert_eq!(within_bounds(&long).len(), bounds::COUNTER_NAME - 1);
        assert_eq!(within_bounds(&"a".repeat(2 * bounds::COUNTER_NAME)).len(), bounds::COUNTER_NAME);
        assert_eq!(within_bounds("short"), "short");
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
