//! What plugins can look up of the configuration.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use moongate_hooks::{Consumer, Directory, LookupError};
use moongate_model::{Entities, Secrets};
use moongate_store::{Dataset, Key, Record, Table};
use serde_json::Value;

/// The rows of one version of the store. See [`Directory`].
pub(super) struct Rows {
    pub(super) dataset: Dataset,
    pub(super) entities: Arc<Entities>,
}

impl Rows {
    /// The row with this id or this text in a field that is unique.
    fn row(&self, entity: &str, field: &str, value: &str) -> Option<&Arc<Record>> {
        match field {
            "id" => self.dataset.lookup(entity, &Key::Id(value.parse().ok()?), now()),
            field => self.dataset.lookup_text(entity, field, value, now()),
        }
    }

    /// Whether rows of an entity can be found without looking through all of them.
    fn is_indexed(&self, entity: &str, found_by: impl Fn(&Table) -> bool) -> Result<(), LookupError> {
        let table = self.dataset.table(entity).ok_or(LookupError::UnknownEntity)?;
        if found_by(table) { Ok(()) } else { Err(LookupError::UnknownField) }
    }
}

impl Directory for Rows {
    fn consumer(&self, id_or_username: &str) -> Option<Consumer> {
        let by_id = self.row("consumers", "id", id_or_username);
        let row = by_id.or_else(|| self.row("consumers", "username", id_or_username))?;
        let text = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
        Some(Consumer { id: text("id")?, username: text("username"), custom_id: text("custom_id") })
    }

    fn find(&self, entity: &str, field: &str, value: &str) -> Result<Option<String>, LookupError> {
        self.is_indexed(entity, |table| {
            field == "id" || table.uniques.iter().any(|unique| unique.is_alone(field))
        })?;
        Ok(self.row(entity, field, value).map(|row| row.text().to_owned()))
    }

    fn referring(&self, entity: &str, field: &str, id: &str) -> Result<Vec<String>, LookupError> {
        self.is_indexed(entity, |table| table.foreigns().any(|(column, _)| column.field == field))?;
        let Ok(id) = id.parse() else { return Ok(Vec::new()) };
        let now = now();
        let rows = self.dataset.referring(entity, field, id);
        Ok(rows.filter(|row| !row.is_expired(now)).map(|row| row.text().to_owned()).collect())
    }

    fn has_upstream(&self, name: &str) -> bool {
        self.row("upstreams", "name", name).is_some()
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        let environment = |name: &str| std::env::var(name).ok();
        let secrets = Secrets::new(&self.entities.vaults, &environment);
        secrets.resolve(reference).map_err(|error| error.to_string())
    }
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
