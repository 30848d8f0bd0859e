//! The Admin API: what an operator and Kong's tools see of a node.
//!
//! Paths, shapes, error texts and headers are Kong's, because its clients parse all of them; what is
//! Moongate's own lives below `/moongate` and under the `moongate` key of `GET /`. Entities come from a
//! declarative configuration here, so they can be read, and every write is refused the way Kong does
//! without a database.
//!
//! The API has no authentication. Whoever reaches its listener controls the gateway.
#![deny(missing_docs)]

mod api;
mod arguments;
mod body;
mod collection;
mod entities;
mod error;
mod information;
mod node;
mod paging;
mod plugins;
mod resource;
mod unit;

#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::serve::ListenerExt;
use moongate_hooks::PluginCatalog;
use tokio::net::TcpListener;

pub use api::router;
pub use information::COMPATIBLE_VERSION;
pub use node::{Counters, Node};

/// Answers the Admin API on `listener` until `shutdown` resolves.
///
/// Then no connection is accepted any more and idle ones are closed; this returns when the last running
/// request has its answer. A caller that cannot wait for a slow client bounds it with a timeout.
///
/// # Errors
/// Currently none: a failed `accept` is repeated.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY on an Admin API connection");
        }
    });
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

type SharedNode = Arc<dyn Node>;
type SharedCatalog = Arc<dyn PluginCatalog>;
