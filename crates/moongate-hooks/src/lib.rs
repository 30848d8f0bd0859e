//! The seam between the gateway and whatever runs its plugins.
//!
//! The proxy knows requests and nothing of WebAssembly; the plugin host knows components and nothing of
//! sockets; the Admin API shows what the one configured and the other loaded. All three meet in the types
//! and traits of this crate, so that each can be built, and tested against a fake, without the others.
#![deny(missing_docs)]

mod catalog;
mod error;
mod exchange;
mod headers;
mod runtime;

pub use catalog::{
    AdminRequest, AdminRoute, ConfigSchema, PluginCatalog, PluginSchema, PluginState, PluginStatus,
};
pub use error::{BindError, FailurePolicy, HookError, Origin, Problem};
pub use exchange::{Client, Context, Decision, Exchange, HeaderEdit, Matched, Reply};
pub use headers::{HeaderError, MAX_LINES, MAX_VALUE, parse_header, parse_header_name};
pub use runtime::{HookSet, PluginRuntime, PluginSpec};
