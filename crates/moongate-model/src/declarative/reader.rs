//! Reads the fields of one item and collects what is wrong with them.
//!
//! Each getter takes a field's name, and gives its value only if the field is there and right. A field
//! that is wrong leaves a problem behind, so that an entity can be read to its end with defaults.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::problems::{Location, Problems, Step};
use super::rules::{self, Check};

/// One item of a collection while it is read.
#[derive(Debug)]
pub(super) struct Record<'v, 'p> {
    fields: &'v Map<String, Value>,
    location: Location,
    problems: &'p mut Problems,
}

impl<'v, 'p> Record<'v, 'p> {
    /// Starts to read the item at `location`, which may have the fields in `known` only.
    pub(super) fn new(
        fields: &'v Map<String, Value>,
        location: Location,
        known: &[&str],
        problems: &'p mut Problems,
    ) -> Self {
        let mut record = Self { fields, location, problems };
        for name in fields.keys() {
            if !known.contains(&name.as_str()) && !COMMENTS.contains(&name.as_str()) {
                record.problem(name, "unknown field");
            }
        }
        record.text_of("_comment", |_| Ok(()), 0);
        record.list("_ignore", "expected an array", |_| Ok(()));
        record
    }

    /// The value of a field that is there and not null.
    pub(super) fn value(&self, name: &str) -> Option<&'v Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Whether a field has a value that is not empty, be it right or wrong.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        })
    }

    /// Whether there is a problem with a field.
    pub(super) fn is_wrong(&self, name: &str) -> bool {
        self.problems.is_at(&self.at(name))
    }

    /// Notes a problem with a field.
    pub(super) fn problem(&mut self, name: &str, problem: impl Into<Value>) {
        let location = self.at(name);
        self.problems.add(&location, problem);
    }

    /// Notes a problem with the item as a whole.
    pub(super) fn entity_problem(&mut self, problem: impl Into<Value>) {
        let location = self.at("@entity");
        self.problems.append(&location, problem);
    }

    /// A field that must not be null, with a value for when it is absent or wrong.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        default: T,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> T {
        if self.fields.get(name).is_some_and(Value::is_null) {
            self.problem(name, "required field missing");
        }
        read(self, name).unwrap_or(default)
    }

    /// Notes a problem if a field is absent or null.
    pub(super) fn must_have(&mut self, name: &str) {
        if self.value(name).is_none() {
            self.problem(name, "required field missing");
        }
    }

    /// A text of at least one byte.
    pub(super) fn text(&mut self, name: &str, check: impl Check) -> Option<String> {
        self.text_of(name, check, 1)
    }

    /// One of a few texts.
    pub(super) fn choice<T>(
        &mut self,
        name: &str,
        choices: &str,
        choose: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name, |_| Ok(()))?;
        let choice = choose(&text);
        if choice.is_none() {
            self.problem(name, format!("expected one of: {choices}"));
        }
        choice
    }

    /// True or false.
    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let flag = self.value(name)?.as_bool();
        if flag.is_none() {
            self.problem(name, "expected a boolean");
        }
        flag
    }

    /// An integer of any size.
    pub(super) fn any_integer(&mut self, name: &str) -> Option<i64> {
        let integer = integer(self.value(name)?);
        if integer.is_none() {
            self.problem(name, "expected an integer");
        }
        integer
    }

    /// An integer within limits.
    pub(super) fn integer<T: TryFrom<i64>>(&mut self, name: &str, limits: RangeInclusive<i64>) -> Option<T> {
        match integer_within(self.value(name)?, limits) {
            Ok(integer) => Some(integer),
            Err(problem) => {
                self.problem(name, problem);
                None
            }
        }
    }

    /// A list whose elements `read` turns into values, or into what is wrong with them.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        type_problem: &str,
        read: impl FnMut(&'v Value) -> Result<T, Value>,
    ) -> Option<Vec<T>> {
        let elements = match self.value(name)? {
            Value::Array(elements) => elements.as_slice(),
            Value::Object(fields) if fields.is_empty() => &[],
            _ => {
                self.problem(name, type_problem);
                return None;
            }
        };
        elements_of(elements, read).map_err(|problem| self.problem(name, problem)).ok()
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str, check: impl Check) -> Option<Vec<String>> {
        self.list(name, "expected an array", |element| text(element, &check, 1))
    }

    /// A list of values without repetitions.
    pub(super) fn set<T: PartialEq>(
        &mut self,
        name: &str,
        read: impl FnMut(&'v Value) -> Result<T, Value>,
    ) -> Option<Vec<T>> {
        let elements = self.list(name, "expected a set", read)?;
        let mut set = Vec::with_capacity(elements.len());
        for element in elements {
            if !set.contains(&element) {
                set.push(element);
            }
        }
        Some(set)
    }

    /// The labels that every entity can carry.
    pub(super) fn tags(&mut self) -> Option<Vec<String>> {
        self.set("tags", |element| text(element, &rules::tag, 1))
    }

    /// The primary key, if the item has one of its own.
    pub(super) fn id(&mut self) -> Option<Uuid> {
        let text = self.text("id", rules::uuid)?;
        Uuid::try_parse(&text).ok()
    }

    /// The time at which the entity was created; `now` unless the item says otherwise.
    ///
    /// The time of the last change is always `now`, whatever the item says.
    pub(super) fn created_at(&mut self, now: i64) -> i64 {
        match self.any_integer("created_at") {
            Some(time) if time > 0 => time,
            Some(_) => {
                self.problem("created_at", "expected a valid timestamp");
                now
            }
            None => now,
        }
    }

    /// The parent that a field names, by name or by id.
    pub(super) fn parent(&mut self, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::Object(fields) => match fields.get("id") {
                Some(Value::String(id)) if rules::uuid(id).is_ok() => return Some(id.clone()),
                Some(Value::String(_)) => self.problem_with_id(name, "expected a valid UUID"),
                Some(Value::Null) | None => self.problem_with_id(name, "missing primary key"),
                Some(_) => self.problem_with_id(name, "expected a string"),
            },
            Value::Array(items) if items.is_empty() => self.problem_with_id(name, "missing primary key"),
            _ => return self.text(name, |_| Ok(())),
        }
        None
    }

    fn problem_with_id(&mut self, name: &str, problem: &str) {
        let mut location = self.at(name);
        location.push(Step::from("id"));
        self.problems.add(&location, problem);
    }

    fn text_of(&mut self, name: &str, check: impl Check, min_length: usize) -> Option<String> {
        text(self.value(name)?, &check, min_length).map_err(|problem| self.problem(name, problem)).ok()
    }

    fn at(&self, name: &str) -> Location {
        let mut location = self.location.clone();
        location.push(Step::from(name));
        location
    }
}

/// A text that passes `check`, or what is wrong with it.
pub(super) fn text(value: &Value, check: &impl Check, min_length: usize) -> Result<String, Value> {
    let Value::String(text) = value else { return Err("expected a string".into()) };
    if text.len() < min_length {
        return Err(format!("length must be at least {min_length}").into());
    }
    check(text)?;
    Ok(text.clone())
}

/// An integer within limits, or what is wrong with it.
pub(super) fn integer_within<T: TryFrom<i64>>(
    value: &Value,
    limits: RangeInclusive<i64>,
) -> Result<T, Value> {
    let integer = integer(value).ok_or("expected an integer")?;
    let (first, last) = (*limits.start(), *limits.end());
    let within = limits.contains(&integer).then(|| T::try_from(integer).ok()).flatten();
    within.ok_or_else(|| format!("value should be between {first} and {last}").into())
}

/// All elements, or a list of what is wrong with them that has `null` for those that are right.
pub(super) fn elements_of<'v, T>(
    elements: &'v [Value],
    mut read: impl FnMut(&'v Value) -> Result<T, Value>,
) -> Result<Vec<T>, Value> {
    let mut values = Vec::with_capacity(elements.len());
    let mut problems = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        match read(element) {
            Ok(value) => values.push(value),
            Err(problem) => {
                problems.resize(at, Value::Null);
                problems.push(problem);
            }
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(Value::Array(problems)) }
}

/// Numbers such as `80.0` count as integers.
fn integer(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "only floats without a fraction that fit are cast")]
    let from_float = |float: f64| (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64);
    value.as_i64().or_else(|| value.as_f64().and_then(from_float))
}

/// Fields of every item that are read for their type only.
const COMMENTS: [&str; 2] = ["_comment", "_ignore"];
