//! References that are given by something else than an id.

use moongate_schema::{Object, Schema};
use moongate_store::Key;
use serde_json::{Value, json};

use crate::access::{Access, View, id_of};
use crate::error::{ApiError, Unresolved};

/// Puts ids in place of unique fields: `{"name": "orders"}` becomes `{"id": "..."}`.
///
/// # Errors
/// [`ApiError::Unresolved`] when nothing has such a field.
pub(super) fn resolve(
    access: &Access,
    view: &View,
    schema: &Schema,
    fields: &mut Object,
) -> Result<(), ApiError> {
    let mut unresolved = Vec::new();
    for reference in schema.references() {
        let Some((entity, _)) = reference.reference() else { continue };
        let Some(value) = fields.get_mut(&reference.name) else { continue };
        let Some(given) = value.as_object().filter(|given| !given.contains_key("id")) else { continue };
        let target = access.schema(entity)?;
        let uniques = target.fields().iter().filter(|field| field.is_unique());
        let named = uniques.filter_map(|field| Some((&field.name, given.get(&field.name)?)));
        let mut missing = Vec::new();
        let mut found = None;
        for (by, named) in named.filter(|(_, named)| !named.is_null()) {
            match view.find(entity, &Key::field(by.as_str(), named.clone()))?.as_ref().and_then(id_of) {
                Some(id) => {
                    found = Some(json!({"id": id}));
                    break;
                }
                None => missing.push(Unresolved {
                    field: reference.name.clone(),
                    by: by.clone(),
                    value: named.clone(),
                    references: entity.to_owned(),
                }),
            }
        }
        match found {
            Some(found) => *value = found,
            // What names nothing at all is left to the schema.
            None => unresolved.append(&mut missing),
        }
    }
    if unresolved.is_empty() { Ok(()) } else { Err(ApiError::Unresolved(unresolved)) }
}

/// The id in a reference that may have been given by a client.
pub(super) fn id_in(value: Option<&Value>) -> Option<uuid::Uuid> {
    super::super::parse_id(value?.get("id")?.as_str()?)
}
