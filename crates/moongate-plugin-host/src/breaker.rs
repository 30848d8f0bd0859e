//! Gives a plugin that fails again and again a rest.

use std::time::Duration;

use tokio::time::Instant;

use crate::settings::bounds;

/// Counts failures in a row. After [`bounds::BREAKER_FAILURES`] of them calls are refused for a while; then one is let
/// through, and its failure doubles the pause.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    /// How often the plugin was given a rest since it last did well.
    pauses: u32,
    until: Option<Instant>,
}

impl Breaker {
    /// Whether the plugin may be called.
    pub(crate) fn allows(&mut self) -> bool {
        match self.until {
            None => true,
            Some(until) if Instant::now() < until => false,
            Some(_) => {
                self.until = None;
                true
            }
        }
    }

    /// A call went well.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.pauses = 0;
    }

    /// A call trapped or was cut off. Says for how long the plugin is not called, where that begins now.
    pub(crate) fn failed(&mut self) -> Option<Duration> {
        self.failures += 1;
        if self.failures < bounds::BREAKER_FAILURES {
            return None;
        }
        let pause =
            bounds::BREAKER_PAUSE.saturating_mul(1 << self.pauses.min(16)).min(bounds::BREAKER_LONGEST);
        let pause = Duration::from_millis(pause);
        self.pauses += 1;
        // One more failure is enough, as long as nothing goes well.
        self.failures = bounds::BREAKER_FAILURES - 1;
        self.until = Some(Instant::now() + pause);
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_open_it_and_each_further_one_for_longer() {
        let mut breaker = Breaker::default();
        assert_eq!((breaker.failed(), breaker.failed()), (None, None));
        breaker.succeeded();
        assert_eq!((breaker.failed(), breaker.failed()), (None, None));
        assert!(breaker.allows());
        let first = breaker.failed().unwrap();
        assert!(!breaker.allows());
        breaker.until = Some(Instant::now());
        assert!(breaker.allows());
        assert_eq!(breaker.failed(), Some(2 * first));
        for _ in 0..40 {
            breaker.failed();
        }
        assert_eq!(breaker.failed(), Some(Duration::from_millis(bounds::BREAKER_LONGEST)));
        breaker.until = None;
        breaker.succeeded();
        assert_eq!(breaker.failed(), None);
    }
}
