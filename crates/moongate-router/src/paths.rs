//! The paths of a route, in groups that compete with other routes on their own.

use std::sync::Arc;

use crate::Flavour;
use crate::path_regex::{PathRegex, anchored};
use crate::pool::Compiler;
use crate::route::RouteFields;

/// The paths of one group.
#[derive(Debug)]
pub(crate) enum Paths {
    /// The route has no paths.
    Any,
    /// Prefixes, all of the same length.
    Plain(Vec<Box<str>>),
    /// Regular expressions.
    Regexes(Vec<Arc<PathRegex>>),
}

impl Paths {
    /// The groups of a route: its regular expressions, and its plain paths by their length. In the traditional
    /// flavour each path is a group.
    ///
    /// # Errors
    /// Returns what is wrong with the first regular expression that cannot be compiled.
    pub(crate) fn groups(
        flavour: Flavour,
        route: &RouteFields<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Result<Vec<Self>, String> {
        let mut groups: Vec<Self> = Vec::new();
        let alone = flavour == Flavour::Traditional;
        for path in route.paths {
            if let Some(text) = path.strip_prefix('~') {
                let regex = compiler.path(anchored(flavour, text))?;
                match groups.iter_mut().find_map(Self::regexes) {
                    Some(regexes) if !alone => regexes.push(regex),
                    _ => groups.push(Self::Regexes(vec![regex])),
                }
            } else {
                match groups.iter_mut().find_map(|group| group.plain(path.len())) {
                    Some(paths) if !alone => paths.push(path.as_str().into()),
                    _ => groups.push(Self::Plain(vec![path.as_str().into()])),
                }
            }
        }
        if groups.is_empty() {
            groups.push(Self::Any);
        }
        Ok(groups)
    }

    /// Whether these are regular expressions.
    pub(crate) fn are_regexes(&self) -> bool {
        matches!(self, Self::Regexes(_))
    }

    /// The length of plain paths, 0 for what has none.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Plain(paths) => paths.first().map_or(0, |path| path.len()),
            Self::Any | Self::Regexes(_) => 0,
        }
    }

    /// The length of what one of the group's paths matches in `path`, 1 where there are none: the slash.
    ///
    /// `known` is the length of a literal of this group, found through the index, that `path` starts with. It
    /// answers for plain paths without looking again.
    pub(crate) fn matched(&self, path: &str, known: Option<usize>) -> Option<usize> {
        match self {
            Self::Any => Some(1),
            Self::Plain(paths) => known.or_else(|| {
                let found = paths.iter().find(|prefix| path.starts_with(&***prefix))?;
                Some(found.len())
            }),
            Self::Regexes(regexes) => regexes.iter().find_map(|regex| regex.matched(path)),
        }
    }

    /// The regular expression that matches `path`.
    pub(crate) fn regex(&self, path: &str) -> Option<&PathRegex> {
        match self {
            Self::Regexes(regexes) => {
                regexes.iter().find(|regex| regex.matched(path).is_some()).map(|regex| &**regex)
            }
            Self::Any | Self::Plain(_) => None,
        }
    }

    /// Texts one of which every path starts with that matches.
    pub(crate) fn literals(&self) -> Vec<&str> {
        match self {
            Self::Any => vec![""],
            Self::Plain(paths) => paths.iter().map(|path| &**path).collect(),
            Self::Regexes(regexes) => regexes.iter().map(|regex| regex.literal()).collect(),
        }
    }

    fn regexes(&mut self) -> Option<&mut Vec<Arc<PathRegex>>> {
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
