//! Conditions on request headers.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use regex::bytes;

use crate::Flavour;
use crate::pool::Compiler;
use crate::route::RouteFields;

/// A header of which one value must be among the listed ones.
#[derive(Debug)]
pub(crate) struct HeaderCondition {
    name: DashedName,
    values: Vec<ValuePattern>,
}

impl HeaderCondition {
    /// The conditions of a route.
    ///
    /// # Errors
    /// Returns what is wrong with the first regular expression that cannot be compiled, or that a header has no
    /// values, which nothing could match.
    pub(crate) fn of_route(
        flavour: Flavour,
        route: &RouteFields<'_>,
        compiler: &mut Compiler<'_>,
    ) -> Result<Vec<Self>, String> {
        let conditions = route.headers.into_iter().flatten().map(|(name, values)| {
            if values.is_empty() {
                return Err(format!("header '{name}' has no values"));
            }
            // The traditional flavour takes a regular expression among other values as a plain text.
            let regexes = flavour != Flavour::Traditional || values.len() == 1;
            let values = values.iter().map(|value| match value.strip_prefix("~*") {
                Some(pattern) if regexes => compiler.header(pattern).map(ValuePattern::Regex),
                _ => Ok(ValuePattern::Exact(value.as_bytes().into())),
            });
            Ok(Self { name: DashedName::new(name), values: values.collect::<Result<_, String>>()? })
        });
        conditions.collect()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name.0
    }

    pub(crate) fn holds(&self, headers: &HeaderMap) -> bool {
        self.name
            .values(headers)
            .any(|value| self.values.iter().any(|pattern| pattern.matches(value.as_bytes())))
    }
}

/// The name of a header in lower case, with dashes for underscores: requests are matched as if there were no
/// difference.
#[derive(Debug)]
pub(crate) struct DashedName(Box<str>);

impl DashedName {
    pub(crate) fn new(name: &str) -> Self {
        Self(name.to_ascii_lowercase().replace('_', "-").into())
    }

    /// The values of all headers with this name.
    pub(crate) fn values<'h>(
        &self,
        headers: &'h HeaderMap,
    ) -> impl Iterator<Item = &'h http::HeaderValue> + use<'h, '_> {
        headers.iter().filter(|(name, _)| self.is(name)).map(|(_, value)| value)
    }

    fn is(&self, name: &HeaderName) -> bool {
        let dashed = name.as_str().bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
        name.as_str().len() == self.0.len() && dashed.eq(self.0.bytes())
    }
}

/// What the value of a header is compared with; case makes no difference.
#[derive(Debug)]
enum ValuePattern {
    Exact(Box<[u8]>),
    Regex(Arc<bytes::Regex>),
}

impl ValuePattern {
    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => exact.eq_ignore_ascii_case(value),
            Self::Regex(regex) => regex.is_match(value),
        }
    }
}
