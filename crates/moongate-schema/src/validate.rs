//! Whether an object is as its schema says.

mod rules;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::{plain, whole};
use crate::{Context, Field, FieldType, Object, Operation, Problem, Schema, SystemRandomness, Violations};

impl Schema {
    /// Checks a whole object, as [`Schema::complete`] and [`Schema::merge`] make it.
    ///
    /// # Errors
    /// Everything that is wrong with it. When the field that chooses the sub-schema is wrong, that alone.
    pub fn validate(
        &self,
        object: &Object,
        operation: Operation,
        context: &Context<'_>,
    ) -> Result<(), Violations> {
        let look = Look { mode: Mode::of(operation), context, change: None };
        let violations = self.violations(object, look);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    /// As [`Schema::validate`] for an update, with what [`Schema::change`] made of it. It also sees whether the
    /// change names all that a transformation needs: who changes a password says whose it is.
    ///
    /// # Errors
    /// Everything that is wrong with the whole object.
    pub fn validate_change(
        &self,
        existing: &Object,
        patch: &Object,
        whole: &Object,
        context: &Context<'_>,
    ) -> Result<(), Violations> {
        let look = Look { mode: Mode::Update, context, change: Some(Change { existing, patch }) };
        let violations = self.violations(whole, look);
        if violations.is_empty() { Ok(()) } else { Err(violations) }
    }

    pub(crate) fn violations(&self, object: &Object, look: Look<'_>) -> Violations {
        if let Some(violations) = self.selection_violation(object) {
            return violations;
        }
        let subschema = self.subschema_of(object).map(AsRef::as_ref);
        let mut violations = Violations::new();
        for (name, value) in object {
            let field =
                subschema.and_then(|schema| schema.field_named(name)).or_else(|| self.field_named(name));
            let problem = match field {
                Some(field) if field.auto == Some(crate::Auto::UpdatedAt) => None,
                Some(field) => field.problem(value, self, look),
                None if name == "ttl" && self.has_ttl() => None,
                None => Some(Problem::from("unknown field")),
            };
            if let Some(problem) = problem {
                violations.add(name, problem);
            }
        }
        if look.mode != Mode::Partial {
            for field in self.fields_of(subschema) {
                if field.is_required() && !object.contains_key(&field.name) {
                    violations.add(&field.name, Problem::from(MISSING));
                }
            }
        }
        self.check_entity(object, subschema, look, &mut violations);
        violations
    }

    /// What is wrong with the field that chooses the sub-schema.
    fn selection_violation(&self, object: &Object) -> Option<Violations> {
        let subschemas = self.all_subschemas()?;
        let key = subschemas.key.as_str();
        let text = match object.get(key) {
            None | Some(Value::Null) => MISSING.to_owned(),
            Some(_) if self.subschema_of(object).is_some() => return None,
            Some(Value::Array(values)) => {
                subschemas.unknown.replace("%s", &values.first().map_or_else(|| "nil".to_owned(), plain))
            }
            Some(Value::String(value)) => subschemas.unknown.replace("%s", value),
            Some(_) => subschemas.unknown.replace("%s", "nil"),
        };
        Some(Violations::of_field(key, text))
    }
}

/// How an object is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) mode: Mode,
    pub(crate) context: &'a Context<'a>,
    pub(crate) change: Option<Change<'a>>,
}

/// What an update changes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) existing: &'a Object,
    pub(crate) patch: &'a Object,
}

/// How much of an object is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// All of it.
    Full,
    /// All of it, after a change of parts.
    Update,
    /// What is there: a reference to an object rather than the object.
    Partial,
}

impl Mode {
    fn of(operation: Operation) -> Self {
        match operation {
            Operation::Insert | Operation::Upsert => Self::Full,
            Operation::Update => Self::Update,
        }
    }
}

impl Field {
    /// What is wrong with `value`; `schema` is the one that the field belongs to.
    pub(crate) fn problem(&self, value: &Value, schema: &Schema, look: Look<'_>) -> Option<Problem> {
        if value.is_null() {
            return self.null_problem().map(Problem::from);
        }
        if self.rules.eq == Some(Value::Null) {
            return Some(self.text(|| "value must be null".to_owned()));
        }
        if let Some(problem) = self.type_problem(value, schema, look) {
            return Some(problem);
        }
        if self.referenceable && is_reference(value) {
            return None;
        }
        let text = self.rules.broken(value, matches!(self.kind, FieldType::String))?;
        Some(self.text(|| text))
    }

    /// What is wrong with `value` for this field alone, without anything around it, in one line.
    pub fn problem_alone(&self, value: &Value) -> Option<String> {
        let context = Context::new(0, &SystemRandomness);
        let look = Look { mode: Mode::Partial, context: &context, change: None };
        match self.problem(value, &Schema::record(), look)? {
            Problem::Text(text) => Some(text),
            nested => Some(nested.to_value().to_string()),
        }
    }

    fn text(&self, usual: impl FnOnce() -> String) -> Problem {
        Problem::Text(self.err.clone().unwrap_or_else(usual))
    }

    fn null_problem(&self) -> Option<String> {
        let own = |text: String| self.err.clone().unwrap_or(text);
        match (&self.rules.eq, &self.rules.ne) {
            (_, Some(Value::Null)) => Some(own("value must not be null".to_owned())),
            (Some(eq), _) if !eq.is_null() => Some(own(format!("value must be {}", plain(eq)))),
            _ if self.is_required() => Some(MISSING.to_owned()),
            _ => None,
        }
    }

    fn type_problem(&self, value: &Value, schema: &Schema, look: Look<'_>) -> Option<Problem> {
        let expected = match (&self.kind, value) {
            (FieldType::String, Value::String(_))
            | (FieldType::Number, Value::Number(_))
            | (FieldType::Boolean, Value::Bool(_))
            | (FieldType::Json(_), _) => return None,
            (FieldType::Integer, Value::Number(number)) if whole(number).is_some() || !number.is_f64() => {
                return None;
            }
            (FieldType::Array(elements) | FieldType::Set(elements), Value::Array(values)) => {
                return element_problems(elements, values, schema, look);
            }
            (FieldType::Array(_) | FieldType::Set(_), Value::Object(members)) if members.is_empty() => {
                return None;
            }
            (FieldType::Map { keys, values }, Value::Object(members)) => {
                return members.iter().find_map(|(key, value)| {
                    let key = keys.problem(&Value::String(key.clone()), schema, look);
                    key.or_else(|| values.problem(value, schema, look))
                });
            }
            (FieldType::Map { keys, values }, Value::Array(members)) => {
                // A list is a map whose keys are numbers.
                return members.iter().enumerate().find_map(|(at, value)| {
                    let key = keys.problem(&Value::from(at + 1), schema, look);
                    key.or_else(|| values.problem(value, schema, look))
                });
            }
            (FieldType::Record(_), _) if self.is_abstract => return None,
            (FieldType::Record(record), Value::Object(members)) => {
                let inner = record.violations(members, look);
                return (!inner.is_empty()).then_some(Problem::Record(inner));
            }
            (FieldType::Record(record), Value::Array(members)) => {
                let members = members.iter().enumerate();
                let members = members.map(|(at, _)| (at, Problem::from("unknown field")));
                let members: BTreeMap<_, _> = members.collect();
                if !members.is_empty() {
                    return Some(Problem::Elements(members));
                }
                let inner = record.violations(&Object::new(), look);
                return (!inner.is_empty()).then_some(Problem::Record(inner));
            }
            (FieldType::Foreign { reference, .. }, value) => {
                return reference_problem(schema.linked(reference), value, look);
            }
            (kind, _) => kind.article_and_name(),
        };
        Some(Problem::Text(format!("expected {expected}")))
    }
}

impl FieldType {
    fn article_and_name(&self) -> &'static str {
        match self {
            Self::String => "a string",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "a boolean",
            Self::Array(_) => "an array",
            Self::Set(_) => "a set",
            Self::Map { .. } => "a map",
            Self::Record(_) => "a record",
            Self::Foreign { .. } => "a foreign key",
            Self::Json(_) => "a json value",
            Self::Function => "a function",
        }
    }
}

fn element_problems(elements: &Field, values: &[Value], schema: &Schema, look: Look<'_>) -> Option<Problem> {
    let problem = |(at, value)| elements.problem(value, schema, look).map(|problem| (at, problem));
    let problems: BTreeMap<usize, Problem> = values.iter().enumerate().filter_map(problem).collect();
    (!problems.is_empty()).then_some(Problem::Elements(problems))
}

/// What is wrong with a reference: it holds no id, or one that is none.
fn reference_problem(target: Option<&Schema>, value: &Value, look: Look<'_>) -> Option<Problem> {
    let id = value.as_object().and_then(|key| key.get("id"));
    let text = match id {
        Some(Value::Null) => MISSING,
        Some(Value::String(id)) if is_uuid(id) => return None,
        Some(Value::String(_)) => NOT_A_UUID,
        Some(_) => "expected a string",
        None => "missing primary key",
    };
    // What is given is looked at as the object that it stands for, which may say more.
    if let (Some(target), Value::Object(key)) = (target, value) {
        let whole = target.violations(key, Look { mode: Mode::Partial, ..look });
        if !whole.is_empty() {
            return Some(Problem::Record(whole));
        }
    }
    Some(Problem::Record(Violations::of_field("id", text)))
}

/// Whether two values are the same; `5` and `5.0` are.
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Names as messages list them: `'a', 'b'`.
pub(crate) fn quoted(names: impl Iterator<Item = String>) -> String {
    names.map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ")
}

fn contains(values: &[Value], value: &Value) -> bool {
    values.iter().any(|one| same(one, value))
}

fn listed(values: &[Value]) -> String {
    values.iter().map(plain).collect::<Vec<_>>().join(", ")
}

/// Whether a value is a reference to a secret, `{vault://env/some-secret}`.
pub fn is_reference(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.strip_prefix("{vault://").is_some_and(|rest| rest.len() > 1 && rest.ends_with('}'))
    })
}

/// Whether a text is a UUID with hyphens, in letters of any case.
pub fn is_uuid(text: &str) -> bool {
    let is_digit_or_hyphen = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_digit_or_hyphen)
}

pub(crate) const MISSING: &str = "required field missing";
const NOT_A_UUID: &str = "expected a valid UUID";

#[cfg(test)]
mod tests;
