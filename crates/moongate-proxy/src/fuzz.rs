//! What must hold for whatever bytes arrive, one function for each place where they do.
//!
//! Each takes bytes and panics where the rule is broken. The fuzz targets in `tests/fuzz` call them, and so do the tests
//! here, with the inputs that are kept there and with random ones.
#![allow(missing_docs, reason = "not for users of the crate")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a broken rule ends the run")]

mod requests;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue};
use moongate_hooks::{HeaderEdit, parse_header, parse_header_name};
use moongate_model::{PathHandling, Protocol};
use moongate_router::{Flavour, RequestView, RouteFields, Router, normalise, upstream_path};
use uuid::Uuid;

use crate::client::Guard;
use crate::proxy_protocol::{self, Header};
use crate::stream::hello::{self, Hello};

pub use requests::requests;

/// A rule about whatever bytes arrive.
pub type Rule = fn(&[u8]);

/// Every rule with the name of its target.
pub const TARGETS: [(&str, Rule); 7] = [
    ("paths", paths),
    ("router", router),
    ("header_edits", header_edits),
    ("proxy_protocol", proxy_protocol),
    ("client_hello", client_hello),
    ("heads", heads),
    ("requests", requests),
];

/// A path has one normal form, in which nothing leads upwards, and whatever is made of it can be asked for.
pub fn paths(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(path) = normalise(text) else { return };
    assert!(path.starts_with('/'), "{path:?}");
    assert!(!path.contains("//"), "{path:?}");
    assert!(path.split('/').all(|segment| !matches!(segment, "." | "..")), "{path:?}");
    let prefix = path.get(..path.len() / 2).unwrap_or("/");
    for (service, strip) in [(None, true), (None, false), (Some("/base"), true), (Some("/base/"), false)] {
        let asked = upstream_path(service, PathHandling::V0, strip, &path, prefix);
        assert!(asked.starts_with(service.unwrap_or("/").trim_end_matches('/')), "{asked:?} of {path:?}");
        assert!(PathAndQuery::try_from(&*asked).is_ok(), "{asked:?} of {path:?}");
    }
}

/// A route is found if and only if one of them would be found alone.
///
/// The first line is the request: method, host and path. Each other line is a route: hosts, paths and methods.
pub fn router(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut lines = text.lines().map(|line| line.split(' '));
    let Some(mut request) = lines.next() else { return };
    let (method, host, asked) = (request.next(), request.next(), request.next().unwrap_or("/"));
    let Ok(path) = normalise(asked) else { return };
    let list = |words: Option<&str>| -> Vec<String> {
        words
            .into_iter()
            .flat_map(|words| words.split(','))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let routes: Vec<[Vec<String>; 3]> = lines
        .take(8)
        .map(|mut words| [list(words.next()), list(words.next()), list(words.next())])
        .filter(|fields| fields.iter().any(|field| !field.is_empty()))
        .collect();
    let fields = |number: usize| RouteFields {
        id: Uuid::from_u128(number as u128 + 1),
        created_at: 0,
        protocols: &[Protocol::Http, Protocol::Https],
        methods: &routes[number][2],
        hosts: &routes[number][0],
        paths: &routes[number][1],
        headers: None,
        snis: &[],
        sources: &[],
        destinations: &[],
        regex_priority: 0,
        expression: None,
        priority: 0,
    };
    let headers = HeaderMap::new();
    let view = RequestView {
        method: method.unwrap_or("GET"),
        host,
        path: &path,
        query: None,
        headers: &headers,
        https: false,
        sni: None,
        source: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))),
        destination: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        port: 80,
    };
    for flavour in [Flavour::TraditionalCompatible, Flavour::Traditional] {
        let build = |numbers: &mut dyn Iterator<Item = usize>| {
            Router::build_after(&Router::default(), flavour, numbers.map(fields))
        };
        // What one of them cannot be built with is refused.
        let Ok(all) = build(&mut (0..routes.len())) else { continue };
        let alone = |number: usize| build(&mut std::iter::once(number)).unwrap().find(&view).is_some();
        match all.find(&view) {
            Some(found) => {
                assert!(alone(found.route), "{flavour:?}: {found:?} does not match");
                assert!(path.starts_with(found.prefix) || found.prefix == "/", "{flavour:?}: {found:?}");
            }
            None => assert!(!(0..routes.len()).any(alone), "{flavour:?}: a route was overlooked"),
        }
    }
}

/// What a plugin may change of headers does what a list of lines would, and never touches how a message is framed.
pub fn header_edits(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert("content-length", HeaderValue::from_static("5"));
    let mut lines: Vec<(HeaderName, HeaderValue)> =
        headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some((kind, rest)) = line.split_first() else { continue };
        let at = rest.iter().position(|byte| *byte == b'=').unwrap_or(rest.len());
        let (name, value) = (&rest[..at], rest.get(at + 1..).unwrap_or_default());
        let edit = match kind % 3 {
            0 => parse_header(name, value).map(|(name, value)| HeaderEdit::Set(name, value)),
            1 => parse_header(name, value).map(|(name, value)| HeaderEdit::Add(name, value)),
            _ => parse_header_name(name).map(HeaderEdit::Remove),
        };
        let Ok(edit) = edit else { continue };
        match &edit {
            HeaderEdit::Set(name, value) => {
                lines.retain(|(known, _)| known != name);
                lines.push((name.clone(), value.clone()));
            }
            HeaderEdit::Add(name, value) => lines.push((name.clone(), value.clone())),
            HeaderEdit::Remove(name) => lines.retain(|(known, _)| known != name),
        }
        edit.apply(&mut headers);
    }
    assert_eq!(headers["content-length"], "5");
    assert_eq!(headers.len(), lines.len());
    for name in headers.keys() {
        let expected: Vec<_> =
            lines.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
        assert_eq!(headers.get_all(name).iter().collect::<Vec<_>>(), expected, "{name}");
        assert!(!matches!(name.as_str(), "transfer-encoding" | "connection"), "{name}");
    }
    for value in headers.values() {
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{value:?}");
    }
}

/// What was decided about the beginning of a connection does not change with what follows.
pub fn proxy_protocol(bytes: &[u8]) {
    let whole = proxy_protocol::read(bytes);
    for end in 0..bytes.len() {
        match proxy_protocol::read(&bytes[..end]) {
            Header::Incomplete => {}
            decided => {
                assert_eq!(decided, whole, "after {end} bytes");
                break;
            }
        }
    }
    if let Header::Complete { length, .. } = whole {
        assert!(length <= bytes.len());
        assert_eq!(proxy_protocol::read(&bytes[..length]), whole);
        assert_eq!(proxy_protocol::read(&bytes[..length - 1]), Header::Incomplete);
    }
}

/// As [`proxy_protocol`], for TLS.
pub fn client_hello(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(hello::LONGEST / 2)];
    let whole = hello::read(bytes);
    for end in 0..bytes.len() {
        match hello::read(&bytes[..end]) {
            Hello::Incomplete => {}
            decided => {
                assert_eq!(decided, whole, "after {end} bytes");
                break;
            }
        }
    }
}

/// What is noticed in the head of a request does not depend on how it arrives.
pub fn heads(bytes: &[u8]) {
    let head = &bytes[..end_of_head(bytes)];
    let noticed = |parts: &[&[u8]]| {
        let guard = Guard::new(&Rc::default(), 32 * 1024);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            guard.read(part);
        }
        (guard.take_suspicion(), guard.complaint())
    };
    let whole = noticed(&[head]);
    let step = (head.len() / 16).max(1);
    for at in (0..head.len()).step_by(step) {
        let (start, end) = head.split_at(at);
        assert_eq!(noticed(&[start, end]), whole, "split at {at}");
    }
}

/// Behind the first empty line that has another one before it.
fn end_of_head(bytes: &[u8]) -> usize {
    let (mut end, mut has_begun) = (0, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        end += line.len();
        let is_empty = matches!(line, b"\n" | b"\r\n");
        if is_empty && has_begun {
            return end;
        }
        has_begun |= !is_empty;
    }
    end
}
