//! The time, as lines of a log show it.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A second in both forms that are needed, always in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    second: u64,
    /// `23/Nov/2026:13:30:10 +0000`
    pub(super) common: Vec<u8>,
    /// `2026-11-23T13:30:10+00:00`
    pub(super) iso: Vec<u8>,
}

impl Stamp {
    pub(super) fn now() -> Self {
        Self::of(seconds(SystemTime::now()))
    }

    /// Shows the time of the call.
    pub(super) fn renew(&mut self) {
        let second = seconds(SystemTime::now());
        if second != self.second {
            *self = Self::of(second);
        }
    }

    fn of(second: u64) -> Self {
        let (year, month, day) = date(second / 86_400);
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        let name = MONTHS.get(month as usize - 1).copied().unwrap_or_default();
        let (mut common, mut iso) = (Vec::with_capacity(26), Vec::with_capacity(25));
        // Writing to a vector cannot fail.
        let _ = write!(common, "{day:02}/{name}/{year}:{hour:02}:{minute:02}:{:02} +0000", second % 60);
        let _ = write!(iso, "{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}+00:00", second % 60);
        Self { second, common, iso }
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// The year, month and day so many days after 1 January 1970. Years are counted from March, so that the day of a leap year
/// comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_BEFORE_1970;
    let era = days / DAYS_OF_400_YEARS;
    let of_era = days % DAYS_OF_400_YEARS;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

const DAYS_OF_400_YEARS: u64 = 146_097;

/// From 1 March of the year 0.
const DAYS_BEFORE_1970: u64 = 719_468;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_shown_as_dates() {
        for (second, common, iso) in [
            (0, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00+00:00"),
            (951_782_400, "29/Feb/2000:00:00:00 +0000", "2000-02-29T00:00:00+00:00"),
            (1_795_440_610, "23/Nov/2026:13:30:10 +0000", "2026-11-23T13:30:10+00:00"),
            (1_798_761_599, "31/Dec/2026:23:59:59 +0000", "2026-12-31T23:59:59+00:00"),
            (4_107_542_400, "01/Mar/2100:00:00:00 +0000", "2100-03-01T00:00:00+00:00"),
        ] {
            let stamp = Stamp::of(second);
            assert_eq!(String::from_utf8(stamp.common).unwrap(), common);
            assert_eq!(String::from_utf8(stamp.iso).unwrap(), iso);
        }
    }
}
