//! Finds rows of the plugin's own entities. Needs the grant `entities`.
//!
//! Entities in use are in memory, so a look-up costs less than a microsecond beside reading the JSON text.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::raw::entities as raw;

/// Why nothing could be looked up. All but [`LookupError::Unreadable`] are faults of the plugin's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupError {
    /// The plugin declares no such entity.
    UnknownEntity,
    /// The entity has no such field, or it is neither unique nor a reference.
    UnknownField,
    /// The row is not of the type that was asked for; the text says why.
    Unreadable(String),
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownEntity => f.write_str("the plugin declares no such entity"),
            Self::UnknownField => f.write_str("rows cannot be found by this field"),
            Self::Unreadable(text) => write!(f, "cannot read a row: {text}"),
        }
    }
}

impl std::error::Error for LookupError {}

/// The row whose unique field has this value; an expired one is none.
///
/// # Errors
/// See [`LookupError`].
pub fn find<T: DeserializeOwned>(entity: &str, field: &str, value: &str) -> Result<Option<T>, LookupError> {
    find_text(entity, field, value)?.map(|row| read(&row)).transpose()
}

/// As [`find`], as JSON text.
///
/// # Errors
/// See [`LookupError`].
pub fn find_text(entity: &str, field: &str, value: &str) -> Result<Option<String>, LookupError> {
    raw::find(entity, field, value).map_err(Into::into)
}

/// The rows that refer to another entity, by the name of the referring field and the id of the other.
///
/// # Errors
/// See [`LookupError`].
pub fn referring<T: DeserializeOwned>(entity: &str, field: &str, id: &str) -> Result<Vec<T>, LookupError> {
    referring_texts(entity, field, id)?.iter().map(|row| read(row)).collect()
}

/// As [`referring`], as JSON texts.
///
/// # Errors
/// See [`LookupError`].
pub fn referring_texts(entity: &str, field: &str, id: &str) -> Result<Vec<String>, LookupError> {
    raw::referring(entity, field, id).map_err(Into::into)
}

/// What a row says where it refers to another entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Reference {
    /// Id of the other entity.
    pub id: String,
}

fn read<T: DeserializeOwned>(row: &str) -> Result<T, LookupError> {
    serde_json::from_str(row).map_err(|error| LookupError::Unreadable(error.to_string()))
}
