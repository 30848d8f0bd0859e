//! The health of one address: healthy or not, and how many findings speak for a change.
//!
//! Findings that agree with the present state are not counted, unless there were others since. A success wipes
//! out the failures that were counted, a failure the successes. All of it is one word, so that any worker can
//! report without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::settings::Limits;

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Health(AtomicU64);

/// What somebody found out about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Success,
    HttpFailure,
    TcpFailure,
    Timeout,
}

impl Finding {
    fn limit(self, limits: &Limits) -> u8 {
        match self {
            Self::Success => limits.successes,
            Self::HttpFailure => limits.http_failures,
            Self::TcpFailure => limits.tcp_failures,
            Self::Timeout => limits.timeouts,
        }
    }

    /// Position of the counter in the word.
    fn shift(self) -> u32 {
        match self {
            Self::Success => 0,
            Self::HttpFailure => 8,
            Self::TcpFailure => 16,
            Self::Timeout => 24,
        }
    }
}

impl Health {
    pub(crate) fn is_healthy(&self) -> bool {
        self.0.load(Ordering::Relaxed) & UNHEALTHY == 0
    }

    /// Counts a finding. Says what the address is from now on, if that changed.
    pub(crate) fn count(&self, finding: Finding, limits: &Limits) -> Option<bool> {
        let limit = finding.limit(limits);
        if limit == 0 {
            return None;
        }
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let after = next(before, finding, limit);
            if after == before {
                return None;
            }
            match self.0.compare_exchange_weak(before, after, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if (before ^ after) & UNHEALTHY == 0 => return None,
                Ok(_) => return Some(after & UNHEALTHY == 0),
                Err(now) => before = now,
            }
        }
    }

    /// Makes the address healthy or not, whatever was counted. Says whether that is a change.
    pub(crate) fn set(&self, healthy: bool) -> bool {
        let after = if healthy { 0 } else { UNHEALTHY };
        (self.0.swap(after, Ordering::AcqRel) ^ after) & UNHEALTHY != 0
    }
}

/// The word after a finding.
fn next(word: u64, finding: Finding, limit: u8) -> u64 {
    let success = finding == Finding::Success;
    let healthy = word & UNHEALTHY == 0;
    let doubted = word & DOUBTED != 0;
    if success == healthy && !doubted {
        return word;
    }
    let kept = if success { word & SUCCESSES } else { word & FAILURES };
    let count = ((kept >> finding.shift()) & 0xff) + 1;
    let counted = (kept & !(0xff << finding.shift())) | (count.min(0xff) << finding.shift());
    if count >= u64::from(limit) {
        counted | if success { 0 } else { UNHEALTHY }
    } else {
        counted | (word & UNHEALTHY) | if success == healthy { word & DOUBTED } else { DOUBTED }
    }
}

/// Set while the address is unhealthy.
const UNHEALTHY: u64 = 1 << 32;
/// Set while findings against the present state were counted, too few to change it.
const DOUBTED: u64 = 1 << 33;
const SUCCESSES: u64 = 0xff;
const FAILURES: u64 = 0xffff_ff00;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { successes: 2, http_failures: 3, tcp_failures: 2, timeouts: 4 };

    /// Feeds findings, written as letters, and says after each whether the address is healthy (`+`) or not.
    fn course(limits: &Limits, findings: &str) -> String {
        let health = Health::default();
        let mut known = true;
        findings
            .chars()
            .map(|letter| {
                let finding = match letter {
                    's' => Finding::Success,
                    'h' => Finding::HttpFailure,
                    't' => Finding::TcpFailure,
                    'w' => Finding::Timeout,
                    other => panic!("{other}"),
                };
                let change = health.count(finding, limits);
                assert_eq!(change.is_some(), health.is_healthy() != known);
                known = health.is_healthy();
                if known { '+' } else { '-' }
            })
            .collect()
    }

    #[test]
    fn each_kind_of_failure_has_its_own_count() {
        for (findings, expected) in
            [("hhh", "++-"), ("tt", "+-"), ("wwww", "+++-"), ("hhwwwth", "++++++-"), ("hthwt", "++++-")]
        {
            assert_eq!(course(&LIMITS, findings), expected, "{findings}");
        }
    }

    #[test]
    fn a_success_wipes_out_failures_and_a_failure_wipes_out_successes() {
        for (findings, expected) in [
            ("hhshhh", "+++++-"),
            ("hshshshshs", "++++++++++"),
            ("ttss", "+--+"),
            ("ttstss", "+----+"),
            ("ttsststs", "+--+++++"),
        ] {
            assert_eq!(course(&LIMITS, findings), expected, "{findings}");
        }
    }

    #[test]
    fn findings_that_do_not_count_change_nothing_and_wipe_out_nothing() {
        let no_successes = Limits { successes: 0, ..LIMITS };
        assert_eq!(course(&no_successes, "hshsh"), "++++-");
        assert_eq!(course(&no_successes, "ttssssss"), "+-------");
        assert_eq!(course(&Limits::default(), "hhhhttttwwww"), "++++++++++++");
    }

    #[test]
    fn health_goes_round_as_often_as_findings_say() {
        assert_eq!(course(&LIMITS, "ttssttsshhhss"), "+--++--+++--+");
    }

    #[test]
    fn a_count_of_255_is_reached() {
        let limits = Limits { http_failures: 255, ..Limits::default() };
        let health = Health::default();
        for _ in 0..254 {
            assert_eq!(health.count(Finding::HttpFailure, &limits), None);
        }
        assert_eq!(health.count(Finding::HttpFailure, &limits), Some(false));
    }

    #[test]
    fn setting_the_health_forgets_what_was_counted() {
        let health = Health::default();
        health.count(Finding::HttpFailure, &LIMITS);
        health.count(Finding::HttpFailure, &LIMITS);
        assert!(!health.set(true));
        assert_eq!(health.count(Finding::HttpFailure, &LIMITS), None);
        assert!(health.set(false));
        assert!(!health.is_healthy());
        assert!(health.set(true));
        assert!(health.is_healthy());
    }
}
