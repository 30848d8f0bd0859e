//! The upstream of the examples: a server that answers every request with what it received.
//!
//! The document has the shape, and the `echo_*` controls the names, of the Node program ealen/echo-server, so
//! exercises that were written for that one work with this one. It is a library as well as a program, so that a
//! test of the gateway can start an upstream in its own process:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use echo_server::{Options, Server};
//!
//! let server = Server::bind(Options::default()).await?;
//! let upstream = format!("http://{}", server.address());
//! let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//! let running = tokio::spawn(server.serve(async { drop(stopped.await) }));
//!
//! // ... send requests to `upstream` ...
//!
//! drop(stop);
//! assert_eq!(running.await.unwrap(), 0);
//! # Ok::<(), echo_server::BindError>(())
//! # }).unwrap();
//! ```
//!
//! Surprising on purpose: whoever reaches the server can read the environment that it was given and choose its
//! answers. It belongs on loopback or inside a container network, never on the open internet.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod controls;
mod decode;
mod document;
mod echo;
mod files;
mod options;
mod server;

pub use options::Options;
pub use server::{BindError, Server};
