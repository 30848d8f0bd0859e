//! Dates of HTTP, in the three forms that it knows.

/// Seconds since 1970 of a date such as `Mon, 01 Jun 2026 10:00:00 GMT`, `Monday, 01-Jun-26 10:00:00 GMT` or
/// `Mon Jun  1 10:00:00 2026`.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let (day, month, year, time) = if let Some((_, rest)) = text.split_once(',') {
        let mut words = rest.split_ascii_whitespace();
        let date = words.next()?;
        let (day, month, year) = if date.contains('-') {
            let mut parts = date.split('-');
            (parts.next()?, parts.next()?, parts.next()?)
        } else {
            (date, words.next()?, words.next()?)
        };
        let time = words.next()?;
        if words.next()? != "GMT" {
            return None;
        }
        (day, month, year, time)
    } else {
        let mut words = text.split_ascii_whitespace().skip(1);
        let (month, day, time) = (words.next()?, words.next()?, words.next()?);
        (day, month, words.next()?, time)
    };
    let year = match (number(year, 9_999)?, year.len()) {
        (year, 2) if year < 70 => year + 2_000,
        (year, 2) => year + 1_900,
        (year, _) => year,
    };
    let month = MONTHS.iter().position(|known| *known == month)?;
    let day = number(day, 31).filter(|day| *day > 0)?;
    let mut parts = time.split(':');
    let mut part = |most| number(parts.next()?, most);
    let (hours, minutes, seconds) = (part(23)?, part(59)?, part(60)?);
    let days = days_before(year, i64::try_from(month).ok()? + 1, day);
    Some((days * 86_400 + hours * 3_600 + minutes * 60 + seconds) as f64)
}

fn number(text: &str, most: i64) -> Option<i64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|number| *number <= most)
}

/// Days from 1970 to a day, by the calendar of today. The year is taken to begin in March, so that the day which
/// only some years have is the last one.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
