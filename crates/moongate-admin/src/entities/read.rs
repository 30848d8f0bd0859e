//! Single entities.

use moongate_schema::Schema;
use moongate_store::Key;
use serde_json::Value;

use super::{find, parent_id};
use crate::access::{Access, referred};
use crate::certificates;
use crate::error::ApiError;
use crate::resource::{Parent, Resource};

/// One entity.
pub(crate) async fn read(
    access: &Access,
    schema: &Schema,
    key: &str,
    parent: Option<&Parent>,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    match find(access, &view, schema, key, parent)? {
        (_, Some(row)) => Ok(access.show(&view, schema, &row)),
        (key @ Key::Id(_), None) if schema.name() == certificates::ENTITY => Err(ApiError::NoSuchEntity(key)),
        (_, None) => Err(ApiError::NotFound),
    }
}

/// The entity that a reference of another one is to.
pub(crate) async fn read_related(
    access: &Access,
    schema: &Schema,
    key: &str,
    field: &str,
) -> Result<Value, ApiError> {
    let view = access.view().await?;
    let (_, row) = find(access, &view, schema, key, None)?;
    let id = row.and_then(|row| referred(&row, field)).ok_or(ApiError::NotFound)?;
    let target = related_schema(access, schema, field)?;
    let row = view.find(target.name(), &Key::Id(id))?.ok_or(ApiError::NotFound)?;
    // Here, and only here, Kong leaves the names of a certificate out.
    Ok(Value::Object(access.show_alone(target, &row)))
}

/// The kind of entities that a reference is to.
pub(super) fn related_schema<'a>(
    access: &'a Access,
    schema: &Schema,
    field: &str,
) -> Result<&'a Schema, ApiError> {
    let target = schema.field_named(field).and_then(|field| field.reference());
    let (target, _) = target.ok_or(ApiError::NotFound)?;
    access.schema(target).map(|schema| &**schema)
}

/// Whether a path may be asked for its methods: always, unless what it names is looked up before the method is.
///
/// # Errors
/// What any other method is answered with.
pub(crate) async fn exists_to_ask(access: &Access, resource: &Resource) -> Result<(), ApiError> {
    match resource {
        Resource::Entity { schema, key, parent: None } if schema.name() == certificates::ENTITY => {
            let view = access.view().await?;
            find(access, &view, schema, key, None).map(drop)
        }
        Resource::Collection { parent: Some(parent), .. } | Resource::Entity { parent: Some(parent), .. }
            if parent.schema.name() == certificates::ENTITY =>
        {
            let view = access.view().await?;
            find(access, &view, &parent.schema, &parent.key, None).map(drop)
        }
        Resource::Entity { schema, key, parent: Some(parent) } if is_named_below(schema, parent) => {
            let view = access.view().await?;
            parent_id(access, &view, parent)?;
            find(access, &view, schema, key, Some(parent)).map(drop)
        }
        _ => Ok(()),
    }
}

fn is_named_below(schema: &Schema, parent: &Parent) -> bool {
    super::key::key_below(schema, "", &parent.field, uuid::Uuid::nil()).is_some()
}
