//! What a value must be like beyond its type.

use std::fmt;

use regex::Regex;
use serde_json::Value;

/// The rules of a field. They are looked at in the order of these members; the first that is broken tells
/// its text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules {
    /// The value must be this. `null` here means that the field must not be set at all.
    pub eq: Option<Value>,
    /// The value must not be this.
    pub ne: Option<Value>,
    /// The value must be none of these.
    pub not_one_of: Option<Vec<Value>>,
    /// The value must be one of these.
    pub one_of: Option<Vec<Value>>,
    /// The number must be greater.
    pub gt: Option<f64>,
    /// The number is a time in seconds since the epoch.
    pub timestamp: bool,
    /// The text is a UUID.
    pub uuid: bool,
    /// The text is a regular expression.
    pub is_regex: bool,
    /// The number is between these, inclusively. Either may be infinite.
    pub between: Option<(f64, f64)>,
    /// The length of a text in bytes, or the number of elements.
    pub length: Length,
    /// How the text must start.
    pub starts_with: Option<String>,
    /// A Lua pattern that the text must not match.
    pub not_match: Option<String>,
    /// Lua patterns that the text must not match.
    pub match_none: Vec<PatternRule>,
    /// A Lua pattern that the text must match.
    pub matches: Option<String>,
    /// Lua patterns that the text must all match.
    pub match_all: Vec<PatternRule>,
    /// Lua patterns of which the text must match one, and the text when it does not.
    pub match_any: Option<(Vec<String>, Option<String>)>,
    /// A regular expression that must be found in the text.
    pub pattern: Option<Expression>,
    /// What the list must contain.
    pub contains: Option<Value>,
    /// A function that looks at the value.
    pub check: Option<Check>,
    /// Sets of which the elements of a set must belong to one only.
    pub mutually_exclusive_subsets: Option<Vec<Vec<Value>>>,
}

/// How long a value may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Length {
    /// Exactly so long.
    pub eq: Option<usize>,
    /// At least so long. A text has at least one byte when nothing is said.
    pub min: Option<usize>,
    /// At most so long.
    pub max: Option<usize>,
}

/// A Lua pattern with the text for the value that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternRule {
    /// The pattern.
    pub pattern: String,
    /// The text; the usual one names the value.
    pub err: Option<String>,
}

/// A regular expression, ready to be used.
#[derive(Debug, Clone)]
pub struct Expression(Regex);

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Regex::new(text).map(Self)
    }

    /// The expression as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the expression is found in a text.
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// A named function that looks at a value.
///
/// The name stands for the function where a schema is written down, so it must be unique.
#[derive(Clone, Copy)]
pub struct Check {
    /// The name.
    pub name: &'static str,
    /// Says what is wrong with the value. The value has the field's type.
    pub run: fn(&Value) -> Result<(), String>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Rules {
    /// Puts the rules that `other` has in the place of these.
    pub(crate) fn replace_with(&mut self, other: &Self) {
        fn take<T: Clone>(own: &mut Option<T>, other: Option<&T>) {
            if other.is_some() {
                *own = other.cloned();
            }
        }
        take(&mut self.eq, other.eq.as_ref());
        take(&mut self.ne, other.ne.as_ref());
        take(&mut self.not_one_of, other.not_one_of.as_ref());
        take(&mut self.one_of, other.one_of.as_ref());
        take(&mut self.gt, other.gt.as_ref());
        take(&mut self.between, other.between.as_ref());
        take(&mut self.length.eq, other.length.eq.as_ref());
        take(&mut self.length.min, other.length.min.as_ref());
        take(&mut self.length.max, other.length.max.as_ref());
        take(&mut self.starts_with, other.starts_with.as_ref());
        take(&mut self.not_match, other.not_match.as_ref());
        take(&mut self.matches, other.matches.as_ref());
        take(&mut self.match_any, other.match_any.as_ref());
        take(&mut self.pattern, other.pattern.as_ref());
        take(&mut self.contains, other.contains.as_ref());
        take(&mut self.check, other.check.as_ref());
        take(&mut self.mutually_exclusive_subsets, other.mutually_exclusive_subsets.as_ref());
        self.timestamp |= other.timestamp;
        self.uuid |= other.uuid;
        self.is_regex |= other.is_regex;
        for (own, other) in
            [(&mut self.match_none, &other.match_none), (&mut self.match_all, &other.match_all)]
        {
            if !other.is_empty() {
                own.clone_from(other);
            }
        }
    }
}
