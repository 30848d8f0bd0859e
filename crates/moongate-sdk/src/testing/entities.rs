//! The rows of a test.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::clock;
pub(crate) use crate::entities::LookupError;

#[derive(Default)]
struct Entity {
    /// Fields by which a row can be found.
    unique: Vec<String>,
    /// Fields that refer to other entities.
    references: Vec<String>,
    rows: BTreeMap<String, Value>,
}

thread_local! {
    static ENTITIES: RefCell<HashMap<String, Entity>> = RefCell::default();
}

pub(super) fn clear() {
    ENTITIES.take();
}

/// Takes up a schema in the gateway's form; says `false` where it is none.
pub(super) fn declare(schema: &str) -> bool {
    let Ok(schema) = serde_json::from_str::<Value>(schema) else { return false };
    let Some(name) = schema.get("name").and_then(Value::as_str) else { return false };
    let fields = schema.get("fields").and_then(Value::as_array).into_iter().flatten();
    let mut entity = Entity { unique: vec!["id".to_owned()], ..Entity::default() };
    for (field, declaration) in fields.filter_map(Value::as_object).flatten() {
        if declaration.get("unique") == Some(&Value::Bool(true)) {
            entity.unique.push(field.clone());
        }
        if declaration.get("type").and_then(Value::as_str) == Some("foreign") {
            entity.references.push(field.clone());
        }
    }
    ENTITIES.with_borrow_mut(|entities| entities.insert(name.to_owned(), entity));
    true
}

/// Inserts or replaces a row by its id; says `false` where there is no such entity, or no id.
pub(super) fn insert(name: &str, row: Value) -> bool {
    let Some(id) = row.get("id").and_then(Value::as_str).map(str::to_owned) else { return false };
    ENTITIES.with_borrow_mut(|entities| match entities.get_mut(name) {
        Some(entity) => {
            entity.rows.insert(id, row);
            true
        }
        None => false,
    })
}

pub(super) fn remove(name: &str, id: &str) {
    ENTITIES.with_borrow_mut(|entities| {
        if let Some(entity) = entities.get_mut(name) {
            entity.rows.remove(id);
        }
    });
}

pub(crate) fn find(name: &str, field: &str, value: &str) -> Result<Option<String>, LookupError> {
    ENTITIES.with_borrow(|entities| {
        let entity = entities.get(name).ok_or(LookupError::UnknownEntity)?;
        if !entity.unique.iter().any(|unique| unique == field) {
            return Err(LookupError::UnknownField);
        }
        let found = |row: &&Value| row.get(field).and_then(Value::as_str) == Some(value) && !is_expired(row);
        Ok(entity.rows.values().find(found).map(Value::to_string))
    })
}

pub(crate) fn referring(name: &str, field: &str, id: &str) -> Result<Vec<String>, LookupError> {
    ENTITIES.with_borrow(|entities| {
        let entity = entities.get(name).ok_or(LookupError::UnknownEntity)?;
        if !entity.references.iter().any(|reference| reference == field) {
            return Err(LookupError::UnknownField);
        }
        let refers = |row: &&Value| {
            let other = row.get(field).and_then(|reference| reference.get("id")).and_then(Value::as_str);
            other == Some(id) && !is_expired(row)
        };
        Ok(entity.rows.values().filter(refers).map(Value::to_string).collect())
    })
}

/// Whether the `ttl` of a row, counted from its `created_at`, is over.
fn is_expired(row: &Value) -> bool {
    let seconds = |field: &str| row.get(field).and_then(Value::as_u64);
    let ttl = seconds("ttl").filter(|ttl| *ttl > 0);
    ttl.zip(seconds("created_at"))
        .is_some_and(|(ttl, created)| clock::now().as_secs() >= created.saturating_add(ttl))
}
