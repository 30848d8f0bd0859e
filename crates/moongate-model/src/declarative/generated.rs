//! The texts that the ids of items without one are made of.

use moongate_schema::{Object, OnDelete, Schema};
use serde_json::Value;
use uuid::Uuid;

use crate::generated_id;

/// The item around an item, and the field with which the inner one refers to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) field: &'a str,
    /// Absent if the parent's id is one of chance.
    pub(super) id: Option<Uuid>,
}

/// The id that follows from what `item` says of itself, if something does.
pub(super) fn id(schema: &Schema, item: &Object, parent: Option<Parent<'_>>) -> Option<Uuid> {
    let key = if schema.cache_key_fields().is_empty() {
        endpoint_key(schema, item, parent)?
    } else {
        cache_key(schema, item, parent)?
    };
    Some(generated_id(schema.name(), &key))
}

/// The name of the entity, the workspace and the fields that are unique together.
///
/// Parents count as they are written. What is neither a text nor absent leaves no trace, not even a separator.
fn cache_key(schema: &Schema, item: &Object, parent: Option<Parent<'_>>) -> Option<String> {
    let mut key = format!("{}:*", schema.name());
    for name in schema.cache_key_fields() {
        let field = schema.field_named(name)?;
        if field.auto.is_some() {
            return None;
        }
        match item.get(name) {
            Some(Value::String(text)) => {
                key.push(':');
                key.push_str(text);
            }
            Some(_) => {}
            None => match parent.filter(|parent| parent.field == name) {
                Some(parent) => {
                    key.push(':');
                    key.push_str(&parent.id?.to_string());
                }
                None if field.is_required() => return None,
                None => key.push(':'),
            },
        }
    }
    Some(key)
}

/// The name, with the parents that it is unique below if it is not unique everywhere.
fn endpoint_key(schema: &Schema, item: &Object, parent: Option<Parent<'_>>) -> Option<String> {
    let name = schema.key_field()?;
    let mut key = item.get(name)?.as_str()?.to_owned();
    if schema.field_named(name)?.is_unique() {
        return Some(key);
    }
    let owners =
        schema.references().filter(|field| matches!(field.reference(), Some((_, OnDelete::Cascade))));
    for owner in owners {
        let owner = match parent {
            Some(parent) => parent.id?.to_string(),
            None => item.get(&owner.name)?.as_str()?.to_owned(),
        };
        key.push(':');
        key.push_str(&owner);
    }
    key.push_str(":*");
    Some(key)
}
