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

    /// As [`Violations::add_at`], for a path that may lead through lists: `config.origins.0`, with places from 0.
    pub fn add_in(&mut self, path: &str, text: impl Into<String>) {
        let mut steps = path.split('.').filter(|step| !step.is_empty());
        let Some(field) = steps.next() else { return self.add_entity(text) };
        let steps: Vec<&str> = steps.collect();
        match self.fields.get_mut(field) {
            Some(problem) => problem.add_in(&steps, text.into()),
            None => self.add(field, Problem::at(&steps, text.into())),
        }
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
    /// A problem at the end of some steps, of which those that are numbers lead into lists.
    fn at(steps: &[&str], text: String) -> Self {
        let [first, rest @ ..] = steps else { return Self::Text(text) };
        let inner = Self::at(rest, text);
        match first.parse() {
            Ok(place) => Self::Elements(BTreeMap::from([(place, inner)])),
            Err(_) => {
                let mut record = Violations::new();
                record.add(first, inner);
                Self::Record(record)
            }
        }
    }

    /// Adds a problem at the end of some steps. What is noted of a whole stands for its parts.
    fn add_in(&mut self, steps: &[&str], text: String) {
        match (self, steps) {
            (Self::Record(record), [_, ..]) => record.add_in(&steps.join("."), text),
            (Self::Elements(elements), [place, rest @ ..]) => {
                let Ok(place) = place.parse() else { return };
                match elements.get_mut(&place) {
                    Some(problem) => problem.add_in(rest, text),
                    None => drop(elements.insert(place, Self::at(rest, text))),
                }
            }
            _ => {}
        }
    }

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_leads_through_records_and_lists() {
        let mut violations = Violations::new();
        for (path, text) in [
            ("config.add.headers.1", "one"),
            ("config.add.headers.0", "none"),
            ("config.add.body", "two"),
            ("config.add.body.3", "of what is wrong as a whole"),
            ("", "three"),
        ] {
            violations.add_in(path, text);
        }
        let expected = json!({
            "@entity": ["three"],
            "config": {"add": {"headers": ["none", "one"], "body": "two"}},
        });
        assert_eq!(violations.fields(), expected);
        let mut violations = Violations::new();
        violations.add_in("config.origins.1", "no");
        assert_eq!(violations.message(), "schema violation (config.origins: {\n  [2] = \"no\"\n})");
    }
}
