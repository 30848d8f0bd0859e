//! What the workers have measured, as those see it who show it.
//!
//! Everything counts from the start of the gateway and never goes back, so that whoever looks twice can subtract.

use std::time::Duration;

/// One look at everything that was measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// What each worker did, in the order of their numbers.
    pub workers: Vec<WorkerMetrics>,
    /// Responses of all workers by the class of their status: 1xx to 5xx.
    pub statuses: [u64; 5],
    /// The gateway's own part of each request: from its arrival until the head of the response was ready, without the
    /// time that the upstream took.
    pub gateway: Histogram,
    /// The upstream's part of each request that was sent to one: until the head of its response was there, or it was
    /// clear that none comes.
    pub upstream: Histogram,
}

/// What one worker did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerMetrics {
    /// Requests that it received.
    pub requests: u64,
    /// Connections that it accepted.
    pub accepted: u64,
    /// Connections that are open now.
    pub connections: u64,
}

/// How often something took how long.
///
/// Durations are counted in buckets whose width grows with them: a quantile is off by at most an eighth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    sum: u64,
}

impl Histogram {
    /// How many buckets there are.
    pub const BUCKETS: usize = 200;

    /// From counts of [`Histogram::BUCKETS`] buckets, and the sum of all durations in microseconds.
    pub fn new(counts: Vec<u64>, sum: u64) -> Self {
        Self { counts, sum }
    }

    /// The bucket that counts a duration. The last one counts everything above two minutes.
    pub fn bucket(duration: Duration) -> usize {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX).min(LONGEST);
        if micros < PARTS {
            return micros as usize;
        }
        let exponent = u64::from(63 - micros.leading_zeros());
        let part = (micros >> (exponent - PART_BITS)) & (PARTS - 1);
        ((exponent - PART_BITS + 1) * PARTS + part) as usize
    }

    /// The duration, in microseconds, that everything in a bucket is shorter than.
    pub fn bound(bucket: usize) -> u64 {
        let bucket = bucket as u64;
        if bucket < PARTS {
            return bucket + 1;
        }
        let (step, part) = (bucket / PARTS - 1, bucket % PARTS);
        (PARTS + part + 1) << step
    }

    /// The counts, from the shortest durations on.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all durations.
    pub fn sum(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// How many durations were shorter than `limit`, as far as the buckets tell: one that lies in the middle of a bucket
    /// does not count it.
    pub fn below(&self, limit: Duration) -> u64 {
        let limit = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        let whole = |(bucket, _): &(usize, &u64)| Self::bound(*bucket) <= limit;
        self.counts.iter().enumerate().take_while(whole).map(|(_, count)| count).sum()
    }

    /// The duration that a share of all does not exceed, such as 0.99 of them; none when nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let count = self.count();
        let rank = ((count as f64 * share).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        for (bucket, counted) in self.counts.iter().enumerate() {
            seen += counted;
            if seen >= rank {
                let lower = if bucket == 0 { 0 } else { Self::bound(bucket - 1) };
                return Some(Duration::from_nanos((lower + Self::bound(bucket)) * 500));
            }
        }
        None
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }

    /// What was counted since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let counts = self.counts.iter().zip(&earlier.counts).map(|(now, then)| now.saturating_sub(*then));
        Self { counts: counts.collect(), sum: self.sum.saturating_sub(earlier.sum) }
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; Self::BUCKETS], sum: 0 }
    }
}

/// Each doubling of the duration is divided into so many buckets.
const PARTS: u64 = 1 << PART_BITS;
const PART_BITS: u64 = 3;

/// Microseconds; what takes longer is counted with it.
const LONGEST: u64 = (1 << 27) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(micros: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &micros in micros {
            histogram.counts[Histogram::bucket(Duration::from_micros(micros))] += 1;
            histogram.sum += micros;
        }
        histogram
    }

    #[test]
    fn every_duration_lies_below_the_bound_of_its_bucket_and_not_below_the_one_before() {
        for micros in
            (0..5_000).chain((13..27).flat_map(|bits| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1]))
        {
            let bucket = Histogram::bucket(Duration::from_micros(micros));
            assert!(micros < Histogram::bound(bucket), "{micros}");
            assert!(bucket == 0 || micros >= Histogram::bound(bucket - 1), "{micros}");
        }
    }

    #[test]
    fn the_last_bucket_takes_what_is_longer_than_all_others() {
        assert_eq!(Histogram::bucket(Duration::from_secs(120)), Histogram::BUCKETS - 2);
        assert_eq!(Histogram::bucket(Duration::from_secs(86_400)), Histogram::BUCKETS - 1);
        assert_eq!(Histogram::bucket(Duration::MAX), Histogram::BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_off_by_at_most_an_eighth() {
        let all: Vec<u64> = (1..=1_000).map(|number| number * 37).collect();
        let histogram = histogram(&all);
        for (share, exact) in [(0.5, 18_500.0), (0.99, 36_630.0), (1.0, 37_000.0)] {
            let found = histogram.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!((found - exact).abs() <= exact / 8.0, "{share}: {found} for {exact}");
        }
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn two_looks_are_subtracted_and_two_workers_added() {
        let (before, after) = (histogram(&[1, 300]), histogram(&[1, 300, 7, 90_000]));
        assert_eq!(after.since(&before), histogram(&[7, 90_000]));
        let mut both = before.clone();
        both.add(&after.since(&before));
        assert_eq!(both, after);
        assert_eq!((both.count(), both.sum()), (4, Duration::from_micros(90_308)));
    }

    #[test]
    fn what_is_below_a_limit_is_counted_by_whole_buckets() {
        let histogram = histogram(&[1, 3, 900, 1_023, 1_024, 5_000]);
        assert_eq!(histogram.below(Duration::from_micros(1_024)), 4);
        assert_eq!(histogram.below(Duration::from_micros(4)), 2);
        assert_eq!(histogram.below(Duration::ZERO), 0);
        assert_eq!(histogram.below(Duration::from_secs(500)), 6);
    }
}
