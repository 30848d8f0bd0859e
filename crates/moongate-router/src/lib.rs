//! Which route a request or stream belongs to, and which path its upstream is asked for.
//!
//! A [`Router`] is built once per configuration and asked once per request, so all work that depends on
//! the configuration alone happens in [`Router::build`]: expressions are compiled, routes are ranked, and
//! an index over paths and hosts leaves only a handful of routes to look at. Nothing here does I/O.
//!
//! There are three [`Flavour`]s of matching and ranking. All of them compare a request with the same kind of
//! matchers in the order of their ranks; they differ in how ranks are made, and in some details of matching.
#![deny(missing_docs)]

mod address;
mod captures;
mod conditions;
mod explain;
mod expression;
mod flavour;
mod header;
mod host;
mod hosts;
mod index;
mod matcher;
mod path_regex;
mod paths;
mod pool;
mod protocol;
mod rank;
mod request;
mod route;
mod router;
#[cfg(test)]
mod samples;
mod stream;
mod table;
mod trie;
mod upstream;
mod validate;
mod wire;

pub use captures::Captures;
pub use conditions::Unmet;
pub use explain::{Candidate, Explanation};
pub use flavour::Flavour;
pub use moongate_model::{PathError, normalise};
pub use protocol::{ProtocolDemand, ProtocolRefusal, Spoken};
pub use request::{Match, RequestView};
pub use route::RouteFields;
pub use router::{Router, RouterError};
pub use stream::{StreamKind, StreamView};
pub use upstream::upstream_path;
pub use validate::validate;
