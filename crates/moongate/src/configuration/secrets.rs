//! Secrets that entities only refer to.

use std::collections::BTreeSet;
use std::sync::Arc;

use moongate_model::{Entities, RowChange, RowError, Secrets, VaultReference};
use moongate_schema::{Catalog, Object, Schema};
use moongate_store::{Dataset, Effect, Record};
use serde_json::Value;
use uuid::Uuid;

/// The rows that refer to secrets.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct References(BTreeSet<(&'static str, Uuid)>);

impl References {
    /// Looks through all rows of a dataset.
    pub(super) fn of(dataset: &Dataset) -> Self {
        let rows = WITH_SECRETS.into_iter().flat_map(|entity| {
            let referring = dataset.rows(entity).filter(|record| refers(record));
            referring.filter_map(move |record| Some((entity, record.id()?)))
        });
        Self(rows.collect())
    }

    /// Those after a change.
    pub(super) fn after(self: &Arc<Self>, effects: &[Effect]) -> Arc<Self> {
        let mut after = Arc::clone(self);
        for effect in effects {
            let Some(entity) = WITH_SECRETS.into_iter().find(|entity| **entity == *effect.entity) else {
                continue;
            };
            let row = (entity, effect.id);
            let is_there = effect.after.as_ref().is_some_and(|record| refers(record));
            if is_there != after.0.contains(&row) {
                let rows = &mut Arc::make_mut(&mut after).0;
                if is_there {
                    rows.insert(row)
                } else {
                    rows.remove(&row)
                };
            }
        }
        after
    }
}

/// The entities with the secrets that they refer to, as those who serve requests need them.
///
/// What a reference stands for is looked up now, and kept nowhere else. One that stands for nothing becomes an empty
/// text, and the log names its place.
pub(super) fn resolved(
    entities: &Entities,
    references: &References,
    dataset: &Dataset,
    catalog: &Catalog,
) -> Result<Option<Entities>, RowError> {
    if references.0.is_empty() {
        return Ok(None);
    }
    let secrets = Secrets::new(&entities.vaults, &environment);
    let mut rows: Vec<(&str, Uuid, Object)> = Vec::new();
    for (entity, id) in references.0.iter().copied() {
        let (Some(record), Some(schema)) = (dataset.get(entity, id), catalog.entity(entity)) else {
            continue;
        };
        let mut row = Object::clone(record);
        for unresolved in secrets.resolve_fields(schema, &mut row) {
            tracing::warn!(entity, %id, field = unresolved.field, reference = unresolved.reference, error = %unresolved.error, "reference to a secret stands for nothing");
        }
        rows.push((entity, id, row));
    }
    let changes = rows.iter().map(|(entity, id, row)| RowChange { entity, id: *id, row: Some(row) });
    entities.apply(changes).map(Some)
}

/// Puts the secrets that a row refers to into it; what stands for nothing becomes an empty text.
pub(super) fn resolve(entities: &Entities, schema: &Schema, row: &mut Object) {
    Secrets::new(&entities.vaults, &environment).resolve_fields(schema, row);
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn refers(record: &Record) -> bool {
    record.values().any(has_reference)
}

fn has_reference(value: &Value) -> bool {
    match value {
        Value::String(text) => VaultReference::is_meant(text),
        Value::Array(items) => items.iter().any(has_reference),
        Value::Object(members) => members.values().any(has_reference),
        _ => false,
    }
}

/// The entities whose fields may be references.
const WITH_SECRETS: [&str; 4] = ["plugins", "certificates", "ca_certificates", "keys"];

#[cfg(test)]
mod tests {
    use moongate_model::core::{RouterFlavor, catalog};
    use moongate_store::{Change, Layout, MemoryStore, Row, Store as _};
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn references_are_known_after_each_change() {
        let catalog = catalog(RouterFlavor::default()).build().unwrap();
        let store = MemoryStore::new(Arc::new(Layout::of(&catalog)));
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        let key = |id, value: &str| -> Row {
            serde_json::from_value(json!({"id": id, "kid": format!("{id}"), "name": null, "jwk": value}))
                .unwrap()
        };
        let (plain, secret) = ("{}", "{vault://env/jwk}");
        let writes = [
            (vec![Change::insert("keys", key(ids[0], plain))], vec![]),
            (vec![Change::insert("keys", key(ids[1], secret))], vec![ids[1]]),
            (vec![Change::update("keys", key(ids[0], plain), key(ids[0], secret))], ids.to_vec()),
            (vec![Change::delete("keys", ids[1])], vec![ids[0]]),
            (vec![Change::update("keys", key(ids[0], secret), key(ids[0], plain))], vec![]),
        ];
        let mut known = Arc::new(References::of(&store.dataset()));
        for (changes, expected) in writes {
            let written = store.write(changes).await.unwrap();
            known = known.after(&written.effects);
            assert_eq!(*known, References::of(&written.dataset));
            assert_eq!(*known, References(expected.into_iter().map(|id| ("keys", id)).collect()));
        }
    }
}
