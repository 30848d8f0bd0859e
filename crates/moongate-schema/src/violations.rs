//! What is wrong with an object.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::Object;
use crate::text::pretty_table;

/// What is wrong with an object, by field.
///
/// Nothing here means that nothing is wrong; functions return it as an error only when there is something.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Violations {
    entity: Vec<String>,
    fields: BTreeMap<String, Problem>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The field itself.
    Text(String),
    /// Fields of the record in it.
    Record(Violations),
    /// Elements of the list in it, by their place from 0.
    Elements(BTreeMap<usize, Problem>),
}

impl Violations {
    /// Nothing is wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Just one field is wrong.
    pub fn of_field(field: &str, text: impl Into<String>) -> Self {
        let mut violations = Self::new();
        violations.add(field, Problem::Text(text.into()));
        violations
    }

    /// Just the object as a whole is wrong.
    pub fn of_entity(text: impl Into<String>) -> Self {
        Self { entity: vec![text.into()], fields: BTreeMap::new() }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.entity.is_empty() && self.fields.is_empty()
    }

    /// Notes a problem of a field, in place of what was noted for it.
    pub fn add(&mut self, field: &str, problem: Problem) {
        self.fields.insert(field.to_owned(), problem);
    }

    /// Notes a problem of the field at a path such as `config.redis.host`, in place of what was noted for it.
    pub fn add_at(&mut self, path: &str, text: impl Into<String>) {
        let Some((field, rest)) = path.split_once('.') else {
            return self.add(path, Problem::Text(text.into()));
        };
        if let Some(Problem::Record(inner)) = self.fields.get_mut(field) {
            return inner.add_at(rest, text);
        }
        let mut inner = Self::new();
        inner.add_at(rest, text);
        self.add(field, Problem::Record(inner));
    }

    /// Notes a problem of the object as a whole.
    pub fn add_entity(&mut self, text: impl Into<String>) {
        self.entity.push(text.into());
    }

    /// Adds all that is noted in `other`. Records are joined; otherwise what `other` says of a field stands.
    pub fn merge(&mut self, other: Self) {
        self.entity.extend(other.entity);
        for (field, problem) in other.fields {
            match (self.fields.get_mut(&field), problem) {
                (Some(Problem::Record(own)), Problem::Record(further)) => own.merge(further),
                (_, problem) => {
                    self.fields.insert(field, problem);
                }
            }
        }
    }

    /// The problem noted for a field.
    pub fn field(&self, field: &str) -> Option<&Problem> {
        self.fields.get(field)
    }

    /// The problem noted for the field at a path such as `config.redis.host`, or for a record on the way.
    pub fn at(&self, path: &str) -> Option<&Problem> {
        let Some((field, rest)) = path.split_once('.') else { return self.fields.get(path) };
        match self.fields.get(field)? {
            Problem::Record(inner) => inner.at(rest),
            problem => Some(problem),
        }
    }

    /// The problems of the object as a whole, in the order of the checks.
    pub fn entity(&self) -> &[String] {
        &self.entity
    }

    /// The problems of fields, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Problem)> {
        self.fields.iter().map(|(field, problem)| (field.as_str(), problem))
    }

    /// The problems as the `fields` of an error body: as the object is nested, with `@entity` for what concerns
    /// an object as a whole and `null` for elements of lists that are right.
    pub fn fields(&self) -> Value {
        let mut fields = Object::new();
        if !self.entity.is_empty() {
            fields.insert("@entity".to_owned(), self.entity.iter().map(String::as_str).collect());
        }
        fields.extend(self.fields.iter().map(|(field, problem)| (field.clone(), problem.to_value())));
        Value::Object(fields)
    }

    /// The problems in one line: `schema violation (host: required field missing)`.
    pub fn message(&self) -> String {
        let mut parts = self.entity.clone();
        for (field, problem) in &self.fields {
            match problem {
                Problem::Text(text) => parts.push(format!("{field}: {text}")),
                Problem::Record(inner) => {
                    if !inner.entity.is_empty() {
                        let list = inner.entity.iter().map(String::as_str).collect::<Value>();
                        parts.push(format!("{field}.@entity: {}", pretty_table(&list)));
                    }
                    for (name, problem) in &inner.fields {
                        parts.push(format!("{field}.{name}: {}", problem.in_message()));
                    }
                }
                Problem::Elements(elements) => {
                    for (at, problem) in elements {
                        parts.push(format!("{field}.{}: {}", at + 1, problem.in_message()));
                    }
                }
            }
        }
        match parts.as_slice() {
            [one] => format!("schema violation ({one})"),
            several => format!("{} schema violations ({})", several.len(), several.join("; ")),
        }
    }
}

impl Problem {
    /// The problem as it stands in the `fields` of an error body.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Record(inner) => inner.fields(),
            Self::Elements(elements) => {
                let length = elements.keys().next_back().map_or(0, |last| last + 1);
                let element = |at| elements.get(&at).map_or(Value::Null, Self::to_value);
                (0..length).map(element).collect()
            }
        }
    }

    fn in_message(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            nested => pretty_table(&nested.to_value()),
        }
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
