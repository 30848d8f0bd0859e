//! The paths of a route, in groups that compete with other routes on their own.

use moongate_model::{Route, path_regex};
use regex::Regex;
use regex_syntax::hir::literal::Extractor;

use crate::RouterError;

/// The paths of one group.
#[derive(Debug)]
pub(crate) enum Paths {
    /// The route has no paths.
    Any,
    /// Prefixes, all of the same length.
    Plain(Vec<Box<str>>),
    /// Regular expressions.
    Regexes(Vec<PathRegex>),
}

impl Paths {
    pub(crate) fn groups(route: &Route) -> Result<Vec<Self>, RouterError> {
        let mut groups: Vec<Self> = Vec::new();
        for path in route.paths.iter().flatten() {
            if let Some(text) = path.strip_prefix('~') {
                let regex = PathRegex::new(text).map_err(|source| RouterError::Path {
                    route: route.id,
                    text: text.to_owned(),
                    source,
                })?;
                match groups.iter_mut().find_map(Self::regexes) {
                    Some(regexes) => regexes.push(regex),
                    None => groups.push(Self::Regexes(vec![regex])),
                }
            } else {
                match groups.iter_mut().find_map(|group| group.plain(path.len())) {
                    Some(paths) => paths.push(path.as_str().into()),
                    None => groups.push(Self::Plain(vec![path.as_str().into()])),
                }
            }
        }
        if groups.is_empty() {
            groups.push(Self::Any);
        }
        Ok(groups)
    }

    /// The part of `path` that one of the group's paths matches.
    pub(crate) fn matched<'r>(&self, path: &'r str) -> Option<&'r str> {
        match self {
            Self::Any => Some(path.get(..1).filter(|slash| *slash == "/").unwrap_or("/")),
            Self::Plain(prefixes) => {
                let prefix = prefixes.iter().find(|prefix| path.starts_with(&***prefix))?;
                path.get(..prefix.len())
            }
            Self::Regexes(regexes) => regexes.iter().find_map(|regex| regex.matched(path)),
        }
    }

    fn regexes(&mut self) -> Option<&mut Vec<PathRegex>> {
        match self {
            Self::Regexes(regexes) => Some(regexes),
            Self::Any | Self::Plain(_) => None,
        }
    }

    fn plain(&mut self, length: usize) -> Option<&mut Vec<Box<str>>> {
        match self {
            Self::Plain(paths) if paths.first().is_some_and(|path| path.len() == length) => Some(paths),
            Self::Any | Self::Plain(_) | Self::Regexes(_) => None,
        }
    }
}

/// A regular expression for the start of a path.
#[derive(Debug)]
pub(crate) struct PathRegex {
    regex: Regex,
    /// What every path that matches starts with. Looking for it is much cheaper than matching.
    pub(crate) literal: Box<str>,
}

impl PathRegex {
    fn new(text: &str) -> Result<Self, regex::Error> {
        let regex = path_regex(text)?;
        let literal = literal_prefix(&regex).into();
        Ok(Self { regex, literal })
    }

    fn matched<'r>(&self, path: &'r str) -> Option<&'r str> {
        let found = if path.starts_with(&*self.literal) { self.regex.find(path) } else { None };
        found.map(|found| found.as_str())
    }
}

/// The longest text that everything the expression matches starts with.
fn literal_prefix(regex: &Regex) -> String {
    let Ok(parsed) = regex_syntax::parse(regex.as_str()) else { return String::new() };
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
            ("/a|/b", "/"),
            ("/a\\.b", "/a.b"),
            ("/(?i)abc", "/"),
            ("/é[è]?", "/é"),
            (".*", ""),
        ] {
            assert_eq!(&*PathRegex::new(text).unwrap().literal, literal, "{text}");
        }
    }
}
