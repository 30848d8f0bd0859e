//! The fields of requests and streams that expressions can name.

use std::borrow::Cow;
use std::net::IpAddr;

use atc_router::ast::Type;
use atc_router::schema::Schema;
use percent_encoding::percent_decode_str;

use super::Subsystem;
use crate::header::DashedName;
use crate::request::Facts;

/// A field with a text, or several.
#[derive(Debug)]
pub(crate) enum TextField {
    Protocol,
    Sni,
    Method,
    Host,
    Path,
    /// The segments from one number to another, both included, from 0.
    Segments(usize, usize),
    Header(DashedName),
    Query(Box<str>),
    /// A field that no request has.
    Nothing,
}

/// A field with a number.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NumberField {
    SegmentCount,
    SourcePort,
    DestinationPort,
}

/// A field with an address.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AddressField {
    Source,
    Destination,
}

impl TextField {
    pub(crate) fn from_name(name: &str) -> Self {
        if let Some(numbers) = name.strip_prefix("http.path.segments.") {
            return segments(numbers).unwrap_or(Self::Nothing);
        }
        if let Some(header) = name.strip_prefix("http.headers.") {
            return Self::Header(DashedName::new(header));
        }
        if let Some(query) = name.strip_prefix("http.queries.") {
            return Self::Query(query.into());
        }
        match name {
            "net.protocol" => Self::Protocol,
            "tls.sni" => Self::Sni,
            "http.method" => Self::Method,
            "http.host" => Self::Host,
            "http.path" => Self::Path,
            _ => Self::Nothing,
        }
    }

    /// Shows the field's values to `test` until it returns false. Values that are no text are shown as `None`.
    pub(crate) fn each(&self, facts: &Facts<'_>, mut test: impl FnMut(Option<&str>) -> bool) {
        let single = match self {
            Self::Protocol => Some(facts.wire.name()),
            Self::Sni => facts.sni,
            Self::Method => Some(facts.method),
            Self::Host => facts.host,
            Self::Path => Some(facts.path),
            Self::Segments(first, last) => segment_text(facts.path, *first, *last),
            Self::Header(name) => {
                let values = facts.headers.into_iter().flat_map(|headers| name.values(headers));
                values.map(|value| std::str::from_utf8(value.as_bytes()).ok()).all(test);
                return;
            }
            Self::Query(name) => {
                let pairs = facts.query.unwrap_or_default().split('&');
                let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                let named = pairs.filter(|(key, _)| decoded(key).as_deref() == Some(&**name));
                named.map(|(_, value)| decoded(value)).all(|value| test(value.as_deref()));
                return;
            }
            Self::Nothing => None,
        };
        if let Some(value) = single {
            test(Some(value));
        }
    }
}

impl NumberField {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "http.path.segments.len" => Some(Self::SegmentCount),
            "net.src.port" => Some(Self::SourcePort),
            "net.dst.port" | "net.port" => Some(Self::DestinationPort),
            _ => None,
        }
    }

    pub(crate) fn value(self, facts: &Facts<'_>) -> Option<i64> {
        match self {
            Self::SegmentCount => i64::try_from(path_segments(facts.path).count()).ok(),
            Self::SourcePort => facts.source_port().map(i64::from),
            Self::DestinationPort => Some(facts.destination_port().into()),
        }
    }
}

impl AddressField {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "net.src.ip" => Some(Self::Source),
            "net.dst.ip" => Some(Self::Destination),
            _ => None,
        }
    }

    pub(crate) fn value(self, facts: &Facts<'_>) -> Option<IpAddr> {
        let address = match self {
            Self::Source => facts.source_address(),
            Self::Destination => facts.destination,
        };
        address.map(|address| address.to_canonical())
    }
}

/// The fields and their types.
pub(crate) fn schema(subsystem: Subsystem) -> Schema {
    let mut schema = Schema::default();
    let common = [
        ("net.protocol", Type::String),
        ("tls.sni", Type::String),
        ("net.src.ip", Type::IpAddr),
        ("net.src.port", Type::Int),
        ("net.dst.ip", Type::IpAddr),
        ("net.dst.port", Type::Int),
    ];
    let http = [
        ("http.method", Type::String),
        ("http.host", Type::String),
        ("http.path", Type::String),
        ("http.path.segments.*", Type::String),
        ("http.path.segments.len", Type::Int),
        ("http.headers.*", Type::String),
        ("http.queries.*", Type::String),
        ("net.port", Type::Int),
    ];
    for (name, kind) in common {
        schema.add_field(name, kind);
    }
    if subsystem == Subsystem::Http {
        for (name, kind) in http {
            schema.add_field(name, kind);
        }
    }
    schema
}

fn segments(numbers: &str) -> Option<TextField> {
    let (first, last) = match numbers.split_once('_') {
        Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
        None => {
            let only = numbers.parse().ok()?;
            (only, only)
        }
    };
    (first <= last).then_some(TextField::Segments(first, last))
}

/// The segments of a path, of which a slash at its end makes no further one.
fn path_segments(path: &str) -> impl Iterator<Item = &str> {
    let inner = path.strip_prefix('/').unwrap_or(path);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    inner.split('/').filter(move |_| !inner.is_empty())
}

/// The text of several segments with the slashes between them, if the path has that many.
fn segment_text(path: &str, first: usize, last: usize) -> Option<&str> {
    let inner = path.strip_prefix('/')?;
    let before: usize = path_segments(path).take(first).map(|segment| segment.len() + 1).sum();
    let mut wanted = path_segments(path).skip(first);
    let mut length = wanted.next()?.len();
    for _ in first..last {
        length += wanted.next()?.len() + 1;
    }
    inner.get(before..before + length)
}

/// A part of a query without its escapes, if that is a text.
fn decoded(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains(['%', '+']) {
        return Some(Cow::Borrowed(part));
    }
    let spaced = part.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(|decoded| Cow::Owned(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_from_zero_without_a_slash_at_the_end() {
        for (path, first, last, text) in [
            ("/a/b/c", 0, 0, Some("a")),
            ("/a/b/c/", 2, 2, Some("c")),
            ("/a/b/c", 0, 1, Some("a/b")),
            ("/a/b/c", 1, 2, Some("b/c")),
            ("/a/b/c", 2, 3, None),
            ("/a/b/c/", 3, 3, None),
            ("/", 0, 0, None),
        ] {
            assert_eq!(segment_text(path, first, last), text, "{path} {first} {last}");
        }
        for (path, count) in [("/", 0), ("/a", 1), ("/a/", 1), ("/a/b/c", 3)] {
            assert_eq!(path_segments(path).count(), count, "{path}");
        }
    }

    #[test]
    fn a_range_of_segments_must_go_upwards() {
        assert!(matches!(TextField::from_name("http.path.segments.1_2"), TextField::Segments(1, 2)));
        assert!(matches!(TextField::from_name("http.path.segments.2_1"), TextField::Nothing));
        assert!(matches!(TextField::from_name("http.path.segments.x"), TextField::Nothing));
    }

    #[test]
    fn every_field_of_the_schema_is_known() {
        for name in ["net.protocol", "tls.sni", "http.method", "http.host", "http.path", "http.headers.a"] {
            assert!(!matches!(TextField::from_name(name), TextField::Nothing), "{name}");
        }
        for name in ["http.path.segments.len", "net.src.port", "net.dst.port", "net.port"] {
            assert!(NumberField::from_name(name).is_some(), "{name}");
        }
        for name in ["net.src.ip", "net.dst.ip"] {
            assert!(AddressField::from_name(name).is_some(), "{name}");
        }
    }
}
