//! Finds the few matchers that a request can match among thousands.
//!
//! Matchers are known here by their rank, 0 for the one that wins over all others. Each is filed under its
//! plain paths and the texts that its expressions require, or under the empty path if it has neither, and
//! below that under its hosts, unless some host of it can only be found by trying. A request meets the
//! entries whose path its own path starts with, and of each the lists of its host.

use crate::hosts::{ANY_HOST, HostNumbers, HostTable};
use crate::matcher::Matcher;
use crate::trie::{Trie, place};

/// The ranks of all matchers, by path and host.
#[derive(Debug, Default)]
pub(crate) struct Index {
    paths: Trie,
    /// Ordered by path.
    entries: Vec<Entry>,
    /// Of each entry beside each other, ordered by host.
    lists: Vec<List>,
    /// Of each list beside each other, the best first.
    ranks: Vec<u32>,
    hosts: HostTable,
}

/// The matchers of one path.
#[derive(Debug)]
struct Entry {
    /// The length of the path.
    length: u32,
    /// The longest other path that this one starts with.
    parent: Option<u32>,
    /// The best rank of this entry and all its parents.
    best: u32,
    lists: u32,
    list_count: u32,
    /// The host and the rank of the only matcher, as long as it is the only one: most entries have one.
    only: Option<(u32, u32)>,
}

/// The matchers of one path and host.
#[derive(Debug)]
struct List {
    host: u32,
    start: u32,
    count: u32,
}

impl Index {
    /// Files `matchers`, which must be ordered by rank.
    pub(crate) fn new(matchers: &[Matcher]) -> Self {
        let mut index = Self::default();
        let mut filed: Vec<(&str, u32, u32)> = Vec::with_capacity(matchers.len());
        for (rank, matcher) in matchers.iter().enumerate() {
            index.file(place(rank), matcher, &mut filed);
        }
        std::thread::yield_now();
        filed.sort_unstable();
        filed.dedup();
        std::thread::yield_now();

        let mut paths: Vec<&str> = Vec::new();
        for (path, host, rank) in filed {
            if paths.last() != Some(&path) {
                index.open(path, &paths);
                paths.push(path);
            }
            index.add(host, rank);
        }
        for at in 0..index.entries.len() {
            // Parents come before their children.
            let above = index.entries.get(at).and_then(|entry| entry.parent);
            let above = above.and_then(|parent| index.entries.get(parent as usize)).map(|entry| entry.best);
            if let (Some(above), Some(entry)) = (above, index.entries.get_mut(at)) {
                entry.best = entry.best.min(above);
            }
        }
        std::thread::yield_now();
        index.paths = Trie::new(&paths);
        index
    }

    /// The first matcher in the order of ranks for which `test` finds something, and what it found.
    ///
    /// `test` is given a rank and the length of the path that it is filed under. Matchers that cannot match
    /// `path` and `host` are left out, as are many that could not win.
    pub(crate) fn find<M>(
        &self,
        path: &str,
        host: Option<&str>,
        mut test: impl FnMut(u32, usize) -> Option<M>,
    ) -> Option<(u32, M)> {
        let hosts = self.hosts.numbers(host);
        let mut winner: Option<(u32, M)> = None;
        let mut next = self.paths.longest(path);
        while let Some(entry) = next.and_then(|at| self.entries.get(at as usize)) {
            let limit = winner.as_ref().map_or(u32::MAX, |(rank, _)| *rank);
            if entry.best >= limit {
                break;
            }
            next = entry.parent;
            if let Some((host, rank)) = entry.only {
                if rank < limit
                    && hosts.contains(&host)
                    && let Some(found) = test(rank, entry.length as usize)
                {
                    winner = Some((rank, found));
                }
                continue;
            }
            for ranks in self.lists(entry, &hosts) {
                let limit = winner.as_ref().map_or(u32::MAX, |(rank, _)| *rank);
                let better = ranks.iter().take_while(|rank| **rank < limit);
                let mut found = better.filter_map(|rank| Some((*rank, test(*rank, entry.length as usize)?)));
                if let Some(found) = found.next() {
                    winner = Some(found);
                }
            }
        }
        winner
    }

    /// Adds the places where `matcher` can be found.
    fn file<'m>(&mut self, rank: u32, matcher: &'m Matcher, filed: &mut Vec<(&'m str, u32, u32)>) {
        let paths = matcher.literals();
        let hosts = matcher.hosts().filter(|hosts| hosts.len().saturating_mul(paths.len()) <= MAX_PLACES);
        for path in paths {
            match &hosts {
                None => filed.push((path, ANY_HOST, rank)),
                Some(hosts) => {
                    filed.extend(hosts.iter().map(|host| (path, self.hosts.number(*host), rank)));
                }
            }
        }
    }

    /// Starts the entry of `path`; `earlier` are the paths of the entries that there are.
    fn open(&mut self, path: &str, earlier: &[&str]) {
        // What sorts between a path and one that starts with it, starts with it as well. So the parent is the
        // neighbour or one of its parents.
        let mut parent = earlier.len().checked_sub(1);
        while let Some(at) = parent
            && !earlier.get(at).is_some_and(|earlier| path.starts_with(*earlier))
        {
            parent = self.entries.get(at).and_then(|entry| entry.parent).map(|parent| parent as usize);
        }
        self.entries.push(Entry {
            length: place(path.len()),
            parent: parent.map(place),
            best: u32::MAX,
            lists: place(self.lists.len()),
            list_count: 0,
            only: None,
        });
    }

    /// Adds a matcher to the last entry. Hosts must come in their order, and ranks within.
    fn add(&mut self, host: u32, rank: u32) {
        let Some(entry) = self.entries.last_mut() else { return };
        entry.only = if entry.best == u32::MAX { Some((host, rank)) } else { None };
        entry.best = entry.best.min(rank);
        let last = if entry.list_count > 0 { self.lists.last_mut() } else { None };
        match last.filter(|list| list.host == host) {
            Some(list) => list.count += 1,
            None => {
                entry.list_count += 1;
                self.lists.push(List { host, start: place(self.ranks.len()), count: 1 });
            }
        }
        self.ranks.push(rank);
    }

    fn lists<'i>(
        &'i self,
        entry: &Entry,
        hosts: &'i HostNumbers,
    ) -> impl Iterator<Item = &'i [u32]> + use<'i> {
        let start = entry.lists as usize;
        let lists = self.lists.get(start..start + entry.list_count as usize).unwrap_or_default();
        hosts.iter().filter_map(move |host| {
            let at = lists.binary_search_by_key(host, |list| list.host).ok()?;
            let list = lists.get(at)?;
            let start = list.start as usize;
            self.ranks.get(start..start + list.count as usize)
        })
    }
}

/// A route with more combinations of paths and hosts is filed under its paths alone.
const MAX_PLACES: usize = 256;
