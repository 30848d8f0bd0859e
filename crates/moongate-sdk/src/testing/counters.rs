//! The counters of a test: those of the node, and those of one Redis server.

use std::cell::RefCell;
use std::collections::HashMap;

use super::clock;
pub(crate) use crate::counters::{Allowance, Counter, RedisSettings};

#[derive(Default)]
struct Counters {
    /// Value and end.
    node: HashMap<String, (u64, u64)>,
    redis: HashMap<String, (u64, u64)>,
    /// Why the Redis server does not answer.
    failure: Option<String>,
}

thread_local! {
    static COUNTERS: RefCell<Counters> = RefCell::default();
}

pub(super) fn clear() {
    COUNTERS.take();
}

pub(super) fn fail_redis(failure: Option<String>) {
    COUNTERS.with_borrow_mut(|counters| counters.failure = failure);
}

pub(crate) fn read(names: &[String]) -> Vec<u64> {
    COUNTERS.with_borrow(|counters| read_from(&counters.node, names))
}

pub(crate) fn add(counters: &[Counter], amount: u64) -> Vec<u64> {
    COUNTERS.with_borrow_mut(|known| add_to(&mut known.node, counters, amount))
}

pub(crate) fn take(allowances: &[Allowance], amount: u64) -> (bool, Vec<u64>) {
    let names: Vec<String> = allowances.iter().map(|allowance| allowance.name.clone()).collect();
    let values = read(&names);
    let has_room = |(allowance, value): (&Allowance, &u64)| {
        value.checked_add(amount).is_some_and(|grown| grown <= allowance.limit)
    };
    if !allowances.iter().zip(&values).all(has_room) {
        return (false, values);
    }
    let counter = |allowance: &Allowance| Counter::new(allowance.name.clone(), allowance.ends);
    (true, add(&allowances.iter().map(counter).collect::<Vec<_>>(), amount))
}

#[derive(Debug)]
pub(crate) struct Redis;

impl Redis {
    pub(crate) fn open(_settings: &RedisSettings) -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "as in the bindings")]
    pub(crate) fn read(&self, names: &[String]) -> Result<Vec<u64>, String> {
        COUNTERS.with_borrow(|counters| match &counters.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(read_from(&counters.redis, names)),
        })
    }

    #[expect(clippy::unused_self, reason = "as in the bindings")]
    pub(crate) fn add(&self, counters: &[Counter], amount: u64) -> Result<Vec<u64>, String> {
        COUNTERS.with_borrow_mut(|known| match &known.failure {
            Some(failure) => Err(failure.clone()),
            None => Ok(add_to(&mut known.redis, counters, amount)),
        })
    }
}

fn read_from(counters: &HashMap<String, (u64, u64)>, names: &[String]) -> Vec<u64> {
    let now = clock::milliseconds();
    let value =
        |name: &String| counters.get(name).filter(|(_, ends)| *ends > now).map_or(0, |(value, _)| *value);
    names.iter().map(value).collect()
}

fn add_to(known: &mut HashMap<String, (u64, u64)>, counters: &[Counter], amount: u64) -> Vec<u64> {
    let now = clock::milliseconds();
    let add = |counter: &Counter| {
        let entry = known.entry(counter.name.clone()).or_default();
        if entry.1 <= now {
            *entry = (0, counter.ends);
        }
        entry.0 = entry.0.saturating_add(amount);
        entry.0
    };
    counters.iter().map(add).collect()
}
