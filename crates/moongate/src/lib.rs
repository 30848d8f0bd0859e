//! An API gateway whose plugins are WebAssembly components: the command line, the properties, and the wiring
//! of the parts.
//!
//! [`Gateway`] is the whole gateway in a value; the command line reads [`Properties`] and keeps one alive.
#![deny(missing_docs)]

mod admin;
mod author;
mod catalog;
pub mod cli;
mod configuration;
mod control;
mod explain;
mod gateway;
mod logging;
mod node;
mod plugins;
mod prefix;
mod priority;
pub mod properties;
mod routing;
mod storage;
mod tls;
pub mod trial;

pub use configuration::{ConfigurationError, FileError};
pub use gateway::{Gateway, StartError};
pub use prefix::PrefixError;
pub use properties::{Properties, PropertiesError, Sources};
pub use tls::TlsError;

/// The version of the gateway.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
