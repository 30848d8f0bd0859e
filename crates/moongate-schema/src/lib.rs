//! The schema language that entities and plugin configurations are declared in.
//!
//! A [`Schema`] says which fields an object has, what each of them may hold, and what must hold between
//! them. From that one declaration come defaults, generated values, validation with the texts that tools
//! look for, the form that `/schemas` shows, and what a database needs to know of keys and references.
//! Schemas are built in Rust (the core entities), read from their JSON form, or translated from a JSON
//! Schema (plugins). A [`Catalog`] holds all of them.
//!
//! An object is a [`serde_json::Map`]: an absent key was not given, `null` was given as such. The way of an
//! object into the gateway is [`Schema::complete`], then [`Schema::validate`]; on a change [`Schema::merge`]
//! comes between. [`Schema::present`] makes what is shown of a stored one.
//!
//! Everything here is pure: the time and randomness come in through a [`Context`].
#![deny(missing_docs)]

mod catalog;
pub mod checks;
mod complete;
mod context;
mod entity_check;
mod entity_rules;
mod field;
mod functions;
mod json;
mod json_schema;
pub mod path;
pub mod pattern;
mod present;
mod rules;
mod schema;
mod shorthand;
pub mod text;
mod transformation;
pub mod types;
mod validate;
mod violations;

pub use catalog::{Catalog, CatalogBuilder, CatalogError, Child};
pub use context::{Context, Operation, Randomness, SeededRandomness, SystemRandomness};
pub use entity_check::{
    CheckFailure, CheckFunction, Choice, Condition, ConditionalChoice, CustomCheck, EntityCheck, Requirement,
};
pub use field::{Auto, Deprecation, Field, FieldType, OnDelete};
pub use functions::{Functions, ShorthandFunction};
pub use json::SchemaError;
pub use rules::{Check, Expression, Length, PatternRule, Rules};
pub use schema::{Schema, Subschemas};
pub use shorthand::{Shorthand, ShorthandTarget};
pub use transformation::{Hook, Transformation};
pub use validate::{is_reference, is_uuid};
pub use violations::{Problem, Violations};

/// An entity, a record or a configuration as it is given and stored.
///
/// An absent key was not given; `null` was given as such.
pub type Object = serde_json::Map<String, serde_json::Value>;
