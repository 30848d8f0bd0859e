//! A comparison of one field.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::Regex;

use super::Trace;
use super::field::{AddressField, NumberField, TextField};
use crate::request::Facts;

/// A field and what it is compared with. A field that a request does not have passes no test.
#[derive(Debug)]
pub(crate) enum Test {
    Text(TextTest),
    Number(NumberField, NumberOperator, i64),
    Address(AddressField, AddressOperator),
    /// A comparison that the types do not allow; the check of the expression refuses all of them.
    Never,
}

#[derive(Debug)]
pub(crate) struct TextTest {
    pub(crate) field: TextField,
    /// Whether one value is enough; otherwise all must pass.
    pub(crate) any: bool,
    /// Whether values are compared in lower case.
    pub(crate) lower: bool,
    pub(crate) operator: TextOperator,
}

#[derive(Debug)]
pub(crate) enum TextOperator {
    Equals(String),
    Differs(String),
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    /// With what every text starts with that matches.
    Regex(Regex, Box<str>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum NumberOperator {
    Equals,
    Differs,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug)]
pub(crate) enum AddressOperator {
    Equals(IpAddr),
    Differs(IpAddr),
    In(IpNet),
    NotIn(IpNet),
}

impl Test {
    pub(super) fn holds(&self, facts: &Facts<'_>, trace: &mut Trace<'_>) -> bool {
        match self {
            Self::Text(test) => test.holds(facts, trace),
            Self::Number(field, operator, number) => {
                field.value(facts).is_some_and(|value| operator.holds(value, *number))
            }
            Self::Address(field, operator) => {
                field.value(facts).is_some_and(|address| operator.holds(&address))
            }
            Self::Never => false,
        }
    }

    pub(super) fn is_regex(&self) -> bool {
        matches!(self, Self::Text(TextTest { operator: TextOperator::Regex(..), .. }))
    }
}

impl TextTest {
    fn holds(&self, facts: &Facts<'_>, trace: &mut Trace<'_>) -> bool {
        // Whether there was a value, and whether the last one that was looked at passed.
        let (mut seen, mut passed) = (false, false);
        self.field.each(facts, |value| {
            seen = true;
            passed = value.is_some_and(|value| self.passes(value, trace));
            passed != self.any
        });
        seen && passed
    }

    fn passes(&self, value: &str, trace: &mut Trace<'_>) -> bool {
        let value = if self.lower { lower(value) } else { Cow::Borrowed(value) };
        let matched = match &self.operator {
            TextOperator::Equals(text) => (value == text.as_str()).then_some(text.len()),
            TextOperator::StartsWith(text) => value.starts_with(text.as_str()).then_some(text.len()),
            TextOperator::EndsWith(text) => value.ends_with(text.as_str()).then_some(text.len()),
            TextOperator::Differs(text) => return value != text.as_str(),
            TextOperator::Contains(text) => return value.contains(text.as_str()),
            TextOperator::Regex(regex, literal) => {
                let found = if value.starts_with(&**literal) { regex.find(&value) } else { None };
                if found.is_some()
                    && let Some(captures) = &mut trace.captures
                {
                    captures.add(regex, &value);
                }
                found.map(|found| found.len())
            }
        };
        if matched.is_some() && matches!(self.field, TextField::Path) {
            trace.prefix = matched;
        }
        matched.is_some()
    }
}

impl NumberOperator {
    fn holds(self, value: i64, number: i64) -> bool {
        match self {
            Self::Equals => value == number,
            Self::Differs => value != number,
            Self::Greater => value > number,
            Self::GreaterOrEqual => value >= number,
            Self::Less => value < number,
            Self::LessOrEqual => value <= number,
        }
    }
}

impl AddressOperator {
    fn holds(&self, address: &IpAddr) -> bool {
        match self {
            Self::Equals(wanted) => address == wanted,
            Self::Differs(wanted) => address != wanted,
            Self::In(net) => net.contains(address),
            Self::NotIn(net) => !net.contains(address),
        }
    }
}

fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}
