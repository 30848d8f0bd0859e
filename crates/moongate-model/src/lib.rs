//! The entities that configure a gateway, their generated ids and the declarative format.
//!
//! Everything here is plain data: no clock, no socket, no database. Whoever reads a file or a table
//! hands its text and the time to this crate and gets validated entities or a list of problems.
//!
//! An entity comes in two forms. A row is a JSON object as its schema describes it; stores, files and the Admin API
//! deal with rows, whatever their kind. A view such as [`Service`] is made of a row of a core entity for those who
//! serve requests.
#![deny(missing_docs)]

mod collection;
pub mod core;
mod declarative;
mod entities;
mod entity;
mod ids;
pub mod pki;
mod precedence;
#[cfg(test)]
mod testing;
mod vault;

pub use collection::{Collection, Identified};
pub use declarative::{
    Declaration, DeclarativeError, Flattened, Format, Origin, Problems, Refusal, Rows, export, hash, parse,
    parse_document,
};
pub use entities::{Entities, RowChange, RowError};
pub use entity::{
    ActiveHealthcheck, ActiveHealthy, ActiveUnhealthy, Algorithm, CaCertificate, Certificate, Consumer,
    HashInput, HealthcheckType, Healthchecks, HttpsRedirectStatus, Key, KeyPem, KeySet, PassiveHealthcheck,
    PassiveHealthy, PassiveUnhealthy, PathHandling, Plugin, Protocol, Reference, Route, Service, Sni,
    SourceOrDestination, Target, Upstream, Vault,
};
pub use ids::generated_id;
pub use moongate_schema::path::{PathError, normalise, path_regex};
pub use precedence::{Choice, Level, PluginIndex, global_plugins, select_plugins};
pub use vault::{SecretError, Secrets, Unresolved, VaultReference};
