//! A configuration as a file.

use std::borrow::Borrow;

use moongate_schema::{Catalog, FieldType, Object, Schema};
use serde_json::Value;

use super::emitter;

/// Writes entities as a declarative configuration in YAML, which read again gives the same entities.
///
/// Every field is there, `~` where it is unset; references are ids; secrets are as they are stored, which
/// `_transform: false` says. `rows_of` gives the rows of an entity; entities that are not part of exports are not
/// asked for.
pub fn export<R, I>(catalog: &Catalog, mut rows_of: impl FnMut(&str) -> I) -> String
where
    R: Borrow<Object>,
    I: IntoIterator<Item = R>,
{
    let mut text = "_format_version: '3.0'\n_transform: false\n".to_owned();
    let entities = catalog.entities().iter();
    for schema in entities.filter(|schema| schema.is_exported() && !NEVER.contains(&schema.name())) {
        let mut is_first = true;
        for row in rows_of(schema.name()) {
            if std::mem::take(&mut is_first) {
                text.push_str(schema.name());
                text.push_str(":\n");
            }
            text.push_str("- ");
            emitter::members(&flat(schema, row.borrow()), 2, &mut text);
        }
    }
    text
}

/// The row with every stored field and with ids for references.
fn flat(schema: &Schema, row: &Object) -> Object {
    let mut flat = Object::new();
    for field in schema.fields().iter().filter(|field| !field.transient) {
        let value = row.get(&field.name).unwrap_or(&Value::Null);
        let value = match &field.kind {
            FieldType::Foreign { .. } => value.get("id").unwrap_or(&Value::Null),
            _ => value,
        };
        flat.insert(field.name.clone(), value.clone());
    }
    if schema.has_ttl()
        && let Some(ttl) = row.get("ttl").filter(|ttl| !ttl.is_null())
    {
        flat.insert("ttl".to_owned(), ttl.clone());
    }
    flat
}

/// What describes the installation, and not its configuration.
const NEVER: [&str; 2] = ["tags", "workspaces"];
