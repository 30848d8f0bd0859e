//! Why a request belongs to the route that it belongs to.

use crate::conditions::Unmet;
use crate::request::Facts;
use crate::table::Table;

/// What the router thought of a request, for people who wonder about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The route that the request belongs to.
    pub winner: Option<Candidate>,
    /// What would have won over the winner, had it matched. Those with the fewest conditions that were not met
    /// come first, and among as many those of the higher rank.
    pub missed: Vec<Candidate>,
    /// What matches as well, but ranks below the winner; the best first.
    pub beaten: Vec<Candidate>,
}

/// A route, or some of the paths of a route with several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The route's position among the routes that the router was built from.
    pub route: usize,
    /// The part of the path that matched, empty when the candidate did not match.
    pub prefix: String,
    /// The conditions that the request does not meet; none when the candidate matched.
    pub unmet: Vec<Unmet>,
}

impl Explanation {
    /// Compares the request with every route, which takes long, and keeps at most `limit` candidates of a kind.
    pub(crate) fn new(table: &Table, facts: &Facts<'_>, limit: usize) -> Self {
        let mut explanation = Self { winner: None, missed: Vec::new(), beaten: Vec::new() };
        for (found, unmet) in table.verdicts(facts) {
            let matched = unmet.is_empty();
            let candidate = Candidate { route: found.route, prefix: found.prefix.to_owned(), unmet };
            match (&explanation.winner, matched) {
                (None, true) => explanation.winner = Some(candidate),
                (None, false) => explanation.missed.push(candidate),
                (Some(_), true) if explanation.beaten.len() < limit => explanation.beaten.push(candidate),
                (Some(_), _) => {}
            }
        }
        explanation.missed.sort_by_key(|candidate| candidate.unmet.len());
        explanation.missed.truncate(limit);
        explanation
    }
}
