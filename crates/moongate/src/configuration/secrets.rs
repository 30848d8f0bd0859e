//! Secrets that entities only refer to.

use moongate_model::{Entities, RowChange, RowError, Secrets, VaultReference};
use moongate_schema::{Catalog, Object};
use moongate_store::Dataset;
use serde_json::Value;
use uuid::Uuid;

/// The entities with the secrets that they refer to, as those who serve requests need them.
///
/// What a reference stands for is looked up now, and kept nowhere else. One that stands for nothing becomes an empty
/// text, and the log names its place.
pub(super) fn resolved(
    entities: &Entities,
    dataset: &Dataset,
    catalog: &Catalog,
) -> Result<Option<Entities>, RowError> {
    let environment = |name: &str| std::env::var(name).ok();
    let secrets = Secrets::new(&entities.vaults, &environment);
    let mut rows: Vec<(&str, Uuid, Object)> = Vec::new();
    for entity in WITH_SECRETS {
        for record in dataset.rows(entity).filter(|record| record.values().any(has_reference)) {
            let (Some(id), mut row) = (record.id(), Object::clone(record)) else { continue };
            let Some(schema) = catalog.entity(entity) else { continue };
            for unresolved in secrets.resolve_fields(schema, &mut row) {
                tracing::warn!(entity, %id, field = unresolved.field, reference = unresolved.reference, error = %unresolved.error, "reference to a secret stands for nothing");
            }
            rows.push((entity, id, row));
        }
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let changes = rows.iter().map(|(entity, id, row)| RowChange { entity, id: *id, row: Some(row) });
    entities.apply(changes).map(Some)
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
