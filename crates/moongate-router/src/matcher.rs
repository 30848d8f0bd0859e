//! The conditions of a route, ready to be compared with requests.
//!
//! A route with several paths becomes several matchers, one for its regular expressions and one for each
//! length of its plain paths, because each of these groups competes with other routes on its own.

use http::HeaderName;
use moongate_model::Route;
use regex::bytes;
use uuid::Uuid;

use crate::RouterError;
use crate::host::{HostPattern, NamePattern};
use crate::paths::Paths;
use crate::priority::Priority;
use crate::request::{Facts, Match};

/// One group of paths of a route, with the route's other conditions.
///
/// A list without elements is no condition.
#[derive(Debug)]
pub(crate) struct Matcher {
    pub(crate) route: usize,
    /// Decides between equal priorities, the greater wins.
    pub(crate) id: Uuid,
    pub(crate) priority: Priority,
    pub(crate) paths: Paths,
    pub(crate) hosts: Vec<HostPattern>,
    methods: Vec<Box<str>>,
    snis: Vec<NamePattern>,
    headers: Vec<HeaderCondition>,
}

impl Matcher {
    /// The matchers of the route at `position`.
    pub(crate) fn of_route(position: usize, route: &Route) -> Result<Vec<Self>, RouterError> {
        let groups = Paths::groups(route)?;
        let several = groups.len() > 1;
        let mut matchers = Vec::with_capacity(groups.len());
        for (number, paths) in groups.into_iter().enumerate() {
            let id = if several {
                Uuid::new_v5(&GROUP_NAMESPACE, format!("{}#{}", route.id, number + 1).as_bytes())
            } else {
                route.id
            };
            let priority = match &paths {
                Paths::Any => Priority::of_plain(route, 0),
                Paths::Plain(paths) => Priority::of_plain(route, paths.first().map_or(0, |path| path.len())),
                Paths::Regexes(_) => Priority::of_regexes(route),
            };
            matchers.push(Self {
                route: position,
                id,
                priority,
                paths,
                hosts: route.hosts.iter().flatten().map(|host| HostPattern::new(host)).collect(),
                methods: route.methods.iter().flatten().map(|method| method.as_str().into()).collect(),
                snis: route
                    .snis
                    .iter()
                    .flatten()
                    .map(|sni| NamePattern::new(sni.strip_suffix('.').unwrap_or(sni)))
                    .collect(),
                headers: HeaderCondition::of_route(route)?,
            });
        }
        Ok(matchers)
    }

    /// The match, when every condition holds.
    pub(crate) fn matches<'r>(&self, facts: &Facts<'_, 'r>) -> Option<Match<'r>> {
        let request = facts.request;
        let prefix = self.paths.matched(request.path)?;
        let holds = (self.methods.is_empty()
            || self.methods.iter().any(|method| **method == *request.method))
            && (self.hosts.is_empty() || self.host_matches(facts))
            && (self.snis.is_empty() || self.sni_matches(facts))
            && self.headers.iter().all(|header| header.holds(request.headers));
        holds.then_some(Match { route: self.route, prefix })
    }

    fn host_matches(&self, facts: &Facts<'_, '_>) -> bool {
        let Some(name) = facts.host else { return false };
        self.hosts
            .iter()
            .any(|host| host.name.matches(name) && host.port.is_none_or(|port| facts.asks_for_port(port)))
    }

    /// A request without TLS passes, so that it can be told to come back with TLS.
    fn sni_matches(&self, facts: &Facts<'_, '_>) -> bool {
        let sni = facts.request.sni;
        !facts.request.https || sni.is_some_and(|name| self.snis.iter().any(|sni| sni.matches(name)))
    }
}

/// A header of which one value must be among the listed ones.
#[derive(Debug)]
struct HeaderCondition {
    /// In lower case and with dashes for underscores: requests are matched as if there were no difference.
    name: Box<str>,
    values: Vec<HeaderValuePattern>,
}

impl HeaderCondition {
    fn of_route(route: &Route) -> Result<Vec<Self>, RouterError> {
        let conditions = route.headers.iter().flatten().map(|(name, values)| {
            let values = values.iter().map(|value| HeaderValuePattern::new(route.id, value));
            Ok(Self {
                name: name.to_ascii_lowercase().replace('_', "-").into(),
                values: values.collect::<Result<_, RouterError>>()?,
            })
        });
        conditions.collect()
    }

    fn holds(&self, headers: &http::HeaderMap) -> bool {
        headers
            .iter()
            .filter(|(name, _)| self.is_named(name))
            .any(|(_, value)| self.values.iter().any(|pattern| pattern.matches(value.as_bytes())))
    }

    fn is_named(&self, name: &HeaderName) -> bool {
        let dashed = name.as_str().bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
        name.as_str().len() == self.name.len() && dashed.eq(self.name.bytes())
    }
}

/// What the value of a header is compared with; case makes no difference.
#[derive(Debug)]
enum HeaderValuePattern {
    Exact(Box<[u8]>),
    Regex(bytes::Regex),
}

impl HeaderValuePattern {
    fn new(route: Uuid, text: &str) -> Result<Self, RouterError> {
        let Some(pattern) = text.strip_prefix("~*") else {
            return Ok(Self::Exact(text.as_bytes().into()));
        };
        let regex = bytes::RegexBuilder::new(pattern).case_insensitive(true).build();
        regex.map(Self::Regex).map_err(|source| RouterError::Header {
            route,
            text: pattern.to_owned(),
            source,
        })
    }

    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.eq_ignore_ascii_case(value),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}

/// Names the groups of a route that has several.
const GROUP_NAMESPACE: Uuid = Uuid::from_u128(0x7f145bf9_0dce_4f91_98eb_debbce4b9f6b);
