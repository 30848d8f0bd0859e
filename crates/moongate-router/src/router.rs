//! The router: ranked matchers behind an index.

use std::cmp::Reverse;

use moongate_model::{Protocol, Route};
use uuid::Uuid;

use crate::index::Index;
use crate::matcher::Matcher;
use crate::request::{Facts, Match, RequestView};

/// Finds the route that a request belongs to.
#[derive(Debug, Default)]
pub struct Router {
    /// The winner of all first.
    matchers: Vec<Matcher>,
    index: Index,
}

impl Router {
    /// Ranks `routes` and compiles their conditions.
    ///
    /// Routes without an HTTP protocol are left out, but count for [`Match::route`]. Routes of a disabled
    /// service must be left out by the caller, who knows the services.
    ///
    /// # Errors
    /// Returns the first expression that cannot be compiled. A declaration that was parsed without a
    /// problem has none.
    pub fn build<'a>(routes: impl IntoIterator<Item = &'a Route>) -> Result<Self, RouterError> {
        let mut matchers = Vec::new();
        for (position, route) in routes.into_iter().enumerate() {
            if route.protocols.iter().copied().any(Protocol::is_http) {
                matchers.extend(Matcher::of_route(position, route)?);
            }
        }
        matchers.sort_by_key(|matcher| Reverse((matcher.priority, matcher.id)));
        let index = Index::new(&matchers);
        Ok(Self { matchers, index })
    }

    /// The route with the highest priority among those that match.
    ///
    /// Allocates nothing, except inside of regular expressions.
    pub fn find<'r>(&self, request: &RequestView<'r>) -> Option<Match<'r>> {
        let facts = Facts::new(request);
        let mut best: Option<(usize, Match<'r>)> = None;
        for ranks in self.index.candidates(request.path, facts.host) {
            for &rank in ranks {
                if best.is_some_and(|(best, _)| best <= rank) {
                    break;
                }
                if let Some(found) = self.matchers.get(rank).and_then(|matcher| matcher.matches(&facts)) {
                    best = Some((rank, found));
                    break;
                }
            }
        }
        best.map(|(_, found)| found)
    }
}

/// Why routes cannot be matched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RouterError {
    /// A path of a route is no regular expression that the router supports.
    #[error("path `~{text}` of route {route} cannot be compiled")]
    Path {
        /// Id of the route.
        route: Uuid,
        /// The expression, without the `~`.
        text: String,
        /// What is wrong with it.
        source: regex::Error,
    },
    /// The value of a header of a route is no regular expression that the router supports.
    #[error("header value `~*{text}` of route {route} cannot be compiled")]
    Header {
        /// Id of the route.
        route: Uuid,
        /// The expression, without the `~*`.
        text: String,
        /// What is wrong with it.
        source: regex::Error,
    },
}

#[cfg(test)]
mod tests;
