//! The path that an upstream is asked for.

use std::borrow::Cow;

use moongate_model::PathHandling;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Joins a service's path with what a request's path has left.
///
/// `path` is the request's path in its normal form and `prefix` the part of it that the route matched,
/// which is removed if `strip` is set. Bytes that may not stand in a path are escaped again at the end.
/// The result is a part of `path`, without an allocation, when nothing was added or escaped.
///
/// Not every flavour follows the setting of a route: ask [`Router::path_handling`](crate::Router::path_handling)
/// for the way that counts.
pub fn upstream_path<'p>(
    service_path: Option<&str>,
    handling: PathHandling,
    strip: bool,
    path: &'p str,
    prefix: &str,
) -> Cow<'p, str> {
    let base = service_path.unwrap_or("/");
    let joined = match (handling, strip) {
        (PathHandling::V0, true) => strip_v0(base, path, prefix),
        (PathHandling::V0, false) => keep_v0(base, path),
        (PathHandling::V1, true) => strip_v1(base, rest(path, prefix)),
        (PathHandling::V1, false) => Cow::Owned(concat(base, path.strip_prefix('/').unwrap_or(path))),
    };
    escape(joined)
}

fn strip_v0<'p>(base: &str, path: &'p str, prefix: &str) -> Cow<'p, str> {
    let rest = rest(path, prefix);
    match (base.strip_suffix('/'), rest) {
        (Some(""), "") => Cow::Borrowed("/"),
        (Some(trimmed), "") => Cow::Owned(if path.ends_with('/') { base } else { trimmed }.to_owned()),
        (None, "") if path.len() > 1 && path.ends_with('/') => Cow::Owned(concat(base, "/")),
        (None, "") => Cow::Owned(base.to_owned()),
        (Some(""), rest) if rest.starts_with('/') => Cow::Borrowed(rest),
        (Some(""), rest) => match with_slash(path, rest) {
            Some(part) => Cow::Borrowed(part),
            None => Cow::Owned(concat("/", rest)),
        },
        (trimmed, rest) if rest.starts_with('/') => Cow::Owned(concat(trimmed.unwrap_or(base), rest)),
        (Some(_), rest) => Cow::Owned(concat(base, rest)),
        (None, rest) => Cow::Owned([base, "/", rest].concat()),
    }
}

fn keep_v0<'p>(base: &str, path: &'p str) -> Cow<'p, str> {
    match base.strip_suffix('/') {
        Some("") => Cow::Borrowed(path),
        Some(trimmed) => Cow::Owned(concat(trimmed, path)),
        None if path == "/" => Cow::Owned(base.to_owned()),
        None => Cow::Owned(concat(base, path)),
    }
}

fn strip_v1(base: &str, rest: &str) -> Cow<'static, str> {
    let base = if rest.starts_with('/') { base.strip_suffix('/').unwrap_or(base) } else { base };
    Cow::Owned(concat(base, rest))
}

/// What follows the prefix, without a dot segment that removing the prefix laid bare.
fn rest<'p>(path: &'p str, prefix: &str) -> &'p str {
    let rest = path.strip_prefix(prefix).unwrap_or(path);
    match rest {
        "." | ".." => "",
        rest => rest.strip_prefix("./").or_else(|| rest.strip_prefix("../")).unwrap_or(rest),
    }
}

/// `rest` with the slash that precedes it in `path`.
fn with_slash<'p>(path: &'p str, rest: &str) -> Option<&'p str> {
    let start = path.len().checked_sub(rest.len() + 1)?;
    path.get(start..).filter(|part| part.starts_with('/'))
}

fn concat(start: &str, end: &str) -> String {
    [start, end].concat()
}

fn escape(path: Cow<'_, str>) -> Cow<'_, str> {
    match path {
        Cow::Borrowed(path) => utf8_percent_encode(path, ESCAPED).into(),
        Cow::Owned(path) => match Cow::from(utf8_percent_encode(&path, ESCAPED)) {
            Cow::Borrowed(_) => Cow::Owned(path),
            Cow::Owned(escaped) => Cow::Owned(escaped),
        },
    }
}

/// What may not stand in a path as it is. Escapes that normalising left in place keep their percent sign.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'%')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'-')
    .remove(b'.')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'?')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'_')
    .remove(b'~');

#[cfg(test)]
mod tests;
