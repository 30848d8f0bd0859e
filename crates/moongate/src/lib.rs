//! An API gateway whose plugins are WebAssembly components: the command line, the properties, and the wiring
//! of the parts.
//!
//! [`Gateway`] is the whole gateway in a value; the command line reads [`Properties`] and keeps one alive.
#![deny(missing_docs)]

mod admin;
pub mod cli;
mod control;
mod gateway;
mod logging;
mod node;
mod prefix;
pub mod properties;
mod publisher;
mod tls;

pub use gateway::{Gateway, StartError};
pub use prefix::PrefixError;
pub use properties::{Properties, PropertiesError, Sources};
pub use publisher::ConfigurationError;

/// The version of the gateway.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
