//! What the hooks of a plugin have done.
//!
//! Counted by each worker for itself. Every call is counted, one in [`SAMPLED`] is timed: looking at the clock
//! twice would cost a tenth of what a small hook does. What is timed is how long a call runs on the worker's thread, not how
//! long it waits.

use std::time::Duration;

use moongate_hooks::{HookError, HookStatistics};

/// A hook, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    EarlyRequest,
    Request,
    Response,
    ResponseBody,
    Log,
    Timer,
    Admin,
    Entity,
}

impl Hook {
    pub(crate) const ALL: [Self; 8] = [
        Self::EarlyRequest,
        Self::Request,
        Self::Response,
        Self::ResponseBody,
        Self::Log,
        Self::Timer,
        Self::Admin,
        Self::Entity,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EarlyRequest => "early-request",
            Self::Request => "request",
            Self::Response => "response",
            Self::ResponseBody => "response-body",
            Self::Log => "log",
            Self::Timer => "timer",
            Self::Admin => "admin",
            Self::Entity => "entity",
        }
    }
}

/// One call in so many is timed.
const SAMPLED: u64 = 8;
/// Buckets of powers of two nanoseconds; the last is above four seconds.
const BUCKETS: usize = 33;

/// What was counted on one worker.
#[derive(Default, Clone)]
pub(crate) struct Statistics {
    hooks: [Counted; 8],
}

#[derive(Clone)]
struct Counted {
    calls: u64,
    responses: u64,
    errors: Vec<(&'static str, u64)>,
    /// Nanoseconds that calls waited for an instance.
    waited: u64,
    /// Nanoseconds that the calls ran which were timed.
    timed: u64,
    buckets: [u64; BUCKETS],
}

impl Default for Counted {
    fn default() -> Self {
        Self { calls: 0, responses: 0, errors: Vec::new(), waited: 0, timed: 0, buckets: [0; BUCKETS] }
    }
}

impl Statistics {
    /// Counts a call that begins. Says whether it is one of those that are timed.
    pub(crate) fn begin(&mut self, hook: Hook) -> bool {
        let Some(counted) = self.of(hook) else { return false };
        counted.calls += 1;
        counted.calls % SAMPLED == 1
    }

    /// Counts how long a call waited for an instance.
    pub(crate) fn waited(&mut self, hook: Hook, time: Duration) {
        if let Some(counted) = self.of(hook) {
            counted.waited += time.as_nanos() as u64;
        }
    }

    /// Counts how a call ended, and how long it ran if it was timed.
    pub(crate) fn end(
        &mut self,
        hook: Hook,
        ran: Option<Duration>,
        error: Option<&HookError>,
        answered: bool,
    ) {
        let Some(counted) = self.of(hook) else { return };
        counted.responses += u64::from(answered);
        if let Some(ran) = ran {
            let nanoseconds = ran.as_nanos() as u64;
            counted.timed += nanoseconds;
            let bucket = (64 - nanoseconds.leading_zeros() as usize).min(BUCKETS - 1);
            if let Some(count) = counted.buckets.get_mut(bucket) {
                *count += 1;
            }
        }
        if let Some(error) = error {
            let code = error.code();
            match counted.errors.iter_mut().find(|(known, _)| *known == code) {
                Some((_, count)) => *count += 1,
                None => counted.errors.push((code, 1)),
            }
        }
    }

    /// Adds what another worker counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.hooks.iter_mut().zip(&other.hooks) {
            mine.calls += theirs.calls;
            mine.responses += theirs.responses;
            mine.waited += theirs.waited;
            mine.timed += theirs.timed;
            for (mine, theirs) in mine.buckets.iter_mut().zip(&theirs.buckets) {
                *mine += theirs;
            }
            for (code, count) in &theirs.errors {
                match mine.errors.iter_mut().find(|(known, _)| known == code) {
                    Some((_, known)) => *known += count,
                    None => mine.errors.push((code, *count)),
                }
            }
        }
    }

    /// For people: the hooks that were called.
    pub(crate) fn report(&self) -> Vec<HookStatistics> {
        let called = Hook::ALL.into_iter().zip(&self.hooks).filter(|(_, counted)| counted.calls > 0);
        called.map(|(hook, counted)| counted.report(hook)).collect()
    }

    fn of(&mut self, hook: Hook) -> Option<&mut Counted> {
        self.hooks.get_mut(hook as usize)
    }
}

impl Counted {
    fn report(&self, hook: Hook) -> HookStatistics {
        let samples: u64 = self.buckets.iter().sum();
        HookStatistics {
            hook: hook.name(),
            calls: self.calls,
            responses: self.responses,
            errors: self.errors.iter().copied().collect(),
            wait_ns: self.waited,
            cpu_ns: if samples == 0 {
                0
            } else {
                (u128::from(self.timed) * u128::from(self.calls) / u128::from(samples)) as u64
            },
            cpu_p50_ns: self.quantile(samples, 50),
            cpu_p99_ns: self.quantile(samples, 99),
        }
    }

    /// The upper bound of the bucket in which so many per cent of the samples are reached.
    fn quantile(&self, samples: u64, percent: u64) -> u64 {
        let wanted = (samples * percent).div_ceil(100);
        let mut seen = 0;
        let bucket = self.buckets.iter().position(|count| {
            seen += count;
            wanted > 0 && seen >= wanted
        });
        bucket.map_or(0, |bucket| 1_u64 << bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_counted_and_what_was_timed_stands_for_the_rest() {
        let mut first = Statistics::default();
        for call in 0..16 {
            let timed = first.begin(Hook::Request);
            assert_eq!(timed, call % 8 == 0);
            let (ran, error) = (timed.then_some(Duration::from_nanos(100 + call)), HookError::NotExported);
            first.end(Hook::Request, ran, (call == 3).then_some(&error), call == 4);
        }
        first.waited(Hook::Request, Duration::from_nanos(7));
        let mut both = first.clone();
        both.add(&first);
        let report = both.report();
        assert_eq!(report.len(), 1);
        assert_eq!((report[0].hook, report[0].calls, report[0].responses), ("request", 32, 2));
        assert_eq!(report[0].errors.get("plugin_hook_missing"), Some(&2));
        // 100 and 108 ns were timed, twice; they stand for eight calls each.
        assert_eq!((report[0].wait_ns, report[0].cpu_ns), (14, 2 * 8 * 208));
        assert_eq!((report[0].cpu_p50_ns, report[0].cpu_p99_ns), (128, 128));
    }
}
