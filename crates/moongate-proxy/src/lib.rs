//! The data plane: accepts requests, runs plugins on them, and forwards them.
//!
//! Each worker is one thread with its own event loop, listeners, upstream connections and plugin instances.
//! Workers share nothing that is written to on a request's way; what they serve is a [`Snapshot`], built off
//! that way and swapped whole. Nothing here waits for a database or for another worker.
#![deny(missing_docs)]

mod access_log;
mod answer;
mod balance;
mod balanced;
mod body;
mod chain;
mod client;
mod connection;
mod deadline;
mod dns;
mod edits;
mod error;
mod explain;
mod forward;
mod forwarded;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod grpc;
mod handler;
mod hash;
mod hooks;
mod http1;
mod http2;
mod http2_upstream;
#[cfg(any(test, feature = "fuzz"))]
mod idle_plugins;
mod kept;
mod leftover;
mod metrics;
mod options;
mod pool;
mod probe;
mod proxy;
mod proxy_protocol;
mod received;
mod record;
mod refusal;
mod resolver;
mod response;
mod send;
mod snapshot;
mod stream;
mod tls;
mod trace;
mod trailers;
mod tunnel;
mod unreadable;
mod upkeep;
mod upstream_settings;
mod watched;
mod worker;

pub use access_log::{AccessLogFormat, AccessLogOptions, LogTarget};
pub use dns::{Query, ResolverOptions};
pub use error::ErrorType;
pub use explain::{Explanation, Question, Rated};
pub use moongate_router::Flavour;
pub use options::{HeaderTokens, ListenAddress, ProxyOptions, RealIp, StreamAddress};
pub use proxy::{Counters, Proxy, StartError};
pub use snapshot::{Snapshot, SnapshotError};
pub use tls::{
    CipherError, CipherSuites, IdentityError, TlsIdentity, TlsOptions, TlsVersion, UpstreamTlsOptions,
    self_signed,
};
