//! What `Cache-Control` says.

/// The directives of a message, as far as they mean something here. Times are in seconds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    pub(crate) no_store: bool,
    pub(crate) no_cache: bool,
    pub(crate) private: bool,
    pub(crate) only_if_cached: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) s_maxage: Option<u64>,
    pub(crate) max_stale: Option<u64>,
    pub(crate) min_fresh: Option<u64>,
}

impl Directives {
    /// Reads the values of the header.
    pub(crate) fn parse(values: &[Vec<u8>]) -> Self {
        let mut directives = Self::default();
        for value in values {
            for directive in String::from_utf8_lossy(value).split(',') {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let time = value.trim().trim_matches('"').parse().ok();
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => directives.no_store = true,
                    "no-cache" => directives.no_cache = true,
                    "private" => directives.private = true,
                    "only-if-cached" => directives.only_if_cached = true,
                    "max-age" => directives.max_age = time,
                    "s-maxage" => directives.s_maxage = time,
                    "max-stale" => directives.max_stale = time,
                    "min-fresh" => directives.min_fresh = time,
                    _ => {}
                }
            }
        }
        directives
    }
}

/// The time in an `Expires` header, in seconds since 1970: `Thu, 01 Dec 1994 16:00:00 GMT`.
pub(crate) fn http_time(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u64 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)?;
    let year: u64 = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if !(1970..10_000).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    let before = year - 1;
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let is_leap = leap_days(year) != leap_days(before);
    let days = before * 365 + leap_days(before) - 719_162
        + DAYS_BEFORE.get(month)?
        + u64::from(is_leap && month > 1);
    Some((days + day - 1) * 86_400 + hour * 3_600 + minute * 60 + second)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS_BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_read_from_all_lines() {
        let lines =
            [b"No-Cache, max-age=5, foo=\"a\"".to_vec(), b"s-maxage = \"7\" ,only-if-cached".to_vec()];
        let expected = Directives {
            no_cache: true,
            only_if_cached: true,
            max_age: Some(5),
            s_maxage: Some(7),
            ..Directives::default()
        };
        assert_eq!(Directives::parse(&lines), expected);
    }

    #[test]
    fn times_are_those_of_http() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 01 Dec 1994 16:00:00 GMT", Some(786_297_600)),
            ("Thu, 29 Feb 2024 12:34:56 GMT", Some(1_709_210_096)),
            ("Sun, 31 Dec 2023 23:59:59 GMT", Some(1_704_067_199)),
            ("0", None),
            ("Thu, 01 Foo 1994 16:00:00 GMT", None),
        ] {
            assert_eq!(http_time(text), seconds, "{text}");
        }
    }
}
