//! Changes of single fields.

use moongate_schema::Schema;
use moongate_store::{Change, Key, Row, StoreError};
use serde_json::Value;

use super::find;
use super::input::Input;
use crate::access::{Access, View, id_of};
use crate::body::Fields;
use crate::error::ApiError;
use crate::resource::Parent;

/// Changes the entity that a path names.
///
/// When another change comes between reading and writing, the entity is read again.
pub(crate) async fn update(
    access: &Access,
    schema: &Schema,
    segment: &str,
    parent: Option<&Parent>,
    fields: &Fields,
) -> Result<Value, ApiError> {
    for _ in 0..ATTEMPTS {
        let view = access.view().await?;
        let (key, existing) = find(access, &view, schema, segment, parent)?;
        let existing = existing.ok_or_else(|| missing(schema, key.clone(), fields))?;
        match update_row(access, &view, schema, &key, existing, fields).await {
            Err(Failure::Conflict) => {}
            Err(Failure::Other(error)) => return Err(error),
            Ok(shown) => return Ok(shown),
        }
    }
    Err(StoreError::Conflict { entity: schema.name().to_owned(), id: uuid::Uuid::nil() }.into())
}

/// Changes an entity that was read from `view`.
pub(super) async fn update_row(
    access: &Access,
    view: &View,
    schema: &Schema,
    key: &Key,
    mut existing: Row,
    fields: &Fields,
) -> Result<Value, Failure> {
    // It is no field, and stays as it is unless another is given.
    existing.remove("ttl");
    let given = fields.typed(schema, Some(&existing));
    let input = Input::prepare(access, view, schema, given, Some(&existing))?;
    input.names.check(view, id_of(&existing))?;
    let entity = input.into_changed(access, schema, &existing)?;
    access.check_writable("update", schema, Some(key))?;
    let mut changes = vec![Change::update(schema.name(), existing, entity.row.clone())];
    changes.extend(entity.names.changes(access, view, &entity.row, false)?);
    let written = match access.store().write(changes).await {
        Ok(written) => written,
        Err(StoreError::Conflict { .. }) => return Err(Failure::Conflict),
        Err(error) => return Err(Failure::Other(error.into())),
    };
    let view = View::after(&written, access);
    let row = written.into_row().map_err(ApiError::from)?;
    Ok(access.show(&view, schema, &row))
}

/// Why an entity was not changed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another change came between.
    Conflict,
    Other(ApiError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

/// A plugin's schema can only be found by its name, so without one not even the kind of what is missing is known.
fn missing(schema: &Schema, key: Key, fields: &Fields) -> ApiError {
    if schema.name() == "plugins" && !fields.contains("name") {
        return ApiError::NotFound;
    }
    ApiError::NoSuchEntity(key)
}

const ATTEMPTS: usize = 8;
