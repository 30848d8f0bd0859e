//! Which of several matching routes wins.

use std::net::IpAddr;

use moongate_model::SourceOrDestination;
use uuid::Uuid;

use crate::paths::Paths;
use crate::route::RouteFields;

/// The rank of a matcher, the higher the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// Routes with expressions come before those with fields.
    expression: bool,
    bits: u64,
    second: i64,
    third: i64,
    /// Decides between equals.
    tie: u128,
}

impl Rank {
    /// A route with an expression says its priority itself; among equal ones the greater id wins.
    pub(crate) fn of_expression(route: &RouteFields<'_>) -> Self {
        Self { expression: true, bits: route.priority, second: 0, third: 0, tie: route.id.as_u128() }
    }

    /// The rank of a group of paths, which has an id of its own; among equals the greater id wins.
    ///
    /// Among routes with up to three kinds of conditions, plain hosts win over everything, then regular
    /// expressions over plain paths, then more kinds over fewer, then more headers, then longer paths. This
    /// is what Kong does, not what it documents: two of the values share bits, so that an expression with
    /// `regex_priority: 2` ranks as high as one more header. Configurations were written against that
    /// behaviour and depend on it. Routes with four or more kinds come before all others and follow the
    /// documented order, which starts with the number of kinds.
    pub(crate) fn compatible(route: &RouteFields<'_>, paths: &Paths, id: Uuid) -> Self {
        let tie = id.as_u128();
        if !route.is_http() {
            return Self { expression: false, bits: stream_bits(route), second: 0, third: 0, tie };
        }
        let kinds = route.kinds();
        let headers = count(route.header_count(), 255);
        let plain_hosts = u64::from(route.has_plain_hosts_only());
        let shared = if kinds > MAX_PLAIN_KINDS {
            kinds << 61 | plain_hosts << 60 | headers << 52
        } else {
            plain_hosts << 60 | kinds << 29 | headers << 20
        };
        if !paths.are_regexes() {
            let bits = shared | count(paths.length(), MAX_LENGTH);
            return Self { expression: false, bits, second: 0, third: 0, tie };
        }
        let highest = if kinds > MAX_PLAIN_KINDS { i64::from(u32::MAX) } else { MAX_SHARED_REGEX_PRIORITY };
        let kept = route.regex_priority.clamp(0, highest);
        Self {
            expression: false,
            bits: shared | 1 << 51 | kept.unsigned_abs() << 19,
            // How far the priority lies outside of the values that fit into the bits.
            second: route.regex_priority.saturating_sub(kept),
            third: 0,
            tie,
        }
    }

    /// The rank of a path of a route in the traditional flavour.
    ///
    /// More kinds of conditions win over fewer, and among as many the kinds themselves decide, hosts first.
    /// Within the same kinds: wildcards with a port, plain hosts, a regular expression; then more headers, the
    /// higher `regex_priority`, the longer path, the older route. Of routes of the same second the smaller id
    /// wins, so that the order does not depend on chance.
    pub(crate) fn traditional(route: &RouteFields<'_>, paths: &Paths) -> Self {
        let kinds = [
            (!route.hosts.is_empty(), 64),
            (route.header_count() > 0, 32),
            (!route.paths.is_empty(), 16),
            (!route.methods.is_empty(), 8),
            (!route.snis.is_empty(), 4),
            (!route.sources.is_empty(), 2),
            (!route.destinations.is_empty(), 1),
        ];
        let category: u64 = kinds.iter().filter(|(set, _)| *set).map(|(_, weight)| weight).sum();
        let wildcard_with_port = |host: &String| host.contains('*') && host.contains(':');
        let hosts = if route.hosts.iter().any(wildcard_with_port) {
            4
        } else {
            u64::from(route.has_plain_hosts_only()) << 1
        };
        let within = hosts | u64::from(paths.are_regexes());
        let headers = count(route.header_count(), 255);
        let length = i64::try_from(count(paths.length(), MAX_LENGTH)).unwrap_or(0);
        Self {
            expression: false,
            bits: route.kinds() << 40 | category << 32 | within << 8 | headers,
            second: if paths.are_regexes() { route.regex_priority } else { 0 },
            third: (length << 43) + (MAX_TIME - route.created_at.clamp(0, MAX_TIME)),
            tie: !route.id.as_u128(),
        }
    }
}

/// Server names, or clients and listeners together, come first; then the more exact addresses.
fn stream_bits(route: &RouteFields<'_>) -> u64 {
    let addresses = !route.sources.is_empty() && !route.destinations.is_empty();
    let first = u64::from(!route.snis.is_empty() || addresses) << 61;
    first | address_weight(route.sources) << 4 | address_weight(route.destinations)
}

fn address_weight(list: &[SourceOrDestination]) -> u64 {
    list.iter().fold(0, |weight, element| {
        let address = match element.ip.as_deref() {
            Some(ip) if ip.parse::<IpAddr>().is_ok() => 8,
            Some(_) => 1,
            None => 0,
        };
        weight | address | if element.port.is_some() { 4 } else { 0 }
    })
}

fn count(number: usize, highest: u64) -> u64 {
    u64::try_from(number).unwrap_or(highest).min(highest)
}

const MAX_PLAIN_KINDS: u64 = 3;
const MAX_LENGTH: u64 = (1 << 19) - 1;
/// Larger values would overflow the 32 bits that the shift is made with.
const MAX_SHARED_REGEX_PRIORITY: i64 = (1 << 12) - 1;
const MAX_TIME: i64 = (1 << 43) - 1;
