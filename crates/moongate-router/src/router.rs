//! The router: ranked matchers behind an index.

use moongate_model::PathHandling;
use uuid::Uuid;

use crate::Flavour;
use crate::captures::Captures;
use crate::explain::Explanation;
use crate::matcher::{Kind, Matcher};
use crate::path_regex::PathRegex;
use crate::pool::{Compiler, Pool};
use crate::request::{Facts, Match, RequestView};
use crate::route::RouteFields;
use crate::stream::StreamView;
use crate::table::Table;

/// Finds the route that a request or stream belongs to.
#[derive(Debug, Default)]
pub struct Router {
    flavour: Flavour,
    http: Table,
    streams: Table,
    pool: Pool,
}

impl Router {
    /// Ranks `routes` in the default flavour and compiles their conditions.
    ///
    /// Routes of a disabled service must be left out by the caller, who knows the services.
    ///
    /// # Errors
    /// See [`RouterError`].
    pub fn build<'a>(
        routes: impl IntoIterator<Item = impl Into<RouteFields<'a>>>,
    ) -> Result<Self, RouterError> {
        Self::build_after(&Self::default(), Flavour::default(), routes)
    }

    /// As [`Router::build`], in any flavour, to replace `earlier`.
    ///
    /// What `earlier` has compiled already is shared with it, so that a change of one route costs little: then
    /// only the ranks and the index are made anew, in about a microsecond per route.
    ///
    /// # Errors
    /// See [`RouterError`].
    pub fn build_after<'a>(
        earlier: &Self,
        flavour: Flavour,
        routes: impl IntoIterator<Item = impl Into<RouteFields<'a>>>,
    ) -> Result<Self, RouterError> {
        let mut compiler = Compiler::new(Some(&earlier.pool));
        let (mut http, mut streams) = (Vec::new(), Vec::new());
        for (position, route) in routes.into_iter().enumerate() {
            if position % STRETCH == 0 {
                std::thread::yield_now();
            }
            let route = route.into();
            let matchers = Matcher::of_route(flavour, position, &route, &mut compiler)
                .map_err(|reason| RouterError { route: route.id, reason })?;
            if route.is_http() { http.extend(matchers) } else { streams.extend(matchers) }
        }
        let pool = compiler.finish();
        pool.warm(COMPILED_AT_ONCE);
        Ok(Self { flavour, http: Table::new(http), streams: Table::new(streams), pool })
    }

    /// Compiles the regular expressions of paths that have not been needed yet, in up to a millisecond each.
    ///
    /// Building compiles only some of them, so that thousands do not hold up a change; another is compiled when a
    /// request first has to be compared with it. Calling this from a thread that has time spares that request
    /// the wait. What is compiled stays so in the routers that replace this one.
    pub fn warm(&self) {
        self.pool.warm(usize::MAX);
    }

    /// Lets go of the router in stretches: as dropping it does, but whoever waits for the processor waits less.
    pub fn take_apart(self) {
        self.http.take_apart();
        self.streams.take_apart();
    }

    /// How this router matches and ranks routes.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// How paths are joined for a route that asks for `configured`; see [`upstream_path`](crate::upstream_path).
    pub fn path_handling(&self, configured: PathHandling) -> PathHandling {
        self.flavour.path_handling(configured)
    }

    /// The route with the highest rank among those that match a request.
    ///
    /// Neither allocates nor waits, except inside of regular expressions, and where an expression compares
    /// something in lower case or asks for an escaped part of the query.
    pub fn find<'r>(&self, request: &RequestView<'r>) -> Option<Match<'r>> {
        self.http.find(&self.facts(request))
    }

    /// The position of the route with the highest rank among those that match a stream.
    ///
    /// Compares the stream with one route after the other, so it takes time in proportion to their number.
    pub fn find_stream(&self, stream: &StreamView<'_>) -> Option<usize> {
        self.streams.find(&Facts::of_stream(stream)).map(|found| found.route)
    }

    /// Whether a match can have [`captures`](Self::captures), which is known without looking for them.
    pub fn has_captures(&self, found: &Match<'_>) -> bool {
        match self.http.matcher(found).map(|matcher| &matcher.kind) {
            Some(Kind::Fields { paths, .. }) => paths.are_regexes(),
            Some(Kind::Expression(program)) => program.has_regex(),
            None => false,
        }
    }

    /// What the groups of the route's regular expressions matched.
    ///
    /// Compares once more with the expressions of the route that was `found`. An expression in the expression
    /// language can look at every part of the request, so that this must be asked before a plugin changes it.
    pub fn captures(&self, found: &Match<'_>, request: &RequestView<'_>) -> Captures {
        let mut captures = Captures::default();
        match self.http.matcher(found).map(|matcher| &matcher.kind) {
            Some(Kind::Fields { paths, .. }) => {
                if let Some(regex) = paths.regex(request.path).and_then(PathRegex::regex) {
                    captures.add(regex, request.path);
                }
                captures
            }
            Some(Kind::Expression(program)) => program.captures(&self.facts(request)),
            None => captures,
        }
    }

    /// Why a request belongs to its route, with at most `limit` other routes of each kind.
    ///
    /// Compares the request with every route: for people who ask, not for every request.
    pub fn explain(&self, request: &RequestView<'_>, limit: usize) -> Explanation {
        Explanation::new(&self.http, &self.facts(request), limit)
    }

    /// Why a stream belongs to its route, as [`explain`](Self::explain) does for requests.
    pub fn explain_stream(&self, stream: &StreamView<'_>, limit: usize) -> Explanation {
        Explanation::new(&self.streams, &Facts::of_stream(stream), limit)
    }

    fn facts<'r>(&self, request: &RequestView<'r>) -> Facts<'r> {
        Facts::new(request, self.flavour == Flavour::Traditional)
    }
}

/// How many routes are looked at in a row. Then a thread that waits for the processor gets it: it may have a request, for
/// which a few milliseconds are long, and the one who builds is in no such hurry.
pub(crate) const STRETCH: usize = 256;

/// How many regular expressions of paths are compiled while a router is built.
const COMPILED_AT_ONCE: usize = 128;

/// Why a route cannot be matched. The other routes have not been looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route {route}: {reason}")]
#[non_exhaustive]
pub struct RouterError {
    /// Id of the route.
    pub route: Uuid,
    /// What is wrong, over several lines if it is the syntax of an expression.
    pub reason: String,
}

#[cfg(test)]
mod tests;
