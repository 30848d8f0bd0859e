//! Runs plugins: WebAssembly components behind hooks.
//!
//! An artifact becomes a [`Generation`](generation) by passing admission; workers borrow warm instances of it
//! for the length of one hook. Whatever a guest does, it cannot hurt more than its own request: memory, time,
//! stack, handles and output are bounded, and an instance that misbehaved is never used again.
//!
//! This is the only crate that depends on wasmtime.
#![deny(missing_docs)]

mod admission;
mod artifact;
mod bindings;
mod breaker;
mod cache;
mod call;
mod capabilities;
mod compiler;
mod engine;
mod generation;
mod host;
mod imports;
mod inspect;
mod install;
mod instance;
mod output;
mod queue;
mod registry;
mod report;
mod settings;
mod state;
mod statistics;
mod watch;

pub use admission::AdmissionError;
pub use capabilities::{Capability, Grants, HttpGrant};
pub use compiler::serve_compiler;
pub use host::{Binding, HostError, PluginHost};
pub use inspect::{InspectError, Inspection};
pub use install::InstallError;
pub use settings::{HostOptions, PluginSettings};
