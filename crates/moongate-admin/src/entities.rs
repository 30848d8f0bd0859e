//! Reading entities, and refusing to write them, for every kind of entity alike.

use http::{Method, StatusCode};
use moongate_model::Entities;
use serde_json::Value;

use crate::arguments::{Arguments, encode};
use crate::body::Fields;
use crate::collection::{Collection, Key, Record, Relation};
use crate::error::ApiError;
use crate::paging::{Page, to_json};
use crate::resource::Parent;

/// One page of a collection, or of the children of one entity.
pub(crate) fn list(
    entities: &Entities,
    collection: &Collection,
    parent: Option<&Parent>,
    arguments: &Arguments,
) -> Result<Value, ApiError> {
    let records = (collection.records)(entities);
    let Some(parent) = parent else {
        return Page::of_collection(arguments)?.cut(&format!("/{}", collection.name), records);
    };
    let id = find(entities, parent.collection, &parent.key)?.id();
    let path = format!("/{}/{}/{}", parent.collection.name, encode(&parent.key), collection.name);
    let children = records.filter(|record| record.reference(parent.relation.field) == Some(id));
    Page::of_children(arguments)?.cut(&path, children)
}

/// One entity.
pub(crate) fn read(
    entities: &Entities,
    collection: &Collection,
    key: &str,
    parent: Option<&Parent>,
) -> Result<Value, ApiError> {
    match parent {
        None => to_json(find(entities, collection, key)?),
        Some(parent) => to_json(find_child(entities, collection, key, parent)?),
    }
}

/// The entity that a foreign key of another points to.
pub(crate) fn read_related(
    entities: &Entities,
    collection: &Collection,
    key: &str,
    relation: &Relation,
) -> Result<Value, ApiError> {
    let (target, key) = find_related(entities, collection, key, relation)?;
    to_json(target.find(entities, &key).ok_or(ApiError::NotFound)?)
}

/// Refuses a new entity.
pub(crate) fn create(
    entities: &Entities,
    collection: &Collection,
    parent: Option<&Parent>,
) -> Result<StatusCode, ApiError> {
    if let Some(parent) = parent {
        find(entities, parent.collection, &parent.key)?;
    }
    Err(ApiError::ReadOnly { operation: "create", collection: collection.name, field: None })
}

/// Refuses a change of an entity, if there is something to change: what does not exist cannot be updated
/// with a database either, and is already deleted.
pub(crate) fn change(
    entities: &Entities,
    collection: &Collection,
    key: &str,
    parent: Option<&Parent>,
    method: &Method,
    fields: &Fields,
) -> Result<StatusCode, ApiError> {
    let parsed = collection.parse_key(key)?;
    match parent {
        Some(parent) if *method == Method::PUT => {
            find(entities, parent.collection, &parent.key)?;
        }
        Some(parent) => {
            find_child(entities, collection, key, parent)?;
        }
        None if *method == Method::PUT || collection.find(entities, &parsed).is_some() => {}
        None if *method == Method::DELETE => return Ok(StatusCode::NO_CONTENT),
        None if collection.subschema.is_some_and(|field| !fields.contains(field)) => {
            return Err(ApiError::NotFound);
        }
        None => return Err(ApiError::NoSuchEntity(parsed)),
    }
    Err(ApiError::ReadOnly {
        operation: operation(method),
        collection: collection.name,
        field: parsed.field(),
    })
}

/// Refuses a change of the entity that a foreign key of another points to.
pub(crate) fn change_related(
    entities: &Entities,
    collection: &Collection,
    key: &str,
    relation: &Relation,
    method: &Method,
) -> Result<StatusCode, ApiError> {
    // A PUT makes the related entity where there is none, so only its holder has to exist.
    if *method == Method::PUT {
        find(entities, collection, key)?;
    } else {
        find_related(entities, collection, key, relation)?;
    }
    if *method == Method::DELETE {
        return Err(ApiError::MethodNotAllowed);
    }
    Err(ApiError::ReadOnly { operation: operation(method), collection: relation.target, field: None })
}

fn find<'a>(entities: &'a Entities, collection: &Collection, key: &str) -> Result<&'a dyn Record, ApiError> {
    collection.find(entities, &collection.parse_key(key)?).ok_or(ApiError::NotFound)
}

fn find_child<'a>(
    entities: &'a Entities,
    collection: &Collection,
    key: &str,
    parent: &Parent,
) -> Result<&'a dyn Record, ApiError> {
    let id = find(entities, parent.collection, &parent.key)?.id();
    let child = find(entities, collection, key)?;
    if child.reference(parent.relation.field) == Some(id) { Ok(child) } else { Err(ApiError::NotFound) }
}

fn find_related(
    entities: &Entities,
    collection: &Collection,
    key: &str,
    relation: &Relation,
) -> Result<(&'static Collection, Key), ApiError> {
    let id = find(entities, collection, key)?.reference(relation.field).ok_or(ApiError::NotFound)?;
    let target = Collection::named(relation.target).ok_or(ApiError::NotFound)?;
    Ok((target, Key::Id(id)))
}

fn operation(method: &Method) -> &'static str {
    match *method {
        Method::PUT => "create or update",
        Method::PATCH => "update",
        _ => "remove",
    }
}
