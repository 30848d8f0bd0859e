//! What is left of limits, and what clients are told of it.

use crate::window::Period;

/// A limit, with what does not change from request to request.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) period: Period,
    pub(crate) limit: f64,
    /// The limit as text.
    text: String,
    /// The names of the headers that tell of it.
    limit_header: String,
    remaining_header: String,
}

/// What is left of all limits.
#[derive(Debug, PartialEq)]
pub(crate) struct Usage {
    /// What is left of each, in their order.
    remaining: Vec<f64>,
    /// Place of the limit that is used up the most.
    tightest: usize,
    /// Seconds until that one begins anew.
    reset: u64,
}

impl Limit {
    pub(crate) fn new(period: Period, limit: f64) -> Self {
        let name = period.name();
        Self {
            period,
            limit,
            text: limit.to_string(),
            limit_header: format!("x-ratelimit-limit-{name}"),
            remaining_header: format!("x-ratelimit-remaining-{name}"),
        }
    }

    /// How many requests the limit lets through: rounded up, for the one that uses up the last fraction still passes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "limits are positive, and more than u64 holds are as good as none"
    )]
    pub(crate) fn whole(&self) -> u64 {
        self.limit.ceil() as u64
    }

    /// What is left of the limit after so many requests.
    #[expect(clippy::cast_precision_loss, reason = "nobody makes 2^53 requests")]
    pub(crate) fn left(&self, used: u64) -> f64 {
        self.limit - used as f64
    }
}

impl Usage {
    /// From what is left of each of `limits` after this request, `now` being in seconds since 1970. What is less
    /// than nothing is nothing.
    pub(crate) fn new(limits: &[Limit], remaining: Vec<f64>, now: u64) -> Self {
        let remaining: Vec<f64> = remaining.into_iter().map(|left| left.max(0.0)).collect();
        let by_place = |(at, (limit, left)): (usize, (&Limit, &f64))| (at, *left, limit.period);
        let all = limits.iter().zip(&remaining).enumerate().map(by_place);
        // Of equals the longest period counts.
        let tightest = all.reduce(|least, next| if next.1 <= least.1 { next } else { least });
        let (tightest, reset) = tightest.map_or((0, 1), |(at, _, period)| (at, reset(period, now)));
        Self { remaining, tightest, reset }
    }

    /// Seconds until the tightest limit begins anew.
    pub(crate) fn reset(&self) -> u64 {
        self.reset
    }

    /// Hands over the headers that tell of `limits`, which must be those that this was made from.
    pub(crate) fn tell<E>(
        &self,
        limits: &[Limit],
        mut put: impl FnMut(&str, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        for (limit, left) in limits.iter().zip(&self.remaining) {
            put(&limit.limit_header, &limit.text)?;
            put(&limit.remaining_header, &text(*left))?;
        }
        if let (Some(limit), Some(left)) = (limits.get(self.tightest), self.remaining.get(self.tightest)) {
            put("ratelimit-limit", &limit.text)?;
            put("ratelimit-remaining", &text(*left))?;
            put("ratelimit-reset", &self.reset.to_string())?;
        }
        Ok(())
    }
}

/// A number that is not negative, as short as it can be said. Whole numbers are nearly all there are, and are cheap.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "what does not come back as it was is written as it is"
)]
fn text(number: f64) -> String {
    let whole = number as u64;
    if whole as f64 == number { whole.to_string() } else { number.to_string() }
}

/// Seconds until the window ends that a time is in; at least one.
fn reset(period: Period, now: u64) -> u64 {
    let passed = now.saturating_sub(period.start(now));
    period.seconds().saturating_sub(passed).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_after_its_usual_length() {
        // 2024-02-29T12:34:56Z
        let leap = 1_709_210_096;
        assert_eq!(reset(Period::Second, leap), 1);
        assert_eq!(reset(Period::Minute, leap), 4);
        assert_eq!(reset(Period::Hour, leap), 3_600 - 34 * 60 - 56);
        // The 31st of a month is beyond 30 days.
        assert_eq!(reset(Period::Month, 1_706_745_600 - 1), 1);
    }

    fn told(limits: &[(Period, f64)], remaining: &[f64]) -> Vec<String> {
        let limits: Vec<Limit> = limits.iter().map(|(period, limit)| Limit::new(*period, *limit)).collect();
        let mut told = Vec::new();
        let put = |name: &str, value: &str| {
            told.push(format!("{name}: {value}"));
            Ok::<(), ()>(())
        };
        Usage::new(&limits, remaining.to_vec(), 90_061).tell(&limits, put).unwrap();
        told
    }

    #[test]
    fn every_limit_is_told_and_the_tightest_by_itself() {
        assert_eq!(
            told(&[(Period::Minute, 3.0), (Period::Day, 5.5)], &[2.0, 4.5]),
            [
                "x-ratelimit-limit-minute: 3",
                "x-ratelimit-remaining-minute: 2",
                "x-ratelimit-limit-day: 5.5",
                "x-ratelimit-remaining-day: 4.5",
                "ratelimit-limit: 3",
                "ratelimit-remaining: 2",
                "ratelimit-reset: 59",
            ]
        );
    }

    #[test]
    fn of_equally_tight_limits_the_longest_is_told() {
        let told = told(&[(Period::Minute, 3.0), (Period::Hour, 9.0), (Period::Day, 9.0)], &[0.0, -1.0, 2.0]);
        assert_eq!(
            told.get(6..).unwrap(),
            ["ratelimit-limit: 9", "ratelimit-remaining: 0", "ratelimit-reset: 3539"]
        );
    }
}
