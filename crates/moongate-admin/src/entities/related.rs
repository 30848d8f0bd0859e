//! Changes of what a reference is to.

use http::Method;
use moongate_schema::{Object, Schema};
use moongate_store::{Change, Key, StoreError};
use serde_json::{Value, json};

use super::find;
use super::read::related_schema;
use super::replace::replace_with;
use super::update::{Failure, update_row};
use crate::access::{Access, View, id_of, referred};
use crate::body::Fields;
use crate::error::ApiError;

/// Changes the entity that a reference of another one is to.
///
/// `PUT` makes one where there is none, and lets the reference be to it.
pub(crate) async fn change_related(
    access: &Access,
    schema: &Schema,
    segment: &str,
    field: &str,
    method: &Method,
    fields: &Fields,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    let (_, row) = find(access, &view, schema, segment, None)?;
    let row = row.ok_or(ApiError::NotFound)?;
    let target = related_schema(access, schema, field)?;
    let id = referred(&row, field);
    match (method, id) {
        (&Method::PUT, Some(id)) => {
            replace_with(access, &view, target, &Key::Id(id), fields.typed(target, None), Vec::new()).await
        }
        (&Method::PUT, None) => {
            let id = access.context().uuid();
            let changed = refer(access, schema, row, field, json!({"id": id}));
            replace_with(access, &view, target, &Key::Id(id), fields.typed(target, None), vec![changed]).await
        }
        (_, None) => Err(ApiError::NotFound),
        (&Method::DELETE, Some(_)) => Err(ApiError::MethodNotAllowed),
        (_, Some(id)) => update_by_id(access, view, target, id, fields).await,
    }
}

async fn update_by_id(
    access: &Access,
    mut view: View,
    schema: &Schema,
    id: uuid::Uuid,
    fields: &Fields,
) -> Result<Value, ApiError> {
    let key = Key::Id(id);
    for _ in 0..ATTEMPTS {
        let existing = view.find(schema.name(), &key)?.ok_or(ApiError::NotFound)?;
        match update_row(access, &view, schema, &key, existing, fields).await {
            Ok(shown) => return Ok(shown),
            Err(Failure::Other(error)) => return Err(error),
            Err(Failure::Conflict) => view = access.view().await?,
        }
    }
    Err(StoreError::Conflict { entity: schema.name().to_owned(), id }.into())
}

/// The change that lets a reference be to something else.
fn refer(access: &Access, schema: &Schema, mut row: Object, field: &str, reference: Value) -> Change {
    row.remove("ttl");
    let mut after = row.clone();
    after.insert(field.to_owned(), reference);
    if after.contains_key("updated_at") {
        after.insert("updated_at".to_owned(), access.context().now().into());
    }
    debug_assert!(id_of(&row).is_some(), "rows of a store have an id");
    Change::update(schema.name(), row, after)
}

const ATTEMPTS: usize = 8;
