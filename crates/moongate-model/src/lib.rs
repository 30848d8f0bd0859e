//! The entities that configure a gateway, their generated ids and the declarative format.
//!
//! Everything here is plain data: no clock, no socket, no database. Whoever reads a file or a table
//! hands its text and the time to this crate and gets validated entities or a list of problems.
#![deny(missing_docs)]

mod entity;

pub use entity::{
    Entities, HttpsRedirectStatus, PathHandling, Plugin, Protocol, Reference, Route, Service, SourceOrDestination,
};
