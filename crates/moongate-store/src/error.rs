//! Why a store did not do what it was asked for.

use serde_json::Value;
use uuid::Uuid;

use crate::Row;

/// Why a store did not do what it was asked for. A write that ends with one changed nothing, except where
/// [`StoreError::Unavailable`] says that it is not known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another row has these values already.
    #[error("an entity of `{entity}` with {} exists", Value::Object(fields.clone()))]
    UniqueViolation {
        /// Name of the entity.
        entity: String,
        /// The field, or all fields that are unique together, with the values of the row that was to be written.
        fields: Row,
    },
    /// The id of a new row is taken.
    #[error("an entity of `{entity}` with id {id} exists")]
    PrimaryKeyViolation {
        /// Name of the entity.
        entity: String,
        /// The id.
        id: Uuid,
    },
    /// A foreign key names a row that does not exist.
    #[error("`{field}` of `{entity}` refers to {id}, which is not in `{references}`")]
    ForeignKeyMissing {
        /// Name of the entity that was to be written.
        entity: String,
        /// Its foreign key.
        field: String,
        /// What it refers to.
        id: Uuid,
        /// The entity in which that should be.
        references: String,
    },
    /// The row cannot be removed: another one refers to it.
    #[error("an entity of `{by}` refers to this entity of `{entity}`")]
    ForeignKeyReferenced {
        /// Name of the entity that was to be removed.
        entity: String,
        /// Name of the entity that refers to it.
        by: String,
    },
    /// The row has changed since it was read. Read it again and decide anew.
    #[error("the entity {id} of `{entity}` was changed meanwhile")]
    Conflict {
        /// Name of the entity.
        entity: String,
        /// The id.
        id: Uuid,
    },
    /// There is no such row.
    #[error("no such entity")]
    NotFound,
    /// No entity has this name, with the plugins that are there now.
    #[error("there are no entities of the kind `{0}`")]
    UnknownEntity(String),
    /// A value cannot be kept in its column. Rows that were validated have only few such values, such as
    /// strings with a zero character.
    #[error("`{field}` of `{entity}` cannot be stored: {why}")]
    Unfit {
        /// Name of the entity.
        entity: String,
        /// The field.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// Whoever had to agree to the change did not: a plugin or the router cannot take it.
    #[error("{message}")]
    Refused {
        /// The whole reason as text.
        message: String,
        /// The reason by field, in the form of validation errors. May be an empty object.
        fields: Value,
        /// The kind and the id of the entity that it is about, if it is about one.
        about: Option<(String, Uuid)>,
    },
    /// The store cannot be written to.
    #[error("the store is read only")]
    ReadOnly,
    /// The database does not answer, or not in time. It is tried again with each use.
    #[error("the database is unavailable: {why}")]
    Unavailable {
        /// What is known about it.
        why: String,
    },
    /// The database is empty: `migrations bootstrap` has to be run.
    #[error("the database has no tables yet")]
    NeedsBootstrap,
    /// The database was made by an older version of this program: `migrations up` has to be run.
    #[error("the database has version {found}, version {wanted} is needed")]
    NeedsMigration {
        /// The version of the database.
        found: u32,
        /// The version that this program works with.
        wanted: u32,
    },
    /// The database was made by a newer version of this program.
    #[error(
        "the database has version {found}, which is newer than {known}, the latest that this program knows"
    )]
    TooNew {
        /// The version of the database.
        found: u32,
        /// The latest version known.
        known: u32,
    },
    /// What is in the database cannot be right, or the database did something unexpected.
    #[error("the database is not as it should be: {0}")]
    Corrupt(String),
}
