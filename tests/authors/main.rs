//! Authors' tools as authors meet them: from the words of the README to a plugin that serves, in each language.
//!
//! `cargo xtask plugins --fixtures` builds what these tests need; `languages.rs` says what those of other languages than
//! Rust do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at the first surprise"
)]
#![allow(clippy::disallowed_types, reason = "what is waited for are processes, on the real clock")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

mod commands;
mod following;
mod languages;
mod mistakes;
mod readme;
mod running;
mod workplace;
