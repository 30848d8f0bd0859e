//! Which origins may read responses.

use std::borrow::Cow;

use moongate_sdk::Problem;
use regex_lite::Regex;

/// The origins of a configuration.
#[derive(Debug)]
pub(crate) enum Origins {
    /// All of them: nothing depends on where a request comes from.
    Any,
    /// One, which every response names.
    One(String),
    /// Several. `*` may be among them.
    Several { any: bool, patterns: Vec<Pattern> },
}

/// What an origin is compared with.
#[derive(Debug)]
pub(crate) enum Pattern {
    /// An origin in its normal form.
    Plain(String),
    /// An expression for the whole origin.
    Origin(Regex),
    /// An expression for the host alone.
    Host(Regex),
}

/// What a response says of the origin of its request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed<'a> {
    /// Everybody may read it.
    Any,
    /// This one may.
    Origin(&'a str),
    /// Nothing.
    None,
}

impl Origins {
    pub(crate) fn parse(entries: &[String]) -> Result<Self, Vec<Problem>> {
        match entries {
            [] => return Ok(Self::Any),
            [one] if one == "*" => return Ok(Self::Any),
            [one] if is_plain(one) => return Ok(Self::One(one.clone())),
            _ => {}
        }
        let any = entries.iter().any(|entry| entry == "*");
        let mut problems = Vec::new();
        let mut patterns = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| *entry != "*") {
            match Pattern::parse(entry) {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => problems.push(Problem::at(
                    format!("origins.{at}"),
                    format!("'{entry}' cannot be used as a regular expression: {error}"),
                )),
            }
        }
        if problems.is_empty() { Ok(Self::Several { any, patterns }) } else { Err(problems) }
    }

    /// Whether responses may differ by where their requests come from.
    pub(crate) fn vary(&self) -> bool {
        !matches!(self, Self::Any)
    }

    /// Whether it must be known where a request comes from.
    pub(crate) fn depend_on_request(&self) -> bool {
        matches!(self, Self::Several { any: false, .. })
    }

    pub(crate) fn allowed<'a>(&'a self, origin: Option<&'a str>) -> Allowed<'a> {
        match (self, origin) {
            (Self::Any | Self::Several { any: true, .. }, _) => Allowed::Any,
            (Self::One(one), _) => Allowed::Origin(one),
            (Self::Several { .. }, None) => Allowed::None,
            (Self::Several { patterns, .. }, Some(origin)) => {
                let (origin, host) = normal(origin);
                if patterns.iter().any(|pattern| pattern.matches(origin, host)) {
                    Allowed::Origin(origin)
                } else {
                    Allowed::None
                }
            }
        }
    }
}

impl Pattern {
    fn parse(entry: &str) -> Result<Self, regex_lite::Error> {
        if is_plain(entry) {
            return Ok(Self::Plain(normal(entry).0.to_owned()));
        }
        let mut anchored = Cow::Borrowed(entry);
        if !entry.starts_with('^') {
            anchored.to_mut().insert(0, '^');
        }
        if !entry.ends_with('$') {
            anchored.to_mut().push('$');
        }
        let regex = Regex::new(&anchored)?;
        Ok(if entry.contains(':') { Self::Origin(regex) } else { Self::Host(regex) })
    }

    fn matches(&self, origin: &str, host: &str) -> bool {
        match self {
            Self::Plain(plain) => plain == origin,
            Self::Origin(regex) => regex.is_match(origin),
            Self::Host(regex) => regex.is_match(host),
        }
    }
}

/// Whether an entry is an origin, rather than an expression for some.
fn is_plain(entry: &str) -> bool {
    entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/-".contains(&byte))
}

/// An origin without the port that its scheme has anyway, and its host. What is no origin is both.
fn normal(origin: &str) -> (&str, &str) {
    let Some((scheme, rest)) = origin.split_once("://") else { return (origin, origin) };
    let authority = rest.split('/').next().unwrap_or(rest);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, port),
        _ => (authority, ""),
    };
    if host.is_empty() {
        return (origin, origin);
    }
    let is_usual = port.is_empty() || matches!((scheme, port), ("http", "80") | ("https", "443"));
    let kept = if is_usual { host.len() } else { authority.len() };
    (origin.get(..scheme.len() + "://".len() + kept).unwrap_or(origin), host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(entries: &[&str]) -> Origins {
        Origins::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn ports_that_go_without_saying_are_dropped() {
        for (origin, expected) in [
            ("http://a.test:80", ("http://a.test", "a.test")),
            ("https://a.test:443", ("https://a.test", "a.test")),
            ("https://a.test:80", ("https://a.test:80", "a.test")),
            ("http://a.test/", ("http://a.test", "a.test")),
            ("http://[::1]:80", ("http://[::1]", "[::1]")),
            ("http://[::1]", ("http://[::1]", "[::1]")),
            ("null", ("null", "null")),
        ] {
            assert_eq!(normal(origin), expected, "{origin}");
        }
    }

    #[test]
    fn one_plain_origin_is_named_whoever_asks() {
        let one = origins(&["https://a.test"]);
        assert_eq!(one.allowed(Some("https://b.test")), Allowed::Origin("https://a.test"));
        assert_eq!(one.allowed(None), Allowed::Origin("https://a.test"));
    }

    #[test]
    fn of_several_origins_the_one_that_asks_is_named() {
        let several = origins(&["http://a.test", "https://b.test:8443"]);
        assert_eq!(several.allowed(Some("http://a.test:80")), Allowed::Origin("http://a.test"));
        assert_eq!(several.allowed(Some("https://b.test:8443")), Allowed::Origin("https://b.test:8443"));
        for stranger in ["https://b.test", "https://a.test", "http://a.test.evil", "null"] {
            assert_eq!(several.allowed(Some(stranger)), Allowed::None, "{stranger}");
        }
        assert_eq!(several.allowed(None), Allowed::None);
    }

    #[test]
    fn a_star_among_several_allows_everybody() {
        let several = origins(&["https://a.test", "*"]);
        assert_eq!(several.allowed(Some("https://b.test")), Allowed::Any);
        assert!(several.vary());
    }

    #[test]
    fn an_expression_matches_the_whole_host_or_with_a_colon_the_whole_origin() {
        let host = origins(&[r"(.*\.)?a\.test"]);
        for origin in ["http://a.test", "https://x.a.test:8443"] {
            assert_eq!(host.allowed(Some(origin)), Allowed::Origin(origin));
        }
        assert_eq!(host.allowed(Some("http://a.test.evil")), Allowed::None);
        let origin = origins(&[r"^https://.*\.a\.test$"]);
        assert_eq!(origin.allowed(Some("https://x.a.test")), Allowed::Origin("https://x.a.test"));
        assert_eq!(origin.allowed(Some("http://x.a.test")), Allowed::None);
        assert_eq!(origin.allowed(Some("https://x.a.test.evil")), Allowed::None);
    }

    #[test]
    fn an_expression_beyond_the_engine_is_refused_with_its_place() {
        let problems = Origins::parse(&["http://a.test".to_owned(), "(?=a)b".to_owned()]).unwrap_err();
        assert_eq!(problems[0].path, "origins.1");
    }
}
