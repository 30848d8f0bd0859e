//! TLS and streams with real clients and real upstreams, over sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod certificates;
mod client;
mod clients;
mod entities;
mod gateway;
mod grpc;
mod grpc_tonic;
mod http2;
mod proxied;
mod streams;
mod targets;
mod upstream;
mod upstreams;
mod websocket;
