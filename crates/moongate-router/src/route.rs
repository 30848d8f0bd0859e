//! The fields of a route that the router reads.

use std::collections::BTreeMap;

use moongate_model::{Protocol, Route, SourceOrDestination};
use uuid::Uuid;

/// What a route is matched and ranked by; a list without elements is no condition.
#[derive(Debug, Clone, Copy, Default)]
pub struct RouteFields<'a> {
    /// Primary key; decides between routes of equal rank.
    pub id: Uuid,
    /// Unix seconds; decides between routes of equal rank in the traditional flavour.
    pub created_at: i64,
    /// Protocols that the route serves.
    pub protocols: &'a [Protocol],
    /// HTTP methods.
    pub methods: &'a [String],
    /// Host names, with at most one leading or trailing wildcard label, and optionally a port.
    pub hosts: &'a [String],
    /// Path prefixes, or regular expressions behind a `~`.
    pub paths: &'a [String],
    /// Header names with the values of which one must be present.
    pub headers: Option<&'a BTreeMap<String, Vec<String>>>,
    /// TLS server names.
    pub snis: &'a [String],
    /// Client addresses.
    pub sources: &'a [SourceOrDestination],
    /// Listener addresses.
    pub destinations: &'a [SourceOrDestination],
    /// Order among regular expressions, higher first.
    pub regex_priority: i64,
    /// The condition in the expression language; read by [`Flavour::Expressions`](crate::Flavour) only.
    pub expression: Option<&'a str>,
    /// The rank of a route with an expression, 0 to 2^46 - 1, higher first.
    pub priority: u64,
}

impl<'a> From<&'a Route> for RouteFields<'a> {
    fn from(route: &'a Route) -> Self {
        Self {
            id: route.id,
            created_at: route.created_at,
            protocols: &route.protocols,
            methods: route.methods.as_deref().unwrap_or_default(),
            hosts: route.hosts.as_deref().unwrap_or_default(),
            paths: route.paths.as_deref().unwrap_or_default(),
            headers: route.headers.as_ref(),
            snis: route.snis.as_deref().unwrap_or_default(),
            sources: route.sources.as_deref().unwrap_or_default(),
            destinations: route.destinations.as_deref().unwrap_or_default(),
            regex_priority: route.regex_priority,
            expression: route.expression.as_deref(),
            priority: route.priority.unwrap_or_default(),
        }
    }
}

impl RouteFields<'_> {
    /// Whether HTTP requests are matched, and not streams of bytes.
    pub(crate) fn is_http(&self) -> bool {
        self.protocols.iter().copied().any(Protocol::is_http)
    }

    /// Whether there is a condition besides an expression.
    pub(crate) fn has_conditions(&self) -> bool {
        self.kinds() > 0
    }

    /// How many kinds of conditions the route has.
    pub(crate) fn kinds(&self) -> u64 {
        [
            !self.methods.is_empty(),
            !self.hosts.is_empty(),
            !self.paths.is_empty(),
            self.header_count() > 0,
            !self.snis.is_empty(),
            !self.sources.is_empty(),
            !self.destinations.is_empty(),
        ]
        .map(u64::from)
        .iter()
        .sum()
    }

    pub(crate) fn header_count(&self) -> usize {
        self.headers.map_or(0, BTreeMap::len)
    }

    /// Whether there are hosts, none of which has a wildcard.
    pub(crate) fn has_plain_hosts_only(&self) -> bool {
        !self.hosts.is_empty() && !self.hosts.iter().any(|host| host.contains('*'))
    }
}
