//! The entities that configure a gateway, their generated ids and the declarative format.
//!
//! Everything here is plain data: no clock, no socket, no database. Whoever reads a file or a table
//! hands its text and the time to this crate and gets validated entities or a list of problems.
#![deny(missing_docs)]

pub mod core;
mod declarative;
mod entity;
mod ids;
mod path {
    pub use moongate_schema::path::*;
}
pub mod pki;
mod precedence;

pub use declarative::{Declaration, DeclarativeError, Problems, parse};
pub use entity::{
    Entities, HttpsRedirectStatus, PathHandling, Plugin, Protocol, Reference, Route, Service,
    SourceOrDestination,
};
pub use ids::generated_id;
pub use path::{PathError, normalise, path_regex};
pub use precedence::{PluginIndex, global_plugins, select_plugins};
