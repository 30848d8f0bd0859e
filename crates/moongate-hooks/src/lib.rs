//! The seam between the gateway and whatever runs its plugins.
//!
//! The proxy knows requests and nothing of WebAssembly; the plugin host knows components and nothing of
//! sockets; the Admin API shows what the one configured and the other loaded. All three meet in the types
//! and traits of this crate, so that each can be built, and tested against a fake, without the others.
#![deny(missing_docs)]

mod address;
mod body;
mod catalog;
mod directory;
mod error;
mod exchange;
mod headers;
mod identity;
mod metrics;
mod runtime;

pub use address::is_public;
pub use body::{BodyError, BodyStream, Leftover, RequestBody};
pub use catalog::{
    AdminRequest, AdminRoute, ConfigSchema, HookStatistics, Kept, PluginCatalog, PluginSchema, PluginState,
    PluginStatistics, PluginStatus, WriteError, Writing,
};
pub use directory::{Directory, LookupError};
pub use error::{BindError, FailurePolicy, HookError, Origin, Problem};
pub use exchange::{
    BodyView, Client, Context, Decision, Details, Exchange, HeaderEdit, Matched, Refusal, Reply, Source,
    TlsInfo, UpstreamEdits,
};
pub use headers::{HeaderError, MAX_LINES, MAX_VALUE, parse_header, parse_header_name};
pub use identity::{Consumer, Credential, Identity};
pub use metrics::{Histogram, Metrics, WorkerMetrics};
pub use runtime::{BoundTo, HookSet, PluginRuntime, PluginSpec};
