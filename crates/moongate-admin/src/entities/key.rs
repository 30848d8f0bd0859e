//! Which entity a path names.

use moongate_schema::{Object, Operation, Problem, Schema};
use moongate_store::{Key, Row};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::{Access, View, id_of, referred};
use crate::error::ApiError;
use crate::resource::Parent;
use crate::{certificates, targets};

/// What a path segment stands for: an id, or a value of the endpoint key.
///
/// # Errors
/// [`ApiError::InvalidId`] where only an id can be, [`ApiError::InvalidUnique`] for a text that is neither.
pub(crate) fn key_of(access: &Access, schema: &Schema, segment: &str) -> Result<Key, ApiError> {
    if let Some(id) = parse_id(segment) {
        return Ok(Key::Id(id));
    }
    let Some(field) = schema.key_field() else { return Err(ApiError::InvalidId) };
    let value = Value::from(segment);
    check_value(access, schema, field, &value)?;
    Ok(Key::field(field, value))
}

/// Checks a value for the unique field of that name alone.
///
/// # Errors
/// [`ApiError::InvalidUnique`].
pub(crate) fn check_value(
    access: &Access,
    schema: &Schema,
    field: &str,
    value: &Value,
) -> Result<(), ApiError> {
    let Some(declared) = schema.field_named(field) else { return Ok(()) };
    let alone = Schema::record().field(field, declared.clone());
    let object = Object::from_iter([(field.to_owned(), value.clone())]);
    match alone.validate(&object, Operation::Insert, &access.context()) {
        Ok(()) => Ok(()),
        Err(violations) => {
            let why = match violations.field(field) {
                Some(Problem::Text(why)) => why.clone(),
                _ => violations.message(),
            };
            Err(ApiError::InvalidUnique { field: field.to_owned(), why })
        }
    }
}

/// The entity that a path names, with the key that it is named by.
///
/// # Errors
/// [`ApiError::NotFound`] when there is no such parent, or when the parent has no such child.
pub(crate) fn find(
    access: &Access,
    view: &View,
    schema: &Schema,
    segment: &str,
    parent: Option<&Parent>,
) -> Result<(Key, Option<Row>), ApiError> {
    let Some(parent) = parent else {
        if schema.name() == certificates::ENTITY {
            return certificates::find(access, view, segment);
        }
        let key = key_of(access, schema, segment)?;
        let row = view.find(schema.name(), &key)?;
        return Ok((key, row));
    };
    let parent_id = parent_id(access, view, parent)?;
    if schema.name() == targets::ENTITY {
        let row = targets::find(view, parent_id, segment)?.ok_or(ApiError::NotFound)?;
        return Ok((Key::Id(id_of(&row).unwrap_or_default()), Some(row)));
    }
    if let Some(key) = key_below(schema, segment, &parent.field, parent_id) {
        let row = view.find(schema.name(), &key)?.ok_or(ApiError::NotFoundBelow)?;
        return Ok((key, Some(row)));
    }
    let key = key_of(access, schema, segment)?;
    let row = view.find(schema.name(), &key)?.filter(|row| referred(row, &parent.field) == Some(parent_id));
    Ok((key, Some(row.ok_or(ApiError::NotFound)?)))
}

/// The id of the entity under which a nested path looks.
///
/// # Errors
/// [`ApiError::NotFound`].
pub(crate) fn parent_id(access: &Access, view: &View, parent: &Parent) -> Result<Uuid, ApiError> {
    let (_, row) = find(access, view, &parent.schema, &parent.key, None)?;
    row.as_ref().and_then(id_of).ok_or(ApiError::NotFound)
}

/// The key of a child that is named by a field which is unique below its parent only: the group of an ACL.
///
/// Only for entities that have no endpoint key, and no other field with the parent in what is unique together.
pub(crate) fn key_below(schema: &Schema, segment: &str, field: &str, parent: Uuid) -> Option<Key> {
    if schema.key_field().is_some() || parse_id(segment).is_some() {
        return None;
    }
    let [one, other] = schema.cache_key_fields() else { return None };
    let name = if one == field { other } else { one };
    if one != field && other != field {
        return None;
    }
    let mut fields = Row::new();
    fields.insert(field.to_owned(), json!({"id": parent}));
    fields.insert(name.clone(), segment.into());
    Some(Key::Unique(fields))
}

/// An id in its usual form, with hyphens; the shorter and longer spellings of a UUID are names.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
