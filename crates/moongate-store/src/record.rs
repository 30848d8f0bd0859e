//! A row in memory.

use std::ops::Deref;
use std::sync::OnceLock;

use serde_json::Value;
use uuid::Uuid;

use crate::Row;
use crate::layout::{Column, Table};

/// A row as it is held, with when it expires.
///
/// It can be used like a [`Row`], which has all fields of its entity except `ttl`.
#[derive(Debug, Clone)]
pub struct Record {
    row: Row,
    expires_at: Option<u64>,
    /// Made when somebody asks for it.
    text: OnceLock<Box<str>>,
}

impl Record {
    pub(crate) fn new(row: Row, expires_at: Option<u64>) -> Self {
        Self { row, expires_at, text: OnceLock::new() }
    }

    /// When the row expires, in milliseconds since 1970. `None` for never.
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// Whether the row counts no more at `now`, in milliseconds since 1970.
    pub fn is_expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// The row as JSON text, without fields that are null.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let set = self.row.iter().filter(|(_, value)| !value.is_null());
            let set: Row = set.map(|(field, value)| (field.clone(), value.clone())).collect();
            Value::Object(set).to_string().into_boxed_str()
        })
    }

    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    /// The id. `None` never happens with rows that come from a store.
    pub fn id(&self) -> Option<Uuid> {
        id_of(self.row.get("id"))
    }

    /// What the foreign key `field` refers to.
    pub fn foreign(&self, field: &str) -> Option<Uuid> {
        foreign_id(self.row.get(field))
    }

    /// The row with the fields of `table`: null for those that it did not have, without those that the table has not.
    pub(crate) fn relaid(&self, table: &Table) -> Self {
        let field = |column: &Column| {
            (column.field.clone(), self.row.get(&column.field).cloned().unwrap_or(Value::Null))
        };
        Self::new(table.columns.iter().map(field).collect(), self.expires_at.filter(|_| table.ttl))
    }

    /// The row as it is read at `now`: with `ttl`, the seconds that remain, if the entity has it.
    pub(crate) fn read(&self, now: u64, has_ttl: bool) -> Row {
        let mut row = self.row.clone();
        if has_ttl {
            let remaining = self.expires_at.map(|at| at.saturating_sub(now).div_ceil(1000));
            row.insert("ttl".to_owned(), remaining.map_or(Value::Null, Value::from));
        }
        row
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.row == other.row && self.expires_at == other.expires_at
    }
}

impl Deref for Record {
    type Target = Row;

    fn deref(&self) -> &Row {
        &self.row
    }
}

/// The id in a value that is a string.
pub(crate) fn id_of(value: Option<&Value>) -> Option<Uuid> {
    Uuid::parse_str(value?.as_str()?).ok()
}

/// The id in a value that is a foreign key.
pub(crate) fn foreign_id(value: Option<&Value>) -> Option<Uuid> {
    id_of(value?.get("id"))
}
