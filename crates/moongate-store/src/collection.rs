//! The rows of one entity in memory, with what finds them.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::Row;
use crate::layout::{Table, Unique};
use crate::record::{Record, foreign_id};
use crate::sharded::Sharded;

/// All rows of an entity.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    table: Arc<Table>,
    rows: Sharded<Uuid, Arc<Record>>,
    /// For each of the table's uniques, which row has which values.
    uniques: Vec<Sharded<String, Uuid>>,
    /// For each of the table's foreign keys, pairs of what is referred to and what refers to it.
    foreigns: Vec<Sharded<(Uuid, Uuid), ()>>,
}

impl Collection {
    pub(crate) fn new(table: Arc<Table>) -> Self {
        let uniques = table.uniques.iter().map(|_| Sharded::default()).collect();
        let foreigns = table.foreigns().map(|_| Sharded::default()).collect();
        Self { table, rows: Sharded::default(), uniques, foreigns }
    }

    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Arc<Record>> {
        self.rows.get(&id)
    }

    /// All rows in the order of ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Uuid, &Arc<Record>)> {
        self.rows.iter().map(|(id, record)| (*id, record))
    }

    /// The rows after `id`, in the order of ids.
    pub(crate) fn after(&self, id: Uuid) -> impl Iterator<Item = (Uuid, &Arc<Record>)> {
        self.rows.after(&id).map(|(id, record)| (*id, record))
    }

    /// The rows whose foreign key `field` is `parent`, in the order of ids, which are greater than `after`.
    pub(crate) fn referring(
        &self,
        field: &str,
        parent: Uuid,
        after: Option<Uuid>,
    ) -> impl Iterator<Item = (Uuid, &Arc<Record>)> {
        let at = self.table.foreigns().position(|(column, _)| column.field == field);
        let index = at.and_then(|at| self.foreigns.get(at));
        let from = (parent, after.unwrap_or(Uuid::nil()));
        let pairs = index.into_iter().flat_map(move |index| index.range(&from, &(parent, Uuid::max())));
        let ids = pairs.map(|((_, id), ())| *id).filter(move |id| Some(*id) != after);
        ids.filter_map(|id| self.get(id).map(|record| (id, record)))
    }

    /// The row which has the same values as `row` in the fields of `unique`, which is the `at`th of the table.
    pub(crate) fn holder(&self, at: usize, unique: &Unique, row: &Row) -> Option<(Uuid, &Arc<Record>)> {
        let id = *self.uniques.get(at)?.get(&unique_key(unique, row)?)?;
        self.get(id).map(|record| (id, record))
    }

    /// The first row which is not expired and has these values.
    pub(crate) fn find(&self, fields: &Row, now: u64) -> Option<(Uuid, &Arc<Record>)> {
        let fields = &normal(fields);
        let same = |unique: &Unique| {
            unique.fields.len() == fields.len()
                && unique.fields.iter().all(|field| fields.contains_key(field))
        };
        let indexed = self.table.uniques.iter().position(same);
        let found = match indexed.and_then(|at| self.table.uniques.get(at).map(|unique| (at, unique))) {
            Some((at, unique)) => self.holder(at, unique, fields),
            None => self.iter().find(|(_, record)| {
                !record.is_expired(now)
                    && fields.iter().all(|(field, value)| record.get(field) == Some(value))
            }),
        };
        found.filter(|(_, record)| !record.is_expired(now))
    }

    /// The row that has this text in a field that is unique on its own.
    pub(crate) fn find_text(&self, field: &str, text: &str) -> Option<&Arc<Record>> {
        let at = self.table.uniques.iter().position(|unique| unique.is_alone(field))?;
        let id = *self.uniques.get(at)?.get(&[text, KEY_END].concat())?;
        self.get(id)
    }

    pub(crate) fn put(&mut self, id: Uuid, record: Arc<Record>) {
        self.remove(id);
        for (unique, index) in self.table.uniques.iter().zip(&mut self.uniques) {
            if let Some(key) = unique_key(unique, &record) {
                index.insert(key, id);
            }
        }
        for ((column, _), index) in self.table.foreigns().zip(&mut self.foreigns) {
            if let Some(parent) = record.foreign(&column.field) {
                index.insert((parent, id), ());
            }
        }
        self.rows.insert(id, record);
    }

    pub(crate) fn remove(&mut self, id: Uuid) -> Option<Arc<Record>> {
        let record = self.rows.remove(&id)?;
        for (unique, index) in self.table.uniques.iter().zip(&mut self.uniques) {
            if let Some(key) = unique_key(unique, &record) {
                // Two rows with the same values are possible only in a database that others wrote to.
                if index.get(&key) == Some(&id) {
                    index.remove(&key);
                }
            }
        }
        for ((column, _), index) in self.table.foreigns().zip(&mut self.foreigns) {
            if let Some(parent) = record.foreign(&column.field) {
                index.remove(&(parent, id));
            }
        }
        Some(record)
    }
}

/// What stands behind each value in the text of [`unique_key`].
const KEY_END: &str = "\u{0}";

/// The values of the unique fields as one text. `None` if they do not count: null in the only field.
fn unique_key(unique: &Unique, row: &Row) -> Option<String> {
    let mut key = String::new();
    for field in &unique.fields {
        let value = row.get(field).unwrap_or(&Value::Null);
        match value {
            Value::Null if unique.fields.len() == 1 => return None,
            Value::Null => {}
            Value::String(text) => key.push_str(text),
            value => match foreign_id(Some(value)) {
                Some(id) => key.push_str(&id.to_string()),
                None => key.push_str(&value.to_string()),
            },
        }
        key.push_str(KEY_END);
    }
    Some(key)
}

/// `fields` with foreign keys as they are in rows, so that they can be compared.
fn normal(fields: &Row) -> Row {
    let mut fields = fields.clone();
    for value in fields.values_mut() {
        if let Some(id) = foreign_id(Some(value)) {
            *value = serde_json::json!({ "id": id });
        }
    }
    fields
}
