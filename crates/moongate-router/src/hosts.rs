//! Numbers for the host names and wildcards of a configuration.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::host::HostKey;
use crate::trie::place;

/// The numbers of a request's host, that of [`ANY_HOST`] first.
pub(crate) type HostNumbers = SmallVec<[u32; 8]>;

/// The number that every request has.
pub(crate) const ANY_HOST: u32 = 0;

/// Gives each name and wildcard a number, from 1.
#[derive(Debug, Default)]
pub(crate) struct HostTable {
    count: u32,
    exact: HashMap<Box<str>, u32>,
    ends: HashMap<Box<str>, u32>,
    starts: HashMap<Box<str>, u32>,
    /// The length of the longest of the `ends`; what is longer need not be looked up.
    longest_end: usize,
    longest_start: usize,
}

impl HostTable {
    /// The number of `key`, which is given a new one when it is not known.
    pub(crate) fn number(&mut self, key: HostKey<'_>) -> u32 {
        let (map, text) = match key {
            HostKey::Exact(name) => (&mut self.exact, name),
            HostKey::End(text) => {
                self.longest_end = self.longest_end.max(text.len());
                (&mut self.ends, text)
            }
            HostKey::Start(text) => {
                self.longest_start = self.longest_start.max(text.len());
                (&mut self.starts, text)
            }
        };
        if let Some(number) = map.get(text) {
            return *number;
        }
        self.count = place(self.count as usize + 1);
        map.insert(text.into(), self.count);
        self.count
    }

    /// The numbers of everything that `host` fits.
    ///
    /// The work is bounded by the configuration, however long a client makes the host.
    pub(crate) fn numbers(&self, host: Option<&str>) -> HostNumbers {
        let mut numbers = SmallVec::new();
        numbers.push(ANY_HOST);
        let Some(host) = host else { return numbers };
        if !self.exact.is_empty() {
            numbers.extend(self.exact.get(host).copied());
        }
        if !self.ends.is_empty() {
            let ends = host.rmatch_indices('.').map(|(dot, _)| host.get(dot..).unwrap_or_default());
            let ends = ends.take_while(|end| end.len() <= self.longest_end);
            numbers.extend(ends.filter_map(|end| self.ends.get(end).copied()));
        }
        if !self.starts.is_empty() {
            let starts = host.match_indices('.').map(|(dot, _)| host.get(..=dot).unwrap_or_default());
            let starts = starts.take_while(|start| start.len() <= self.longest_start);
            numbers.extend(starts.filter_map(|start| self.starts.get(start).copied()));
        }
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_numbers_of_all_that_it_fits() {
        let mut table = HostTable::default();
        let keys = [
            HostKey::Exact("a.b.test"),
            HostKey::End(".b.test"),
            HostKey::End(".test"),
            HostKey::Start("a."),
            HostKey::Start("a.b."),
        ];
        let numbers = keys.map(|key| table.number(key));
        assert_eq!(numbers, [1, 2, 3, 4, 5]);
        assert_eq!(keys.map(|key| table.number(key)), numbers, "known ones keep theirs");
        for (host, found) in [
            (Some("a.b.test"), &[ANY_HOST, 1, 3, 2, 4, 5][..]),
            (Some("x.test"), &[ANY_HOST, 3]),
            (Some("a.x"), &[ANY_HOST, 4]),
            (Some(".test"), &[ANY_HOST, 3]),
            (Some("test"), &[ANY_HOST]),
            (Some("x.y.z.long.name.that.is.longer.than.all.of.them"), &[ANY_HOST]),
            (None, &[ANY_HOST]),
        ] {
            assert_eq!(&table.numbers(host)[..], found, "{host:?}");
        }
    }
}
