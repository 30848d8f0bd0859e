//! What one field of an object may hold.

mod builder;

use std::sync::Arc;

use serde_json::Value;

use crate::{Rules, Schema};

/// A field of a [`Schema`], or the elements of a list or a map.
///
/// Built like a row of a table: `Field::integer().between(0, 65535).default(80).required()`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name; empty for elements, keys and values.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// `Some(true)`: it must not be null. `Some(false)` means the same as `None` and is shown as such.
    pub required: Option<bool>,
    /// What it holds when it is not given. `Some(Value::Null)` is shown as such.
    pub default: Option<Value>,
    /// Two objects may not have the same value. `Some(false)` is shown as such.
    pub unique: Option<bool>,
    /// The gateway makes the value when it is not given.
    pub auto: Option<Auto>,
    /// The value cannot be changed.
    pub immutable: bool,
    /// A reference to a secret may stand here.
    pub referenceable: bool,
    /// The value is a secret.
    pub encrypted: bool,
    /// The value is not stored with the object.
    pub transient: bool,
    /// A sub-schema says what it holds.
    pub is_abstract: bool,
    /// There is an index over it.
    pub indexed: bool,
    /// Unique beyond a workspace; only shown.
    pub unique_across_ws: bool,
    /// Further rules.
    pub rules: Rules,
    /// The text for any rule that is broken, in place of the rule's own.
    pub err: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Examples of values; only shown.
    pub examples: Option<Vec<Value>>,
    /// That it should not be used any more.
    pub deprecation: Option<Deprecation>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FieldType {
    /// A text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list whose order matters.
    Array(Box<Field>),
    /// A list without duplicates.
    Set(Box<Field>),
    /// Values by keys, all of one kind.
    Map {
        /// What a key must be.
        keys: Box<Field>,
        /// What a value must be.
        values: Box<Field>,
    },
    /// Fields of their own.
    Record(Arc<Schema>),
    /// A reference to another entity, `{"id": ...}`.
    Foreign {
        /// The name of the other entity.
        reference: String,
        /// What happens when the other one goes.
        on_delete: OnDelete,
    },
    /// Anything that JSON can hold; the second part describes it and is only shown.
    Json(Option<Value>),
    /// A function; it cannot be given in JSON.
    Function,
}

/// What happens to an entity when one that it refers to is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    #[default]
    Restrict,
    /// It is deleted as well.
    Cascade,
    /// The reference becomes null.
    Null,
}

/// What the gateway fills a field with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auto {
    /// A random UUID, on insert and upsert.
    Uuid,
    /// 32 random letters and digits, on insert and upsert.
    RandomString,
    /// The time of the insert or upsert, if none is given.
    CreatedAt,
    /// The time of every write.
    UpdatedAt,
}

/// That a field should not be used any more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deprecation {
    /// What to do instead.
    pub message: Option<String>,
    /// The version in which it will be gone.
    pub removal_in_version: Option<String>,
    /// Its default in former versions.
    pub old_default: Option<Value>,
    /// The paths of the fields that hold the value now; the value is shown under the old name as well.
    pub replaced_with: Vec<Vec<String>>,
}

impl Field {
    /// Whether it must not be null.
    pub fn is_required(&self) -> bool {
        self.required == Some(true)
    }

    /// Whether two objects may not have the same value.
    pub fn is_unique(&self) -> bool {
        self.unique == Some(true)
    }

    /// The entity that it refers to and what happens when that goes, for a reference.
    pub fn reference(&self) -> Option<(&str, OnDelete)> {
        match &self.kind {
            FieldType::Foreign { reference, on_delete } => Some((reference, *on_delete)),
            _ => None,
        }
    }

    /// The fields of the record that it holds.
    pub fn fields(&self) -> Option<&Arc<Schema>> {
        match &self.kind {
            FieldType::Record(schema) => Some(schema),
            _ => None,
        }
    }
}
