//! A set of texts in which the longest one that a path starts with is found in one walk over the path.
//!
//! Nodes, their first bytes and their labels lie in three arrays, children of a node beside each other, so
//! that a walk through a hundred thousand texts touches a few cache lines.

/// The texts, known by their places in the sorted list that this was made from.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// The byte that leads to each node, to tell siblings apart.
    firsts: Vec<u8>,
    /// What follows that byte on the way to each node, mostly nothing.
    labels: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// Where the label starts.
    label: u32,
    label_length: u32,
    /// The first of the children.
    child: u32,
    children: u32,
    /// The text that ends here, or `NONE`.
    text: u32,
}

impl Trie {
    /// Stores `texts`, which must be sorted and all different.
    pub(crate) fn new(texts: &[&str]) -> Self {
        let mut trie = Self::default();
        if texts.is_empty() {
            return trie;
        }
        trie.nodes.push(EMPTY);
        trie.firsts.push(0);
        // Each node is filled with the texts of a range, which share `depth` bytes already.
        let mut next = 0;
        let mut ranges = vec![(0..texts.len(), 0)];
        while let Some((range, depth)) = ranges.get(next).cloned() {
            let (node, children) = trie.fill(texts, range, depth);
            if let Some(place) = trie.nodes.get_mut(next) {
                *place = node;
            }
            ranges.extend(children);
            next += 1;
        }
        trie
    }

    /// The longest text that `path` starts with.
    pub(crate) fn longest(&self, path: &str) -> Option<u32> {
        let mut rest = path.as_bytes();
        let mut found = None;
        let mut node = self.nodes.first()?;
        loop {
            let label = node.label as usize..(node.label + node.label_length) as usize;
            let Some(behind) = rest.strip_prefix(self.labels.get(label)?) else { return found };
            if node.text != NONE {
                found = Some(node.text);
            }
            let Some((first, behind)) = behind.split_first() else { return found };
            let siblings = node.child as usize..(node.child + node.children) as usize;
            let Some(place) = self.firsts.get(siblings)?.iter().position(|byte| byte == first) else {
                return found;
            };
            node = self.nodes.get(node.child as usize + place)?;
            rest = behind;
        }
    }

    /// The node for a range of texts, whose label starts at `depth`, and the ranges of its children, for which
    /// it makes room.
    fn fill(
        &mut self,
        texts: &[&str],
        range: std::ops::Range<usize>,
        depth: usize,
    ) -> (Node, Vec<(std::ops::Range<usize>, usize)>) {
        let bytes = |at: usize| texts.get(at).map_or(&[][..], |text| text.as_bytes());
        let first = bytes(range.start).get(depth..).unwrap_or_default();
        let last = bytes(range.end.saturating_sub(1)).get(depth..).unwrap_or_default();
        let length = first.iter().zip(last).take_while(|(one, other)| one == other).count();
        let label = place(self.labels.len());
        self.labels.extend(first.iter().take(length));
        let depth = depth + length;

        let ends_here = bytes(range.start).len() == depth;
        let mut start = range.start + usize::from(ends_here);
        let child = place(self.nodes.len());
        let mut children = Vec::new();
        while start < range.end {
            let byte = bytes(start).get(depth).copied();
            let rest = texts.get(start..range.end).unwrap_or_default();
            let end = start + rest.partition_point(|text| text.as_bytes().get(depth).copied() == byte);
            self.nodes.push(EMPTY);
            self.firsts.push(byte.unwrap_or_default());
            children.push((start..end, depth + 1));
            start = end;
        }
        let node = Node {
            label,
            label_length: place(length),
            child,
            children: place(children.len()),
            text: if ends_here { place(range.start) } else { NONE },
        };
        (node, children)
    }
}

/// A place in an array, none of which can have more than four billion elements.
pub(crate) fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

const NONE: u32 = u32::MAX;
const EMPTY: Node = Node { label: 0, label_length: 0, child: 0, children: 0, text: NONE };

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_text_is_found() {
        let texts = ["", "/", "/a", "/a/b", "/ab", "/b/c"];
        let trie = Trie::new(&texts);
        for (path, found) in [
            ("", 0),
            ("x", 0),
            ("/", 1),
            ("/x", 1),
            ("/a", 2),
            ("/ac", 2),
            ("/abc", 4),
            ("/a/b/c", 3),
            ("/b/", 1),
        ] {
            assert_eq!(trie.longest(path), Some(found), "{path}");
        }
    }

    #[test]
    fn nothing_is_found_where_no_text_starts_the_path() {
        assert_eq!(Trie::new(&[]).longest("/"), None);
        assert_eq!(Trie::new(&["/a", "/b"]).longest("/"), None);
        assert_eq!(Trie::new(&["/a", "/b"]).longest("/c"), None);
        assert_eq!(Trie::new(&["/abc"]).longest("/ab"), None);
    }

    proptest! {
        #[test]
        fn the_walk_finds_what_a_search_of_all_texts_finds(
            texts in btree_set("[ab/é]{0,5}", 0..20),
            path in "[ab/éx]{0,8}",
        ) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let longest = texts.iter().enumerate().filter(|(_, text)| path.starts_with(**text));
            let longest = longest.max_by_key(|(_, text)| text.len()).map(|(at, _)| place(at));
            prop_assert_eq!(Trie::new(&texts).longest(&path), longest);
        }
    }
}
