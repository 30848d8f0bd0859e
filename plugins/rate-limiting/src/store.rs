//! Where requests are counted.

use std::cell::RefCell;
use std::collections::HashMap;

use moongate_sdk::counters::{self, Allowance, Counter, Redis};

use crate::usage::Limit;

/// What counts.
pub(crate) enum Store {
    /// This node.
    Local,
    /// A Redis server, asked at each request.
    Redis(Redis),
    /// A Redis server that is told now and then. In between each instance counts for itself.
    Exchanged(Redis, RefCell<Exchange>),
}

impl Store {
    /// Counts one more request unless one of the limits is used up, each being that of one of `counters`. Says whether it
    /// did, and how many there are then. `now` is in milliseconds since 1970.
    pub(crate) fn take(
        &self,
        counters: Vec<Counter>,
        limits: &[Limit],
        now: u64,
    ) -> Result<(bool, Vec<u64>), String> {
        let is_used_up = |used: &[u64]| limits.iter().zip(used).any(|(limit, used)| limit.left(*used) <= 0.0);
        match self {
            Self::Local => {
                let allow = |(counter, limit): (Counter, &Limit)| {
                    let Counter { name, ends } = counter;
                    Allowance { name, ends, limit: limit.whole() }
                };
                Ok(counters::take(counters.into_iter().zip(limits).map(allow).collect(), 1))
            }
            Self::Redis(redis) => {
                let names: Vec<String> = counters.iter().map(|counter| counter.name.clone()).collect();
                let used = redis.read(&names)?;
                if is_used_up(&used) { Ok((false, used)) } else { Ok((true, redis.add(&counters, 1)?)) }
            }
            Self::Exchanged(redis, exchange) => {
                let mut exchange = exchange.borrow_mut();
                let used = exchange.usage(redis, &counters, now)?;
                if is_used_up(&used) { Ok((false, used)) } else { Ok((true, exchange.count(&counters))) }
            }
        }
    }
}

/// What a server said last of some counters, and what it was not told yet.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Milliseconds between two exchanges.
    interval: u64,
    /// When the next one is due.
    due: u64,
    counters: HashMap<String, Known>,
}

#[derive(Debug, Default)]
struct Known {
    ends: u64,
    shared: u64,
    untold: u64,
}

impl Exchange {
    pub(crate) fn new(interval: u64) -> Self {
        Self { interval, due: 0, counters: HashMap::new() }
    }

    fn usage(&mut self, redis: &Redis, counters: &[Counter], now: u64) -> Result<Vec<u64>, String> {
        if now >= self.due {
            self.tell(redis)?;
            self.counters.retain(|_, known| known.ends > now);
            self.due = now + self.interval;
        }
        let new: Vec<String> = counters
            .iter()
            .filter(|counter| !self.counters.contains_key(&counter.name))
            .map(|counter| counter.name.clone())
            .collect();
        if !new.is_empty() {
            let values = redis.read(&new)?;
            for (name, shared) in new.into_iter().zip(values) {
                let ends =
                    counters.iter().find(|counter| counter.name == name).map_or(0, |counter| counter.ends);
                self.counters.insert(name, Known { ends, shared, untold: 0 });
            }
        }
        Ok(counters.iter().map(|counter| self.value(&counter.name)).collect())
    }

    fn count(&mut self, counters: &[Counter]) -> Vec<u64> {
        for counter in counters {
            let known = self.counters.entry(counter.name.clone()).or_default();
            known.ends = counter.ends;
            known.untold += 1;
        }
        counters.iter().map(|counter| self.value(&counter.name)).collect()
    }

    fn value(&self, name: &str) -> u64 {
        self.counters.get(name).map_or(0, |known| known.shared + known.untold)
    }

    /// Tells the server what it does not know, and takes over what it knows.
    fn tell(&mut self, redis: &Redis) -> Result<(), String> {
        let mut by_amount: HashMap<u64, Vec<Counter>> = HashMap::new();
        for (name, known) in &self.counters {
            by_amount.entry(known.untold).or_default().push(Counter::new(name.clone(), known.ends));
        }
        for (amount, counters) in by_amount {
            let values = if amount == 0 {
                redis.read(&counters.iter().map(|counter| counter.name.clone()).collect::<Vec<_>>())?
            } else {
                redis.add(&counters, amount)?
            };
            for (counter, shared) in counters.iter().zip(values) {
                if let Some(known) = self.counters.get_mut(&counter.name) {
                    known.shared = shared;
                    known.untold = 0;
                }
            }
        }
        Ok(())
    }
}
