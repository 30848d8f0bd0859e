//! TLS with real clients and real upstreams, over sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

#[expect(dead_code, reason = "upstreams come with the next change")]
mod certificates;
#[expect(dead_code, reason = "upstreams come with the next change")]
mod client;
mod clients;
mod entities;
mod gateway;
#[expect(dead_code, reason = "upstreams come with the next change")]
mod upstream;
