//! `/cache`: what is in memory under one of Kong's keys.
//!
//! Kong keeps entities in a cache in front of its database. Here all of them are in memory anyway, so a key is found as
//! long as the entity that it names exists.

use moongate_store::{Key, Row};
use serde_json::{Value, json};

use crate::access::Access;
use crate::entities::parse_id;
use crate::error::ApiError;

/// The entity that a key names: `services:<id>:::::<workspace>`, `keyauth_credentials:<key>:::::<workspace>`.
pub(crate) fn read(access: &Access, key: &str) -> Result<Value, ApiError> {
    let parts: Vec<&str> = key.split(':').collect();
    let (entity, values) = match parts.as_slice() {
        // Five values and a workspace.
        [entity, values @ .., _workspace] if values.len() == 5 => (*entity, values),
        _ => return Err(ApiError::NotFound),
    };
    let schema = access.catalog().entity(entity).ok_or(ApiError::NotFound)?;
    let fields = schema.cache_key_fields();
    let key = if fields.is_empty() {
        Key::Id(values.first().and_then(|id| parse_id(id)).ok_or(ApiError::NotFound)?)
    } else {
        let value = |field: &String, text: &str| match schema
            .field_named(field)
            .and_then(|field| field.reference())
        {
            _ if text.is_empty() => Value::Null,
            Some(_) => json!({"id": text}),
            None => Value::from(text),
        };
        let fields = fields.iter().zip(values).map(|(field, text)| (field.clone(), value(field, text)));
        Key::Unique(fields.collect::<Row>())
    };
    let data = access.store().dataset();
    let row = data.find(entity, &key, access.now())?.ok_or(ApiError::NotFound)?;
    Ok(Value::Object(row))
}
