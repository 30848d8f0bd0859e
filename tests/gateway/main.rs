//! Black-box tests: the real gateway as a process, real plugins, real sockets.
//!
//! `cargo xtask test` builds the plugins that they need first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(clippy::disallowed_types, reason = "what is measured here is a process on the real clock")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod admission;
mod alone;
mod authentication;
mod bodies;
mod client;
mod compiling;
mod console;
mod contract;
mod crashes;
mod databases;
mod declared;
#[path = "../compat/exchange.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod exchange;
mod faults;
mod framing;
#[allow(dead_code, reason = "other tests use the rest of it")]
mod harness;
mod logs;
mod misbehaviour;
mod operators;
mod plugins;
mod proxying;
mod records;
mod safety;
mod size;
mod timeouts;
mod traffic;
mod trailers;
mod websocket;
