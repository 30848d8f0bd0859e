//! Matchers in the order of their ranks, behind an index.

use std::cmp::Reverse;

use crate::conditions::Unmet;
use crate::index::Index;
use crate::matcher::Matcher;
use crate::rank::Rank;
use crate::request::{Facts, Match};
use crate::router::STRETCH;
use crate::trie::place;

/// The matchers of HTTP requests, or those of streams.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The winner of all first.
    matchers: Vec<Matcher>,
    index: Index,
}

impl Table {
    pub(crate) fn new(mut ranked: Vec<(Rank, Matcher)>) -> Self {
        ranked.sort_by_key(|(rank, matcher)| (Reverse(*rank), matcher.route));
        std::thread::yield_now();
        let matchers: Vec<Matcher> = ranked.into_iter().map(|(_, matcher)| matcher).collect();
        let index = Index::new(&matchers);
        Self { matchers, index }
    }

    /// See [`Router::take_apart`](crate::Router::take_apart).
    pub(crate) fn take_apart(mut self) {
        while !self.matchers.is_empty() {
            self.matchers.truncate(self.matchers.len().saturating_sub(STRETCH));
            std::thread::yield_now();
        }
    }

    pub(crate) fn find<'r>(&self, facts: &Facts<'r>) -> Option<Match<'r>> {
        let (rank, (route, prefix)) = self.index.find(facts.path, facts.host, |rank, known| {
            let matcher = self.matchers.get(rank as usize)?;
            Some((matcher.route, matcher.matches(facts, Some(known))?))
        })?;
        Some(Match { route, prefix, rank })
    }

    /// The matcher that made a match.
    pub(crate) fn matcher(&self, found: &Match<'_>) -> Option<&Matcher> {
        self.matchers.get(found.rank as usize)
    }

    /// What every matcher says, the best first.
    pub(crate) fn verdicts<'r>(&self, facts: &Facts<'r>) -> impl Iterator<Item = (Match<'r>, Vec<Unmet>)> {
        self.matchers.iter().enumerate().map(move |(rank, matcher)| {
            let prefix = matcher.matches(facts, None).unwrap_or_default();
            (Match { route: matcher.route, prefix, rank: place(rank) }, matcher.unmet(facts))
        })
    }
}
