//! The Admin API: what an operator and Kong's tools see of a node.
//!
//! Paths, shapes, error texts and headers are Kong's, because its clients parse all of them; what is
//! Moongate's own lives below `/moongate` and under the `moongate` key of `GET /`.
//!
//! Which entities there are, and what they look like, the catalog of schemas says; their paths, nesting and error texts
//! follow from it. Where they are kept is the store's matter. With a declarative configuration they can be read, and every
//! write is refused the way Kong does without a database.
//!
//! Unless a token is set the API has no authentication: whoever reaches its listener controls the gateway.
#![deny(missing_docs)]

mod access;
mod api;
mod arguments;
mod attempt;
mod body;
mod cache;
mod certificates;
mod console;
mod declarative;
mod entities;
mod error;
mod events;
mod explain;
mod fixed;
mod form;
mod infer;
mod information;
mod listener;
mod log_level;
mod metrics;
mod multipart;
mod node;
mod openapi;
mod paging;
mod plugins;
mod resource;
mod schemas;
mod status;
mod tags;
mod targets;
mod token;
mod unit;
mod upload;
mod upstream;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use moongate_hooks::PluginCatalog;

pub use api::{observed_router, router, status_router};
pub use console::{ConsoleOptions, console, has_console};
pub use events::Observer;
pub use explain::{
    Asked, Balanced, Candidate, Explained, Forwarded, Matched, Named, Refusal, Run, Seen, Target,
};
pub use information::COMPATIBLE_VERSION;
pub use listener::{serve, serve_tls};
pub use node::{
    Announcement, Counters, Declarative, Health, HealthError, LoadError, LoadOptions, Loaded, LogLevel, Node,
    Source, UnknownLevel,
};
pub use upload::InstallError;

type SharedNode = Arc<dyn Node>;
type SharedPlugins = Arc<dyn PluginCatalog>;
