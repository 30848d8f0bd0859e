//! Lets plugins look at their entities before they are stored.

use moongate_hooks::{PluginCatalog, WriteError};
use moongate_schema::Catalog;
use moongate_store::{Change, Dataset, Key, Row, StoreError};
use serde_json::{Value, json};

use super::{refused, wrong};

/// The changes as the plugins that declare the entities want them.
///
/// # Errors
/// [`StoreError::Refused`] with what a plugin finds wrong.
pub(super) async fn passed(
    plugins: &dyn PluginCatalog,
    catalog: &Catalog,
    dataset: &Dataset,
    changes: Vec<Change>,
) -> Result<Vec<Change>, StoreError> {
    let declared: Vec<String> = plugins
        .schemas()
        .iter()
        .flat_map(|plugin| &plugin.entities)
        .filter_map(|entity| Some(entity.get("name")?.as_str()?.to_owned()))
        .filter(|name| catalog.entity(name).is_some())
        .collect();
    if declared.is_empty() {
        return Ok(changes);
    }
    let mut passed = Vec::with_capacity(changes.len());
    for change in changes {
        let is_theirs = |entity: &String| declared.contains(entity);
        passed.push(match change {
            Change::Insert { entity, row } if is_theirs(&entity) => {
                let row = look(plugins, &entity, row, None).await?;
                Change::Insert { entity, row }
            }
            Change::Update { entity, before, after } if is_theirs(&entity) => {
                let after = look(plugins, &entity, after, Some(&before)).await?;
                Change::Update { entity, before, after }
            }
            Change::Upsert { entity, key, row } if is_theirs(&entity) => {
                let stored = stored(dataset, &entity, &key);
                let row = look(plugins, &entity, row, stored.as_ref()).await?;
                Change::Upsert { entity, key, row }
            }
            other => other,
        });
    }
    Ok(passed)
}

fn stored(dataset: &Dataset, entity: &str, key: &Key) -> Option<Row> {
    // One that has expired is none any more.
    dataset.find(entity, key, 0).ok().flatten()
}

async fn look(
    plugins: &dyn PluginCatalog,
    entity: &str,
    row: Row,
    stored: Option<&Row>,
) -> Result<Row, StoreError> {
    let is_new = |(field, value): &(&String, &Value)| match stored {
        Some(stored) => stored.get(field.as_str()).unwrap_or(&Value::Null) != *value,
        None => !value.is_null(),
    };
    let changed: Vec<String> = row.iter().filter(is_new).map(|(field, _)| field.clone()).collect();
    if changed.is_empty() {
        return Ok(row);
    }
    let id = row.get("id").and_then(|id| id.as_str()?.parse().ok());
    let about = id.map(|id| (entity, id));
    plugins.on_write(entity, row, changed).await.map_err(|error| match error {
        WriteError::Refused(problems) => wrong("", &problems, about),
        error => refused(error.to_string(), json!({"@entity": [error.to_string()]}), about),
    })
}
