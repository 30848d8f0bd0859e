//! Regular expressions of paths.

use std::sync::OnceLock;

use regex::Regex;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::Flavour;

/// The pattern that is compiled for the text behind the `~` of a route's path.
///
/// The traditional flavour looks for the text at the start of the path. The others only write an anchor in
/// front of it, so that of `/a|/b` the second part matches anywhere. They also read each `?<` as the start of a
/// named group, wherever it stands.
pub(crate) fn anchored(flavour: Flavour, text: &str) -> String {
    match flavour {
        Flavour::Traditional => format!("^(?:{text})"),
        Flavour::TraditionalCompatible | Flavour::Expressions => format!("^{}", text.replace("?<", "?P<")),
    }
}

/// A regular expression that is matched with paths.
///
/// Parsing takes a few microseconds and tells whether a pattern is good. The rest takes many times longer, and
/// is left until the expression is needed.
#[derive(Debug)]
pub(crate) struct PathRegex {
    pattern: Box<str>,
    compiled: OnceLock<Option<Regex>>,
    /// What every path that matches starts with. Looking for it is much cheaper than matching.
    literal: Box<str>,
}

impl PathRegex {
    /// Checks a pattern.
    ///
    /// # Errors
    /// Returns what is wrong with it, over several lines.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let compiled = OnceLock::new();
        let parsed = regex_syntax::parse(pattern).ok();
        // What repeats a part a number of times can become too large, which only compiling it shows.
        if pattern.len() > MAX_LENGTH || parsed.as_ref().is_none_or(counts) {
            let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
            return Ok(Self::with(pattern, OnceLock::from(Some(regex)), parsed.as_ref()));
        }
        Ok(Self::with(pattern, compiled, parsed.as_ref()))
    }

    fn with(pattern: &str, compiled: OnceLock<Option<Regex>>, parsed: Option<&Hir>) -> Self {
        let literal = parsed.map_or_else(String::new, literal_of);
        Self { pattern: pattern.into(), compiled, literal: literal.into() }
    }

    pub(crate) fn literal(&self) -> &str {
        &self.literal
    }

    /// The length of the matched text.
    pub(crate) fn matched(&self, path: &str) -> Option<usize> {
        if !path.starts_with(&*self.literal) {
            return None;
        }
        self.regex()?.find(path).map(|found| found.len())
    }

    /// The expression, compiled now if it was not needed before.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.pattern).ok()).as_ref()
    }

    pub(crate) fn is_compiled(&self) -> bool {
        self.compiled.get().is_some()
    }
}

/// The longest text that every text starts with that the pattern matches, empty if it is not anchored.
pub(crate) fn literal_prefix(pattern: &str) -> String {
    regex_syntax::parse(pattern).as_ref().map_or_else(|_| String::new(), literal_of)
}

fn literal_of(parsed: &Hir) -> String {
    if !parsed.properties().look_set_prefix().contains(Look::Start) {
        return String::new();
    }
    let starts = Extractor::new().extract(parsed);
    let common = starts.longest_common_prefix().unwrap_or_default();
    common.utf8_chunks().next().map_or_else(String::new, |chunk| chunk.valid().to_owned())
}

/// Whether a part is repeated a number of times.
fn counts(parsed: &Hir) -> bool {
    match parsed.kind() {
        HirKind::Repetition(repetition) => {
            repetition.min > 1 || repetition.max.is_some_and(|max| max > 1) || counts(&repetition.sub)
        }
        HirKind::Capture(capture) => counts(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(counts),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

/// A pattern of this length stays far below the limit for compiled ones, unless it counts.
const MAX_LENGTH: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_requires_the_text_that_all_its_matches_start_with() {
        for (text, literal) in [
            ("/api/v1/\\w+$", "/api/v1/"),
            ("/(cats|dogs)/\\d", "/"),
            ("/users?/x", "/user"),
            ("(/ab|/ac)", "/a"),
            ("/a\\.b", "/a.b"),
            ("/(?i)abc", "/"),
            ("/é[è]?", "/é"),
            (".*", ""),
            ("/a|/b", ""),
        ] {
            let pattern = anchored(Flavour::default(), text);
            assert_eq!(PathRegex::new(&pattern).unwrap().literal(), literal, "{text}");
        }
    }

    #[test]
    fn what_could_become_too_large_is_compiled_at_once() {
        for (pattern, at_once) in [
            ("^/a\\d+(b|c)*$", false),
            ("^/a\\d{2}", true),
            ("^/((x?){3,})", true),
            ("^/[[:word:]]{0,1}", false),
        ] {
            let regex = PathRegex::new(pattern).unwrap();
            assert_eq!(regex.is_compiled(), at_once, "{pattern}");
            assert!(regex.regex().is_some() && regex.is_compiled(), "{pattern}");
        }
        assert!(PathRegex::new(&format!("^/{}", "a".repeat(600))).unwrap().is_compiled());
        let refused = PathRegex::new("^/(\\w{900}){900}").unwrap_err();
        assert!(refused.contains("size limit"), "{refused}");
    }

    #[test]
    fn what_is_left_for_later_can_be_compiled() {
        // The largest classes that there are, as often as the length allows.
        let pattern = format!("^{}", "[\\w--a]|\\PL|".repeat(36));
        assert!(pattern.len() <= MAX_LENGTH);
        let regex = PathRegex::new(&pattern).unwrap();
        assert!(!regex.is_compiled() && regex.regex().is_some());
    }

    #[test]
    fn only_the_first_alternative_is_anchored_outside_of_the_traditional_flavour() {
        for (flavour, found) in [(Flavour::default(), Some(2)), (Flavour::Traditional, None)] {
            let regex = PathRegex::new(&anchored(flavour, "/a|/b")).unwrap();
            assert_eq!(regex.matched("/x/b"), found, "{flavour:?}");
            assert_eq!(regex.matched("/ax"), Some(2));
        }
    }

    #[test]
    fn a_named_group_is_written_in_either_way() {
        for text in ["/(?<id>\\d+)", "/(?P<id>\\d+)"] {
            let pattern = anchored(Flavour::default(), text);
            assert_eq!(PathRegex::new(&pattern).unwrap().matched("/12x"), Some(3), "{text}");
        }
    }
}
