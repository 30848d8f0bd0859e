//! Which route a request belongs to, and which path its upstream is asked for.
//!
//! A [`Router`] is built once per configuration and asked once per request, so all work that depends on
//! the configuration alone happens in [`Router::build`]: expressions are compiled, routes are ranked, and
//! an index over paths and hosts leaves only a handful of routes to look at. Nothing here does I/O.
#![deny(missing_docs)]

mod host;
mod index;
mod matcher;
mod paths;
mod priority;
mod request;
mod router;
mod upstream;

pub use moongate_model::{PathError, normalise};
pub use request::{Match, RequestView};
pub use router::{Router, RouterError};
pub use upstream::upstream_path;
