//! How one row is named.

use serde_json::Value;
use uuid::Uuid;

use crate::Row;

/// Names at most one row of an entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Key {
    /// The row with this id.
    Id(Uuid),
    /// The row with these values in a unique field or in the fields that are unique together, such as
    /// `{"name": "orders"}`. Foreign keys are given as in rows, and null is a value.
    ///
    /// Other fields can be given as well. All rows are looked through then, and the first in the order of ids is it.
    Unique(Row),
}

impl Key {
    /// The row that has `value` in `field`.
    pub fn field(field: impl Into<String>, value: impl Into<Value>) -> Self {
        let mut fields = Row::new();
        fields.insert(field.into(), value.into());
        Self::Unique(fields)
    }
}

impl From<Uuid> for Key {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}
