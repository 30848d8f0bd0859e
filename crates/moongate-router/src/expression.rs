//! Routes' conditions in the expression language.
//!
//! Texts are parsed and checked by the published crate for that language, so that what is accepted, and what is
//! said about the rest, is the same everywhere. Here the parsed form becomes a program that reads a request in
//! place, without making a map of its fields first.

use crate::captures::Captures;
use crate::host::HostKey;
use crate::request::Facts;

mod field;
mod hints;
mod parse;
mod test;
#[cfg(test)]
mod tests;
mod text;

#[cfg(test)]
pub(crate) use tests::interpret;
pub(crate) use text::text_of_fields;

use test::Test;

/// Which fields an expression can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subsystem {
    Http,
    Stream,
}

/// An expression, ready to be compared with requests.
#[derive(Debug)]
pub(crate) struct Program {
    root: Node,
}

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Test),
}

/// What is remembered while an expression is compared, whether its tests contribute to the result or not.
#[derive(Debug, Default)]
struct Trace<'c> {
    /// How many bytes the last successful test of the path was about.
    prefix: Option<usize>,
    captures: Option<&'c mut Captures>,
}

impl Program {
    /// Parses and checks `text`.
    ///
    /// # Errors
    /// Returns what is wrong, over several lines if it is the syntax.
    pub(crate) fn parse(text: &str, subsystem: Subsystem) -> Result<Self, String> {
        Ok(Self { root: parse::parse(text, subsystem)? })
    }

    /// The part of the path that the expression looked at, or `/`, if the expression is true.
    pub(crate) fn matches<'r>(&self, facts: &Facts<'r>) -> Option<&'r str> {
        let mut trace = Trace::default();
        let holds = self.root.holds(facts, &mut trace);
        holds.then(|| trace.prefix.map_or("/", |length| facts.prefix(length)))
    }

    /// What the expression's regular expressions captured.
    pub(crate) fn captures(&self, facts: &Facts<'_>) -> Captures {
        let mut captures = Captures::default();
        let mut trace = Trace { prefix: None, captures: Some(&mut captures) };
        self.root.holds(facts, &mut trace);
        captures
    }

    /// Texts one of which the path of every request starts with that matches.
    pub(crate) fn literals(&self) -> Option<Vec<&str>> {
        hints::literals(&self.root)
    }

    /// Names and wildcards one of which the host of every request fits that matches.
    pub(crate) fn hosts(&self) -> Option<Vec<HostKey<'_>>> {
        hints::hosts(&self.root)
    }

    /// Whether a match can have captures.
    pub(crate) fn has_regex(&self) -> bool {
        self.root.has_regex()
    }
}

impl Node {
    fn holds(&self, facts: &Facts<'_>, trace: &mut Trace<'_>) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|node| node.holds(facts, trace)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(facts, trace)),
            Self::Not(node) => !node.holds(facts, trace),
            Self::Test(test) => test.holds(facts, trace),
        }
    }

    fn has_regex(&self) -> bool {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().any(Self::has_regex),
            Self::Not(node) => node.has_regex(),
            Self::Test(test) => test.is_regex(),
        }
    }
}
