//! The echo server over sockets, in this process and as a program.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may fail loudly")]

mod answers;
mod choices;
mod connections;
mod files;
mod peer;
mod program;
