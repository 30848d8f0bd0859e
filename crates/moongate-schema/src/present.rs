//! What is shown of a stored object.

use serde_json::Value;

use crate::text::value_at;
use crate::{Field, FieldType, Object, Schema};

impl Schema {
    /// What the Admin API shows of a stored object: every field, records in full, deprecated shorthands with the
    /// value of the field that replaced them, and required fields that are null with their default.
    pub fn present(&self, row: &Object) -> Object {
        let subschema = self.subschema_of(row).map(AsRef::as_ref);
        let mut shown = Object::new();
        for field in self.fields_of(subschema) {
            shown.insert(field.name.clone(), field.presented(row.get(&field.name)));
        }
        if self.has_ttl()
            && let Some(ttl) = row.get("ttl")
        {
            shown.insert("ttl".to_owned(), ttl.clone());
        }
        for schema in [Some(self), subschema].into_iter().flatten() {
            for shorthand in schema.shorthands() {
                let replaced = shorthand.field.deprecation.as_ref().and_then(|old| old.replaced_with.first());
                if let Some(path) = replaced {
                    let value = value_at(&shown, &path.join(".")).cloned().unwrap_or_default();
                    shown.insert(shorthand.field.name.clone(), value);
                }
            }
        }
        shown
    }
}

impl Schema {
    /// A stored object with the default of every field that holds null, for who needs a value: null is valid where a
    /// field is not required, and means that nothing was chosen.
    pub fn with_defaults(&self, row: &Object) -> Object {
        let mut filled = row.clone();
        let subschema = self.subschema_of(row).map(AsRef::as_ref);
        for field in self.fields_of(subschema).filter(|field| !field.is_abstract) {
            match (filled.get_mut(&field.name), &field.default, &field.kind) {
                (Some(value @ Value::Null), Some(default), _) => *value = default.clone(),
                (Some(Value::Object(members)), _, FieldType::Record(record)) => {
                    *members = record.with_defaults(members);
                }
                _ => {}
            }
        }
        filled
    }
}

impl Field {
    fn presented(&self, value: Option<&Value>) -> Value {
        match (&self.kind, value) {
            (_, None | Some(Value::Null)) => match (&self.default, &self.kind) {
                _ if !self.is_required() || self.is_abstract => Value::Null,
                (Some(default), _) => self.presented_value(default),
                (None, FieldType::Record(record)) => Value::Object(record.present(&Object::new())),
                (None, _) => Value::Null,
            },
            (_, Some(value)) => self.presented_value(value),
        }
    }

    fn presented_value(&self, value: &Value) -> Value {
        match (&self.kind, value) {
            (FieldType::Record(record), Value::Object(members)) if !self.is_abstract => {
                Value::Object(record.present(members))
            }
            (FieldType::Array(elements) | FieldType::Set(elements), Value::Array(values))
                if elements.is_nested() =>
            {
                values.iter().map(|value| elements.presented_value(value)).collect()
            }
            (FieldType::Map { values, .. }, Value::Object(members)) if values.is_nested() => {
                members.iter().map(|(key, value)| (key.clone(), values.presented_value(value))).collect()
            }
            _ => value.clone(),
        }
    }

    /// Whether there are records in the value.
    fn is_nested(&self) -> bool {
        match &self.kind {
            FieldType::Record(_) => true,
            FieldType::Array(elements) | FieldType::Set(elements) => elements.is_nested(),
            FieldType::Map { values, .. } => values.is_nested(),
            _ => false,
        }
    }
}
