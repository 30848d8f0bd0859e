//! What is asked of a store, and what came of it.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::dataset::Dataset;
use crate::key::Key;
use crate::record::Record;
use crate::{Row, StoreError};

/// One change to one entity. Several make a write, which happens whole or not at all.
///
/// The changes of a write are made one after the other: each sees what those before it did, and each must be
/// allowed where it stands.
///
/// Rows of entities with a time to live can have the field `ttl`, in seconds: null or 0 for none. On an update without it
/// the expiry stays as it is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// A new row. Its `id` must be new.
    Insert {
        /// Name of the entity, such as `services`.
        entity: String,
        /// The whole row, with `id`.
        row: Row,
    },
    /// A row for the one that was read.
    Update {
        /// Name of the entity.
        entity: String,
        /// The row as it was read. If it is another by now the write fails with [`StoreError::Conflict`].
        before: Row,
        /// The whole new row, with the same `id`.
        after: Row,
    },
    /// A new row, or another one for the row that has the key.
    Upsert {
        /// Name of the entity.
        entity: String,
        /// Which row to replace.
        key: Key,
        /// The whole row. If a row with another id has the key it keeps its id; otherwise `id` is the id of
        /// the new row. With [`Key::Id`] the `id` can be left out.
        row: Row,
    },
    /// Removal of a row and of all that goes with it.
    Delete {
        /// Name of the entity.
        entity: String,
        /// Its id.
        id: Uuid,
    },
    /// Removal of all rows of all entities, as the first step of replacing everything.
    Clear,
}

impl Change {
    /// A new row for `entity`.
    pub fn insert(entity: impl Into<String>, row: Row) -> Self {
        Self::Insert { entity: entity.into(), row }
    }

    /// `after` in the place of `before`.
    pub fn update(entity: impl Into<String>, before: Row, after: Row) -> Self {
        Self::Update { entity: entity.into(), before, after }
    }

    /// `row`, whether there is one with this key or not.
    pub fn upsert(entity: impl Into<String>, key: Key, row: Row) -> Self {
        Self::Upsert { entity: entity.into(), key, row }
    }

    /// Removal of the row with this id.
    pub fn delete(entity: impl Into<String>, id: Uuid) -> Self {
        Self::Delete { entity: entity.into(), id }
    }
}

/// What happened to one row through a write, also by a cascade.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Name of the entity.
    pub entity: Arc<str>,
    /// Id of the row.
    pub id: Uuid,
    /// The row before, or `None` if it is new.
    pub before: Option<Arc<Record>>,
    /// The row after, or `None` if it is gone.
    pub after: Option<Arc<Record>>,
}

/// How often a store was changed. Each write that had an effect adds one; all nodes of a database count alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A write that was made.
#[derive(Debug, Clone)]
pub struct Written {
    /// The version after it.
    pub version: Version,
    /// What came of each change, in their order.
    pub outcomes: Vec<Outcome>,
    /// All rows that are other than before, each once.
    pub effects: Arc<[Effect]>,
    /// Everything, right after this write.
    pub dataset: Dataset,
}

impl Written {
    /// The row of the first change, for writes of one change which leave a row.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the first change left no row.
    pub fn into_row(self) -> Result<Row, StoreError> {
        self.outcomes.into_iter().next().and_then(Outcome::into_row).ok_or(StoreError::NotFound)
    }
}

/// What came of one change.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// There is a new row.
    Created(Row),
    /// A row was replaced by this one.
    Replaced(Row),
    /// The row, or all rows, are gone.
    Deleted,
}

impl Outcome {
    /// The row as a read would give it.
    pub fn into_row(self) -> Option<Row> {
        match self {
            Self::Created(row) | Self::Replaced(row) => Some(row),
            Self::Deleted => None,
        }
    }
}
