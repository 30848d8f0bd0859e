//! Which of several matching routes wins.
//!
//! Among routes with up to three kinds of conditions, plain hosts win over everything, then regular
//! expressions over plain paths, then more kinds over fewer, then more headers, then longer paths. This
//! is what Kong does, not what it documents: two of the values share bits, so that an expression with
//! `regex_priority: 2` ranks as high as one more header. Configurations were written against that
//! behaviour and depend on it. Routes with four or more kinds come before all others and follow the
//! documented order, which starts with the number of kinds.

use moongate_model::Route;

/// The rank of a group of paths of a route, the higher the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Priority {
    bits: u64,
    /// How far `regex_priority` lies outside of the values that fit into `bits`.
    excess: i64,
}

impl Priority {
    /// The priority of those of a route's plain paths that have `length` bytes.
    ///
    /// A route without paths has one group, of length 0.
    pub(crate) fn of_plain(route: &Route, length: usize) -> Self {
        let length = u64::try_from(length).unwrap_or(u64::MAX).min(MAX_LENGTH);
        Self { bits: shared_bits(route) | length, excess: 0 }
    }

    /// The priority of a route's regular expressions.
    pub(crate) fn of_regexes(route: &Route) -> Self {
        let highest =
            if kinds(route) > MAX_PLAIN_KINDS { i64::from(u32::MAX) } else { MAX_SHARED_REGEX_PRIORITY };
        let kept = route.regex_priority.clamp(0, highest);
        let bits = shared_bits(route) | 1 << 51 | kept.unsigned_abs() << 19;
        Self { bits, excess: route.regex_priority.saturating_sub(kept) }
    }
}

/// What all groups of a route have in common.
fn shared_bits(route: &Route) -> u64 {
    let kinds = kinds(route);
    let headers =
        u64::try_from(route.headers.as_ref().map_or(0, |headers| headers.len())).unwrap_or(255).min(255);
    let hosts = route.hosts.as_deref().unwrap_or_default();
    let plain_hosts = u64::from(!hosts.is_empty() && !hosts.iter().any(|host| host.contains('*')));
    if kinds > MAX_PLAIN_KINDS {
        kinds << 61 | plain_hosts << 60 | headers << 52
    } else {
        plain_hosts << 60 | kinds << 29 | headers << 20
    }
}

/// How many kinds of conditions a route has.
fn kinds(route: &Route) -> u64 {
    let lists = [&route.methods, &route.hosts, &route.snis, &route.paths];
    let lists = lists.into_iter().flatten().filter(|list| !list.is_empty()).count();
    let headers = route.headers.as_ref().is_some_and(|headers| !headers.is_empty());
    let addresses = [&route.sources, &route.destinations];
    let addresses = addresses.into_iter().flatten().filter(|list| !list.is_empty()).count();
    u64::try_from(lists + addresses).unwrap_or(0) + u64::from(headers)
}

const MAX_PLAIN_KINDS: u64 = 3;
const MAX_LENGTH: u64 = (1 << 19) - 1;
/// Larger values would overflow the 32 bits that the shift is made with.
const MAX_SHARED_REGEX_PRIORITY: i64 = (1 << 12) - 1;
