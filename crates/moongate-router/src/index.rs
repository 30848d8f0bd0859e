//! Finds the few matchers that a request can match among thousands.
//!
//! Matchers are known here by their rank, 0 for the one that wins over all others. Each is filed under
//! its plain paths and the texts that its expressions require, or under the empty path if it has neither,
//! and below that under its hosts, if all of them are plain. A request meets the entries whose path its own path starts with.

use std::collections::HashMap;

use crate::matcher::Matcher;
use crate::paths::Paths;

/// The ranks of all matchers, by path and host.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Ordered by path.
    entries: Vec<Entry>,
}

impl Index {
    /// Files `matchers`, which must be ordered by rank.
    pub(crate) fn new(matchers: &[Matcher]) -> Self {
        let mut filed: Vec<(&str, usize)> = Vec::new();
        for (rank, matcher) in matchers.iter().enumerate() {
            match &matcher.paths {
                Paths::Plain(paths) => filed.extend(paths.iter().map(|path| (&**path, rank))),
                Paths::Regexes(regexes) => filed.extend(regexes.iter().map(|regex| (&*regex.literal, rank))),
                Paths::Any => filed.push(("", rank)),
            }
        }
        filed.sort_unstable();
        filed.dedup();

        let mut entries: Vec<Entry> = Vec::new();
        for (path, rank) in filed {
            if entries.last().is_none_or(|entry| *entry.path != *path) {
                let parent = entries.len().checked_sub(1);
                let parent = ancestors(&entries, parent).find(|(_, entry)| path.starts_with(&*entry.path));
                let parent = parent.map(|(at, _)| at);
                entries.push(Entry { path: path.into(), parent, bucket: Bucket::default() });
            }
            if let (Some(entry), Some(matcher)) = (entries.last_mut(), matchers.get(rank)) {
                entry.bucket.file(rank, matcher);
            }
        }
        Self { entries }
    }

    /// Ranks to try for a request, in lists that each begin with the best.
    ///
    /// Every prefix of a path sorts before it, and whatever sorts between the two starts with that prefix
    /// as well. So the prefixes of `path` among the entries are all found on the way from its neighbour
    /// in the order up to the root.
    pub(crate) fn candidates<'i>(
        &'i self,
        path: &'i str,
        host: Option<&'i str>,
    ) -> impl Iterator<Item = &'i [usize]> {
        let neighbour = self.entries.partition_point(|entry| *entry.path <= *path).checked_sub(1);
        ancestors(&self.entries, neighbour)
            .filter(move |(_, entry)| path.starts_with(&*entry.path))
            .flat_map(move |(_, entry)| entry.bucket.ranks(host))
    }
}

#[derive(Debug)]
struct Entry {
    path: Box<str>,
    /// Position of the longest other path that this one starts with.
    parent: Option<usize>,
    bucket: Bucket,
}

/// The matchers of one path.
#[derive(Debug, Default)]
struct Bucket {
    by_host: HashMap<Box<str>, Vec<usize>>,
    /// Those without hosts, or with a wildcard.
    any_host: Vec<usize>,
}

impl Bucket {
    fn file(&mut self, rank: usize, matcher: &Matcher) {
        let hosts: Option<Vec<&str>> = matcher.hosts.iter().map(|host| host.exact()).collect();
        match hosts {
            Some(hosts) if !hosts.is_empty() => {
                for host in hosts {
                    let ranks = self.by_host.entry(host.into()).or_default();
                    if ranks.last() != Some(&rank) {
                        ranks.push(rank);
                    }
                }
            }
            _ => self.any_host.push(rank),
        }
    }

    fn ranks(&self, host: Option<&str>) -> impl Iterator<Item = &[usize]> {
        let of_host =
            if self.by_host.is_empty() { None } else { host.and_then(|host| self.by_host.get(host)) };
        of_host.into_iter().chain([&self.any_host]).map(|ranks| ranks.as_slice())
    }
}

/// The entry at `start`, its parent, and so on up to the shortest path.
fn ancestors(entries: &[Entry], start: Option<usize>) -> impl Iterator<Item = (usize, &Entry)> {
    let at = |position: Option<usize>| position.and_then(|at| entries.get(at).map(|entry| (at, entry)));
    std::iter::successors(at(start), move |(_, entry)| at(entry.parent))
}
