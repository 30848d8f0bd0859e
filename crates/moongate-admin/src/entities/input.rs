//! What a request brings, made ready to be completed and checked by the schema.

mod protocols;
mod references;
mod ttl;

use moongate_schema::{Object, Operation, Schema};
use moongate_store::Key;
use serde_json::Value;
use uuid::Uuid;

use crate::access::{Access, View, id_of};
use crate::certificates::{self, Names};
use crate::error::ApiError;
use crate::targets;

/// The fields of a request, with what is no field of the stored entity beside them.
#[derive(Debug)]
pub(super) struct Input {
    fields: Object,
    ttl: Option<Value>,
    /// The server names of a certificate.
    pub(super) names: Names,
}

/// An entity that is complete and correct.
#[derive(Debug)]
pub(super) struct Entity {
    /// As it is stored.
    pub(super) row: Object,
    /// The server names of a certificate.
    pub(super) names: Names,
}

impl Input {
    /// Takes out what is no field, resolves references, and checks what needs more than the schema.
    ///
    /// `existing` is what the request changes.
    ///
    /// # Errors
    /// [`ApiError::Invalid`], [`ApiError::InvalidOption`], [`ApiError::InvalidUnique`], [`ApiError::Unresolved`].
    pub(super) fn prepare(
        access: &Access,
        view: &View,
        schema: &Schema,
        mut fields: Object,
        existing: Option<&Object>,
    ) -> Result<Self, ApiError> {
        let ttl = if schema.has_ttl() { ttl::take(&mut fields)? } else { None };
        references::resolve(access, view, schema, &mut fields)?;
        match schema.name() {
            "plugins" => protocols::check(view, &fields, existing)?,
            targets::ENTITY if existing.is_none() => targets::normalize(&mut fields)?,
            _ => {}
        }
        let names = match schema.name() {
            certificates::ENTITY => Names::take(access, &mut fields)?,
            _ => Names::default(),
        };
        Ok(Self { fields, ttl, names })
    }

    /// Sets a field over what the request says.
    pub(super) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.fields.insert(field.to_owned(), value.into());
    }

    /// The entity that this makes.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub(super) fn into_new(
        self,
        access: &Access,
        schema: &Schema,
        operation: Operation,
    ) -> Result<Entity, ApiError> {
        let context = access.context();
        let given = schema.complete(self.fields, operation, &context)?;
        schema.validate(&given, operation, &context)?;
        let mut row = given.clone();
        transform(schema, &mut row, &given)?;
        check_filled(schema, &row)?;
        Ok(finish(schema, row, self.ttl, self.names))
    }

    /// What this makes of `existing`.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub(super) fn into_changed(
        self,
        access: &Access,
        schema: &Schema,
        existing: &Object,
    ) -> Result<Entity, ApiError> {
        let context = access.context();
        let (patch, mut row) = schema.change(existing, self.fields, &context)?;
        schema.validate_change(existing, &patch, &row, &context)?;
        transform(schema, &mut row, &patch)?;
        check_filled(schema, &row)?;
        Ok(finish(schema, row, self.ttl, self.names))
    }
}

fn transform(schema: &Schema, row: &mut Object, given: &Object) -> Result<(), ApiError> {
    schema.transform(row, given).map_err(|error| {
        tracing::error!(entity = schema.name(), %error, "a value cannot be transformed");
        ApiError::Unexpected
    })
}

/// Refuses nulls that the schema allows and a column does not. Kong takes that for a matter of the primary key.
fn check_filled(schema: &Schema, row: &Object) -> Result<(), ApiError> {
    let is_null =
        |(entity, field): &(&str, &str)| *entity == schema.name() && row.get(*field) == Some(&Value::Null);
    match id_of(row) {
        Some(id) if FILLED.iter().any(is_null) => Err(ApiError::IdTaken(id)),
        _ => Ok(()),
    }
}

/// Entities with a field whose column holds no nulls.
const FILLED: [(&str, &str); 2] = [("targets", "weight"), ("upstreams", "slots")];

fn finish(schema: &Schema, mut row: Object, ttl: Option<Value>, names: Names) -> Entity {
    for field in schema.fields().iter().filter(|field| field.transient) {
        row.remove(&field.name);
    }
    if let Some(ttl) = ttl {
        row.insert("ttl".to_owned(), ttl);
    }
    Entity { row, names }
}

/// The value of a primary key as fields have it.
pub(super) fn id_value(id: Uuid) -> Value {
    id.to_string().into()
}

/// Puts the fields by which an entity is named into what the request says, over what it says itself.
pub(super) fn set_key(input: &mut Input, key: &Key) {
    match key {
        Key::Id(id) => input.set("id", id_value(*id)),
        Key::Unique(fields) => {
            for (field, value) in fields {
                input.set(field, value.clone());
            }
        }
        _ => {}
    }
}
