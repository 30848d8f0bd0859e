//! Regular expressions of paths.

use regex::Regex;
use regex_syntax::hir::{Look, literal::Extractor};

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
#[derive(Debug)]
pub(crate) struct PathRegex {
    regex: Regex,
    /// What every path that matches starts with. Looking for it is much cheaper than matching.
    literal: Box<str>,
}

impl PathRegex {
    pub(crate) fn new(pattern: &str) -> Result<Self, regex::Error> {
        Ok(Self { regex: Regex::new(pattern)?, literal: literal_prefix(pattern).into() })
    }

    pub(crate) fn literal(&self) -> &str {
        &self.literal
    }

    /// The length of the matched text.
    pub(crate) fn matched(&self, path: &str) -> Option<usize> {
        if !path.starts_with(&*self.literal) {
            return None;
        }
        self.regex.find(path).map(|found| found.len())
    }

    pub(crate) fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// The longest text that every path starts with that the pattern matches, empty if it is not anchored.
pub(crate) fn literal_prefix(pattern: &str) -> String {
    let Ok(parsed) = regex_syntax::parse(pattern) else { return String::new() };
    if !parsed.properties().look_set_prefix().contains(Look::Start) {
        return String::new();
    }
    let starts = Extractor::new().extract(&parsed);
    let common = starts.longest_common_prefix().unwrap_or_default();
    common.utf8_chunks().next().map_or_else(String::new, |chunk| chunk.valid().to_owned())
}

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
