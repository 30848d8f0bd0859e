//! Filling an object, and changing one.

use std::collections::HashSet;

use serde_json::Value;

use crate::shorthand::Outcome;
use crate::text::whole;
use crate::{Auto, Context, Field, FieldType, Object, Operation, Problem, Schema, Violations};

impl Schema {
    /// Fills what was not given: shorthands are resolved, ids, times and random strings made, defaults and
    /// nulls put in place, duplicates taken out of sets. An update gets no defaults; there an absent field stays
    /// as it was.
    ///
    /// A shorthand of the wrong type, or one that contradicts the field that replaced it, is the only thing
    /// that is refused here; everything else is left to [`Schema::validate`].
    ///
    /// # Errors
    /// What is wrong with the shorthands.
    pub fn complete(
        &self,
        input: Object,
        operation: Operation,
        context: &Context<'_>,
    ) -> Result<Object, Violations> {
        let mut violations = Violations::new();
        let object = self.completed(input, operation, context, &mut violations);
        if violations.is_empty() { Ok(object) } else { Err(violations) }
    }

    /// Completes `patch` and merges it into `existing`: what a PATCH does before the whole is validated.
    ///
    /// The first part of the result is the completed patch, which [`Schema::transform`] needs, the second the
    /// whole object. The patch need not name the sub-schema again, such as the plugin.
    ///
    /// # Errors
    /// What is wrong with the shorthands, and fields that cannot be changed.
    pub fn change(
        &self,
        existing: &Object,
        mut patch: Object,
        context: &Context<'_>,
    ) -> Result<(Object, Object), Violations> {
        if let Some(key) = self.all_subschemas().map(|subschemas| &subschemas.key)
            && let (None, Some(value)) = (patch.get(key), existing.get(key))
        {
            patch.insert(key.clone(), value.clone());
        }
        let patch = self.complete(patch, Operation::Update, context)?;
        let whole = self.merge(existing, &patch);
        let mut violations = Violations::new();
        for field in self.fields().iter().filter(|field| field.immutable && patch.contains_key(&field.name)) {
            if existing.get(&field.name) != whole.get(&field.name) {
                violations.add(&field.name, Problem::from("immutable field cannot be updated"));
            }
        }
        if violations.is_empty() { Ok((patch, whole)) } else { Err(violations) }
    }

    /// The whole object after a change: fields of `patch` take the place of those of `existing`, records are
    /// merged field by field, lists and maps are replaced.
    pub fn merge(&self, existing: &Object, patch: &Object) -> Object {
        let mut whole = existing.clone();
        let key = self.all_subschemas().map(|subschemas| subschemas.key.as_str());
        // The sub-schema is that of the object as it will be.
        if let Some((key, value)) = key.and_then(|key| Some((key, patch.get(key)?))) {
            whole.insert(key.to_owned(), value.clone());
        }
        let subschema = self.subschema_of(&whole).cloned();
        for (name, value) in patch {
            let refined = subschema.as_ref().and_then(|schema| schema.field_named(name));
            let record = refined.or_else(|| self.field_named(name)).and_then(Field::fields);
            let merged = match (record, existing.get(name), value) {
                (Some(record), Some(Value::Object(existing)), Value::Object(patch)) => {
                    Value::Object(record.merge(existing, patch))
                }
                _ => value.clone(),
            };
            whole.insert(name.clone(), merged);
        }
        whole
    }

    /// As [`Schema::complete`]; what is wrong with shorthands is noted, and the field left as it is.
    fn completed(
        &self,
        mut object: Object,
        operation: Operation,
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Object {
        self.resolve_shorthands(&mut object, context, violations);
        let subschema = self.subschema_of(&object).cloned();
        if let Some(subschema) = &subschema {
            subschema.resolve_shorthands(&mut object, context, violations);
        }
        for field in self.fields_of(subschema.as_deref()) {
            let given = object.remove(&field.name);
            let mut inner = Violations::new();
            if let Some(value) = field.completed(given, operation, context, &mut inner) {
                object.insert(field.name.clone(), value);
            }
            // Shorthands of a record are told with the entity's.
            violations.merge(inner);
        }
        object
    }

    fn resolve_shorthands(&self, object: &mut Object, context: &Context<'_>, violations: &mut Violations) {
        for shorthand in self.shorthands() {
            match shorthand.resolve(object, self, context) {
                Outcome::Absent | Outcome::Resolved => {}
                Outcome::Wrong(problem) => violations.add(&shorthand.field.name, problem),
            }
        }
    }
}

impl Field {
    /// The value of this field in a new or changed object. `None`: the field stays absent.
    fn completed(
        &self,
        given: Option<Value>,
        operation: Operation,
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Option<Value> {
        let is_update = operation == Operation::Update;
        let given = self.auto_value(given, is_update, context);
        if self.is_abstract {
            return given.or_else(|| self.missing(is_update));
        }
        match given {
            None => {
                let default = self.missing(is_update);
                if is_update {
                    return None;
                }
                let FieldType::Record(record) = &self.kind else { return default };
                match default {
                    Some(Value::Object(default)) => {
                        Some(Value::Object(record.completed(default, operation, context, violations)))
                    }
                    None => {
                        Some(Value::Object(record.completed(Object::new(), operation, context, violations)))
                    }
                    null => null,
                }
            }
            Some(Value::Null) => Some(Value::Null),
            Some(value) => Some(self.completed_value(value, operation, context, violations)),
        }
    }

    fn completed_value(
        &self,
        value: Value,
        operation: Operation,
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Value {
        match (&self.kind, value) {
            (FieldType::Record(record), Value::Object(members)) if !self.is_abstract => {
                Value::Object(record.completed(members, operation, context, violations))
            }
            (FieldType::Record(record), Value::Array(members)) if members.is_empty() && !self.is_abstract => {
                Value::Object(record.completed(Object::new(), operation, context, violations))
            }
            (FieldType::Array(elements), Value::Array(values)) => {
                let complete = |value| elements.completed_element(value, operation, context, violations);
                values.into_iter().map(complete).collect()
            }
            (FieldType::Set(elements), Value::Array(values)) => {
                let complete = |value| elements.completed_element(value, operation, context, violations);
                without_duplicates(values.into_iter().map(complete))
            }
            (FieldType::Array(_) | FieldType::Set(_), Value::Object(members)) if members.is_empty() => {
                Value::Array(Vec::new())
            }
            (FieldType::Map { .. }, Value::Array(members)) if members.is_empty() => {
                Value::Object(Object::new())
            }
            (FieldType::Map { values, .. }, Value::Object(members)) => {
                let complete =
                    |(key, value)| (key, values.completed_element(value, operation, context, violations));
                members.into_iter().map(complete).collect()
            }
            (FieldType::Integer | FieldType::Number, Value::Number(number)) if number.is_f64() => {
                whole(&number).map_or(Value::Number(number), Value::from)
            }
            (_, value) => value,
        }
    }

    /// Elements are given as a whole, so those that are records get their defaults on updates too.
    fn completed_element(
        &self,
        value: Value,
        operation: Operation,
        context: &Context<'_>,
        violations: &mut Violations,
    ) -> Value {
        let operation = if operation == Operation::Update { Operation::Upsert } else { operation };
        if value.is_null() { value } else { self.completed_value(value, operation, context, violations) }
    }

    fn auto_value(&self, given: Option<Value>, is_update: bool, context: &Context<'_>) -> Option<Value> {
        let is_unset = given.as_ref().is_none_or(Value::is_null);
        match self.auto {
            Some(Auto::Uuid) if !is_update && given.is_none() => {
                Some(Value::from(context.uuid().to_string()))
            }
            Some(Auto::RandomString) if !is_update && is_unset => Some(Value::from(context.random_string())),
            Some(Auto::CreatedAt) if !is_update && is_unset => Some(self.time(context)),
            Some(Auto::UpdatedAt) => Some(self.time(context)),
            _ => given,
        }
    }

    fn time(&self, context: &Context<'_>) -> Value {
        match self.kind {
            FieldType::Integer => Value::from(context.now()),
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds of the next centuries are below 2^53"
            )]
            _ => {
                let seconds = context.now_ms() as f64 / 1000.0;
                let is_whole = context.now_ms().is_multiple_of(1000);
                if is_whole { Value::from(context.now()) } else { Value::from(seconds) }
            }
        }
    }

    /// The value of a field that was not given. `None`: it stays absent, and is missing if it is required.
    fn missing(&self, is_update: bool) -> Option<Value> {
        if is_update {
            return None;
        }
        match &self.default {
            Some(default) => Some(default.clone()),
            None if self.is_required() => None,
            None => Some(Value::Null),
        }
    }
}

fn without_duplicates(values: impl Iterator<Item = Value>) -> Value {
    let mut seen = HashSet::new();
    values.filter(|value| seen.insert(value.to_string())).collect()
}
