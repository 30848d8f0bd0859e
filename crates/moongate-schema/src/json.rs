//! The JSON form of schemas: what `/schemas` shows, and what plugins hand over.

mod checks;
mod members;
mod read;
mod write;

pub use read::SchemaError;

use serde_json::{Value, json};

use crate::{Functions, Schema};

/// Which of the two JSON forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// What is shown: without the names of functions and without what only the gateway needs.
    Shown,
    /// Everything, to be read again.
    Declared,
}

impl Schema {
    /// The schema as `/schemas` shows it: its fields and the checks over several of them.
    ///
    /// Functions have no JSON form and are left out; so are sub-schemas, which have addresses of their own.
    pub fn to_json(&self) -> Value {
        let checks: Vec<Value> =
            self.entity_checks().iter().map(|check| checks::write(check, Form::Shown)).collect();
        let fields: Vec<Value> = self.fields().iter().map(|field| write::named(field, Form::Shown)).collect();
        json!({"entity_checks": checks, "fields": fields})
    }

    /// The whole declaration as JSON, from which [`Schema::from_json`] makes the same schema. Functions are
    /// named. Sub-schemas are left out.
    pub fn to_declaration(&self) -> Value {
        Value::Object(write::schema(self, Form::Declared))
    }

    /// The schema that a declaration in JSON describes. Names of functions are looked up in `functions`.
    ///
    /// # Errors
    /// The first place in the declaration that is not understood, and why.
    pub fn from_json(declaration: &Value, functions: &Functions) -> Result<Self, SchemaError> {
        read::schema(declaration, functions)
    }
}

#[cfg(test)]
mod tests;
