//! What must hold between the fields of an object.

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{Check, Context, Field, Length, Object, Rules, Violations};

/// What must hold between fields. Names of fields may be paths, such as `config.redis.host`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EntityCheck {
    /// At least one of these is given and not empty.
    AtLeastOneOf(Vec<String>),
    /// Exactly one of these is given and not empty.
    OnlyOneOf(Vec<String>),
    /// All of these are set, or none.
    MutuallyRequired(Vec<String>),
    /// At most one of these is set.
    MutuallyExclusive(Vec<String>),
    /// If one of the first set is set, none of the second set is.
    MutuallyExclusiveSets(Vec<String>, Vec<String>),
    /// Their values differ.
    Distinct(Vec<String>),
    /// If a field is like this, another must be like that.
    Conditional(Box<Condition>),
    /// If a field is like this, at least one of others must be given.
    ConditionalAtLeastOneOf(Box<ConditionalChoice>),
    /// A function looks at some fields.
    Custom(CustomCheck),
}

/// What a field in a condition must be like, beyond what its declaration says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Requirement {
    /// The rules; each takes the place of the declaration's.
    pub rules: Rules,
    /// What the elements of a list must be like, in place of the declaration's.
    pub elements: Option<Box<Field>>,
    /// Whether it must be set.
    pub required: Option<bool>,
    /// The text when it is not so.
    pub err: Option<String>,
    pub(crate) whole: Whole,
}

/// The declaration of a field with a requirement put over it, made when it is first looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whole(OnceLock<Field>);

impl Whole {
    pub(crate) fn get_or_make(&self, make: impl FnOnce() -> Field) -> &Field {
        self.0.get_or_init(make)
    }
}

impl PartialEq for Whole {
    /// It follows from the rest.
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// If a field is like this, another must be like that.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The field that is looked at.
    pub if_field: String,
    /// What it is like when the check applies.
    pub if_match: Requirement,
    /// The field that something is asked of.
    pub then_field: String,
    /// What it must be like.
    pub then_match: Requirement,
    /// The text of the object's problem.
    pub then_err: Option<String>,
}

/// If a field is like this, at least one of others must be given.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalChoice {
    /// The field that is looked at.
    pub if_field: String,
    /// What it is like when the first list applies.
    pub if_match: Requirement,
    /// The first list: one of these must be given.
    pub then: Choice,
    /// What the field is like when the second list applies, and that list. It is looked at when the first
    /// one does not apply; without a requirement it always applies then.
    pub otherwise: Option<(Option<Requirement>, Choice)>,
}

/// Fields of which at least one must be given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The fields.
    pub at_least_one_of: Vec<String>,
    /// The text when none is; `%s` stands for their names.
    pub err: Option<String>,
}

/// A function that looks at some fields of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomCheck {
    /// The fields that it looks at. It runs when none of them has a problem yet.
    pub field_sources: Vec<String>,
    /// Whether it runs also when one of them is missing.
    pub run_with_missing_fields: bool,
    /// Whether it runs also when one of them has a problem.
    pub run_with_invalid_fields: bool,
    /// The function. A check without one is shown but not run: the plugin that declared it runs it.
    pub function: Option<CheckFunction>,
}

/// A named function that looks at an object.
#[derive(Clone, Copy)]
pub struct CheckFunction {
    /// The name.
    pub name: &'static str,
    /// Says what is wrong with the object.
    pub run: fn(&Object, &Context<'_>) -> Result<(), CheckFailure>,
}

/// What a custom check found.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckFailure {
    /// The object as a whole is wrong.
    Entity(String),
    /// Some fields are wrong; they are noted as they are.
    Fields(Violations),
}

impl EntityCheck {
    /// At least one of these is given and not empty.
    pub fn at_least_one_of(fields: &[&str]) -> Self {
        Self::AtLeastOneOf(owned(fields))
    }

    /// Exactly one of these is given and not empty.
    pub fn only_one_of(fields: &[&str]) -> Self {
        Self::OnlyOneOf(owned(fields))
    }

    /// All of these are set, or none.
    pub fn mutually_required(fields: &[&str]) -> Self {
        Self::MutuallyRequired(owned(fields))
    }

    /// At most one of these is set.
    pub fn mutually_exclusive(fields: &[&str]) -> Self {
        Self::MutuallyExclusive(owned(fields))
    }

    /// Their values differ.
    pub fn distinct(fields: &[&str]) -> Self {
        Self::Distinct(owned(fields))
    }

    /// If a field is like this, another must be like that.
    pub fn conditional(
        if_field: &str,
        if_match: Requirement,
        then_field: &str,
        then_match: Requirement,
    ) -> Self {
        Self::Conditional(Box::new(Condition {
            if_field: if_field.to_owned(),
            if_match,
            then_field: then_field.to_owned(),
            then_match,
            then_err: None,
        }))
    }

    /// As [`EntityCheck::conditional`], with a text of its own for the object.
    pub fn conditional_with_text(
        if_field: &str,
        if_match: Requirement,
        then_field: &str,
        then_match: Requirement,
        then_err: &str,
    ) -> Self {
        match Self::conditional(if_field, if_match, then_field, then_match) {
            Self::Conditional(condition) => {
                Self::Conditional(Box::new(Condition { then_err: Some(then_err.to_owned()), ..*condition }))
            }
            other => other,
        }
    }

    /// If a field is like this, at least one of others must be given; `err` is the text when none is, where `%s`
    /// stands for their names.
    pub fn conditional_at_least_one_of(
        if_field: &str,
        if_match: Requirement,
        fields: &[&str],
        err: &str,
    ) -> Self {
        Self::ConditionalAtLeastOneOf(Box::new(ConditionalChoice {
            if_field: if_field.to_owned(),
            if_match,
            then: Choice::of(fields, err),
            otherwise: None,
        }))
    }

    /// A function that looks at these fields and needs all of them.
    pub fn custom(fields: &[&str], function: CheckFunction) -> Self {
        Self::Custom(CustomCheck {
            field_sources: owned(fields),
            run_with_missing_fields: false,
            run_with_invalid_fields: false,
            function: Some(function),
        })
    }
}

impl Choice {
    /// One of `fields` must be given.
    pub fn of(fields: &[&str], err: &str) -> Self {
        Self { at_least_one_of: owned(fields), err: Some(err.to_owned()) }
    }
}

impl Requirement {
    /// It must be set.
    pub fn required() -> Self {
        Self { required: Some(true), ..Self::default() }
    }

    /// It must be this.
    pub fn eq(value: impl Into<Value>) -> Self {
        Self { rules: Rules { eq: Some(value.into()), ..Rules::default() }, ..Self::default() }
    }

    /// It must be one of these.
    pub fn one_of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        let one_of = Some(values.into_iter().map(Into::into).collect());
        Self { rules: Rules { one_of, ..Rules::default() }, ..Self::default() }
    }

    /// It must be none of these.
    pub fn not_one_of<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        let not_one_of = Some(values.into_iter().map(Into::into).collect());
        Self { rules: Rules { not_one_of, ..Rules::default() }, ..Self::default() }
    }

    /// The list must contain this.
    pub fn contains(value: impl Into<Value>) -> Self {
        Self { rules: Rules { contains: Some(value.into()), ..Rules::default() }, ..Self::default() }
    }

    /// All elements must be like this.
    pub fn elements(elements: Field) -> Self {
        Self { elements: Some(Box::new(elements)), ..Self::default() }
    }

    /// It must have this length.
    pub fn len_eq(length: usize) -> Self {
        let length = Length { eq: Some(length), ..Length::default() };
        Self { rules: Rules { length, ..Rules::default() }, ..Self::default() }
    }

    /// It must also pass a function.
    pub fn check(mut self, check: Check) -> Self {
        self.rules.check = Some(check);
        self
    }

    /// It must match a Lua pattern.
    pub fn matches(pattern: &str) -> Self {
        Self { rules: Rules { matches: Some(pattern.to_owned()), ..Rules::default() }, ..Self::default() }
    }

    /// It must match one of several Lua patterns.
    pub fn match_any(patterns: &[&str]) -> Self {
        let match_any = Some((owned(patterns), None));
        Self { rules: Rules { match_any, ..Rules::default() }, ..Self::default() }
    }
}

impl fmt::Debug for CheckFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CheckFunction").field(&self.name).finish()
    }
}

impl PartialEq for CheckFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

fn owned(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| (*field).to_owned()).collect()
}
