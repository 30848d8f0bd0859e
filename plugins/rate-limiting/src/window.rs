//! Periods of time, and the windows that they divide time into.

use std::fmt::Write as _;

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Year,
}

impl Period {
    /// All of them, the shortest first.
    pub(crate) const ALL: [Self; 6] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month, Self::Year];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// How long counters of this period are kept, in seconds. Months and years have a usual length here.
    pub(crate) fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Month => 2_592_000,
            Self::Year => 31_536_000,
        }
    }

    /// When the window began that a time is in, both in seconds since 1970. Windows begin with the calendar's
    /// seconds, minutes and so on, in UTC.
    pub(crate) fn start(self, now: u64) -> u64 {
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::Day => now - now % self.seconds(),
            Self::Month => first_day(now, false) * DAY,
            Self::Year => first_day(now, true) * DAY,
        }
    }
}

/// The name of the counter of a window: what `prefix` says, whom it counts, when the window began and what it is of.
pub(crate) fn counter_name(prefix: &str, counted: &str, start: u64, what: &str) -> String {
    let mut name = String::with_capacity(prefix.len() + counted.len() + what.len() + 16);
    name.push_str(prefix);
    name.push_str(counted);
    // Into a string nothing is ever refused.
    let _ = write!(name, ":{start}000:{what}");
    name
}

/// The first day of the month or year that a time is in, in days since 1970.
///
/// Years are counted from March here, so that the day of a leap year is the last one; 400 years are 146,097 days.
fn first_day(now: u64, of_year: bool) -> u64 {
    let day = now / DAY;
    let from_march = day + 719_468;
    let (era, day_of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    if !of_year {
        let day_of_month = day_of_year - (153 * month + 2) / 5;
        return day - day_of_month;
    }
    // January and February belong to the year that began in March before.
    let year = era * 400 + year_of_era + u64::from(month >= 10);
    let before = year - 1;
    let new_year = before * 365 + before / 4 - before / 100 + before / 400;
    new_year - 719_162
}

const DAY: u64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-02-29T12:34:56Z
    const LEAP: u64 = 1_709_210_096;

    #[test]
    fn windows_begin_with_the_calendar() {
        for (period, start) in [
            (Period::Second, LEAP),
            (Period::Minute, 1_709_210_040),
            (Period::Hour, 1_709_208_000),
            (Period::Day, 1_709_164_800),
            (Period::Month, 1_706_745_600),
            (Period::Year, 1_704_067_200),
        ] {
            assert_eq!(period.start(LEAP), start, "{period:?}");
        }
    }

    #[test]
    fn months_and_years_begin_on_their_first_day_all_through_the_centuries() {
        let mut day = 0;
        for year in 1970..2405 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let new_year = day;
            for (month, length) in
                [31, 28 + u64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].iter().enumerate()
            {
                for now in [day * DAY, (day + length) * DAY - 1] {
                    assert_eq!(Period::Month.start(now), day * DAY, "{year} {month}");
                    assert_eq!(Period::Year.start(now), new_year * DAY, "{year} {month}");
                }
                day += length;
            }
        }
    }

    #[test]
    fn a_counter_has_the_name_of_its_window() {
        assert_eq!(counter_name("a:", "me", 60, "minute"), "a:me:60000:minute");
    }
}
