//! The conditions of a route besides its paths, ready to be compared with requests.

use crate::Flavour;
use crate::address::AddressPattern;
use crate::header::HeaderCondition;
use crate::host::{HostPattern, NamePattern};
use crate::pool::Compiler;
use crate::request::Facts;
use crate::route::RouteFields;

/// All of these must hold. A list without elements is no condition, of another one element must match.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub(crate) hosts: Vec<HostPattern>,
    methods: Vec<Box<str>>,
    snis: Vec<NamePattern>,
    headers: Vec<HeaderCondition>,
    sources: Vec<AddressPattern>,
    destinations: Vec<AddressPattern>,
}

/// A condition that a request does not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unmet {
    /// The connection does not speak one of the route's protocols.
    Protocol,
    /// None of the paths.
    Path,
    /// None of the hosts.
    Host,
    /// None of the methods.
    Method,
    /// None of the server names.
    Sni,
    /// No value of this header, whose name is in lower case with dashes.
    Header(String),
    /// None of the client addresses.
    Source,
    /// None of the listener addresses.
    Destination,
    /// The expression.
    Expression,
}

impl Conditions {
    /// The conditions of a route, or `None` if it has no others than paths.
    ///
    /// # Errors
    /// Returns what cannot be matched.
    pub(crate) fn of_route(
        flavour: Flavour,
        route: &RouteFields<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Result<Option<Self>, String> {
        if route.kinds() == u64::from(!route.paths.is_empty()) {
            return Ok(None);
        }
        let sni = |sni: &String| {
            let name = sni.strip_suffix('.').unwrap_or(sni);
            match flavour {
                Flavour::Traditional => NamePattern::Exact(name.into()),
                Flavour::TraditionalCompatible | Flavour::Expressions => NamePattern::new(name),
            }
        };
        Ok(Some(Self {
            hosts: route.hosts.iter().map(|host| HostPattern::new(host)).collect(),
            methods: route.methods.iter().map(|method| method.as_str().into()).collect(),
            snis: route.snis.iter().map(sni).collect(),
            headers: HeaderCondition::of_route(flavour, route, compiler)?,
            sources: AddressPattern::list(route.sources)?,
            destinations: AddressPattern::list(route.destinations)?,
        }))
    }

    pub(crate) fn hold(&self, facts: &Facts<'_>) -> bool {
        (self.methods.is_empty() || self.method(facts))
            && (self.hosts.is_empty() || self.host(facts))
            && (self.snis.is_empty() || self.sni(facts))
            && (self.headers.is_empty() || self.headers.iter().all(|header| holds(header, facts)))
            && (self.sources.is_empty() || self.source(facts))
            && (self.destinations.is_empty() || self.destination(facts))
    }

    /// Adds the conditions that do not hold.
    pub(crate) fn unmet(&self, facts: &Facts<'_>, unmet: &mut Vec<Unmet>) {
        let lists = [
            (self.hosts.is_empty() || self.host(facts), Unmet::Host),
            (self.methods.is_empty() || self.method(facts), Unmet::Method),
            (self.snis.is_empty() || self.sni(facts), Unmet::Sni),
            (self.sources.is_empty() || self.source(facts), Unmet::Source),
            (self.destinations.is_empty() || self.destination(facts), Unmet::Destination),
        ];
        unmet.extend(lists.into_iter().filter(|(holds, _)| !holds).map(|(_, condition)| condition));
        let headers = self.headers.iter().filter(|header| !holds(header, facts));
        unmet.extend(headers.map(|header| Unmet::Header(header.name().to_owned())));
    }

    fn method(&self, facts: &Facts<'_>) -> bool {
        self.methods.iter().any(|method| **method == *facts.method)
    }

    fn host(&self, facts: &Facts<'_>) -> bool {
        let Some(name) = facts.host else { return false };
        self.hosts
            .iter()
            .any(|host| host.name.matches(name) && host.port.is_none_or(|port| facts.asks_for_port(port)))
    }

    /// What comes without TLS passes, so that a request can be told to come back with TLS.
    fn sni(&self, facts: &Facts<'_>) -> bool {
        !facts.wire.is_tls() || facts.sni.is_some_and(|name| self.snis.iter().any(|sni| sni.matches(name)))
    }

    fn source(&self, facts: &Facts<'_>) -> bool {
        let (address, port) = (facts.source_address(), facts.source_port());
        self.sources.iter().any(|source| source.matches(address, port))
    }

    fn destination(&self, facts: &Facts<'_>) -> bool {
        let (address, port) = (facts.destination, Some(facts.destination_port()));
        self.destinations.iter().any(|destination| destination.matches(address, port))
    }
}

fn holds(header: &HeaderCondition, facts: &Facts<'_>) -> bool {
    facts.headers.is_some_and(|headers| header.holds(headers))
}
