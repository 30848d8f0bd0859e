//! The latency of an address: an average that forgets, within some ten seconds, what was before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::address::{Address, AddressId};

/// After this long, what was measured before counts 1/e of what it did.
const DECAY: f64 = 10.0;

/// Moving average of the time that an address takes to answer.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    /// Seconds, as the bits of a float.
    average: AtomicU64,
    /// When the average was last added to, in microseconds; 0 for never.
    touched: AtomicU64,
}

impl Latency {
    /// The average as it has decayed until `now`, in seconds: the longer an address was not used, the less
    /// speaks against it.
    pub(crate) fn at(&self, now: Duration) -> f64 {
        self.average() * self.remains(now)
    }

    /// Adds what a request took. Two workers at the same time may lose one of their measurements.
    pub(crate) fn record(&self, taken: Duration, now: Duration) {
        let taken = taken.as_secs_f64();
        let average = if self.touched.load(Ordering::Relaxed) == 0 {
            taken
        } else {
            let old = self.remains(now);
            self.average() * old + taken * (1.0 - old)
        };
        self.set(average, micros(now).max(1));
    }

    /// Lets addresses without a measurement begin with the average of the others.
    pub(crate) fn introduce(addresses: &[Arc<Address>]) {
        let known = || {
            let latencies = addresses.iter().map(|address| &address.state.latency);
            latencies.filter(|latency| latency.touched.load(Ordering::Relaxed) != 0)
        };
        let count = known().count();
        if count == 0 || count == addresses.len() {
            return;
        }
        let average = known().map(Self::average).sum::<f64>() / count as f64;
        let touched = known().map(|latency| latency.touched.load(Ordering::Relaxed)).max().unwrap_or(1);
        for address in addresses {
            let latency = &address.state.latency;
            if latency.touched.load(Ordering::Relaxed) == 0 {
                latency.set(average, touched);
            }
        }
    }

    fn average(&self) -> f64 {
        f64::from_bits(self.average.load(Ordering::Relaxed))
    }

    fn set(&self, average: f64, touched: u64) {
        self.average.store(average.to_bits(), Ordering::Relaxed);
        self.touched.store(touched, Ordering::Relaxed);
    }

    /// What is left of the average, as a factor.
    fn remains(&self, now: Duration) -> f64 {
        let idle = micros(now).saturating_sub(self.touched.load(Ordering::Relaxed));
        (-(idle as f64) / 1_000_000.0 / DECAY).exp()
    }
}

/// Chooses the faster, for its weight, of two addresses taken at random from those not in `tried`.
pub(crate) fn choose<'a>(
    addresses: &'a [Arc<Address>],
    available: &[u32],
    tried: &[AddressId],
    random: u64,
    now: Duration,
) -> Option<&'a Arc<Address>> {
    let candidates = || {
        available
            .iter()
            .filter_map(|index| addresses.get(*index as usize))
            .filter(|address| !tried.contains(&address.id()))
    };
    let count = if tried.is_empty() { available.len() } else { candidates().count() };
    let nth = |n: usize| {
        if tried.is_empty() {
            available.get(n).and_then(|index| addresses.get(*index as usize))
        } else {
            candidates().nth(n)
        }
    };
    if count < 2 {
        return nth(0);
    }
    let first = (random as u32 as usize) % count;
    let second = (random >> 32) as usize % (count - 1);
    let (one, other) = (nth(first)?, nth(if second >= first { second + 1 } else { second })?);
    let score = |address: &Arc<Address>| address.state.latency.at(now) / f64::from(address.weight);
    Some(if score(other) < score(one) { other } else { one })
}

fn micros(time: Duration) -> u64 {
    time.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_measurement_counts_the_more_the_longer_ago_the_last_one_was() {
        let latency = Latency::default();
        latency.record(seconds(1.0), seconds(100.0));
        assert!((latency.at(seconds(100.0)) - 1.0).abs() < 1e-9);
        latency.record(seconds(2.0), seconds(100.0));
        assert!((latency.at(seconds(100.0)) - 1.0).abs() < 1e-9, "no time has passed");
        latency.record(seconds(2.0), seconds(110.0));
        let expected = (-1.0_f64).exp() + 2.0 * (1.0 - (-1.0_f64).exp());
        assert!((latency.at(seconds(110.0)) - expected).abs() < 1e-9);
    }

    #[test]
    fn what_speaks_against_an_address_fades() {
        let latency = Latency::default();
        latency.record(seconds(1.0), seconds(1.0));
        assert!((latency.at(seconds(11.0)) - (-1.0_f64).exp()).abs() < 1e-9);
        assert!(latency.at(seconds(101.0)) < 1e-4);
    }
}
