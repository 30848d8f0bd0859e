//! What plugins can look up of the configuration.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use moongate_hooks::{Consumer, Directory, LookupError};
use moongate_model::{Entities, Secrets};
use moongate_store::{Dataset, Key, Record, Table, Unique};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The rows of one version of the store. See [`Directory`].
pub(super) struct Rows {
    pub(super) dataset: Dataset,
    pub(super) entities: Arc<Entities>,
}

impl Rows {
    fn row(&self, entity: &str, key: &Key) -> Option<&Arc<Record>> {
        self.dataset.lookup(entity, key, now())
    }

    /// Whether rows of an entity can be found without looking through all of them.
    fn is_indexed(&self, entity: &str, found_by: impl Fn(&Table) -> bool) -> Result<(), LookupError> {
        let table = self.dataset.layout().tables().iter().find(|table| *table.name == *entity);
        let table = table.ok_or(LookupError::UnknownEntity)?;
        if found_by(table) { Ok(()) } else { Err(LookupError::UnknownField) }
    }
}

impl Directory for Rows {
    fn consumer(&self, id_or_username: &str) -> Option<Consumer> {
        let by_id = id_or_username.parse::<Uuid>().ok().and_then(|id| self.row("consumers", &Key::Id(id)));
        let row = by_id.or_else(|| self.row("consumers", &Key::field("username", id_or_username)))?;
        let text = |field: &str| row.get(field).and_then(Value::as_str).map(str::to_owned);
        Some(Consumer { id: text("id")?, username: text("username"), custom_id: text("custom_id") })
    }

    fn find(&self, entity: &str, field: &str, value: &str) -> Result<Option<String>, LookupError> {
        let alone = |unique: &Unique| matches!(unique.fields.as_slice(), [only] if only == field);
        self.is_indexed(entity, |table| field == "id" || table.uniques.iter().any(alone))?;
        let key = match field {
            "id" => match value.parse() {
                Ok(id) => Key::Id(id),
                Err(_) => return Ok(None),
            },
            field => Key::field(field, value),
        };
        Ok(self.row(entity, &key).map(|row| text(row)))
    }

    fn referring(&self, entity: &str, field: &str, id: &str) -> Result<Vec<String>, LookupError> {
        self.is_indexed(entity, |table| table.foreigns().any(|(column, _)| column.field == field))?;
        let Ok(id) = id.parse() else { return Ok(Vec::new()) };
        let now = now();
        let rows = self.dataset.referring(entity, field, id);
        Ok(rows.filter(|row| !row.is_expired(now)).map(|row| text(row)).collect())
    }

    fn has_upstream(&self, name: &str) -> bool {
        self.row("upstreams", &Key::field("name", name)).is_some()
    }

    fn secret(&self, reference: &str) -> Result<String, String> {
        let environment = |name: &str| std::env::var(name).ok();
        let secrets = Secrets::new(&self.entities.vaults, &environment);
        secrets.resolve(reference).map_err(|error| error.to_string())
    }
}

/// A row as JSON text, without what it does not have.
fn text(row: &Record) -> String {
    let set = row.iter().filter(|(_, value)| !value.is_null());
    let set: Map<String, Value> = set.map(|(field, value)| (field.clone(), value.clone())).collect();
    Value::Object(set).to_string()
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
