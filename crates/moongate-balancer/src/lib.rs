//! Which target of an upstream a request goes to, and which targets are healthy.
//!
//! A [`Balancer`] belongs to one upstream and is shared by all workers. [`Balancer::pick`] reads an immutable
//! view without a lock; whatever changes the view (targets, addresses, health) builds a new one beside it.
//! What is written on a request's way are single atomics: the place on the wheel, which is common to all workers
//! so that weights hold exactly however requests are spread over them, and the connections and latencies of the
//! algorithms that need these.
//!
//! Nothing here opens a socket, asks for the time or makes a random number: callers pass what they measured.
//! Times are durations since any fixed point of the caller's monotonic clock. Names to resolve and addresses to
//! probe are handed out as data ([`Balancer::names_due`], [`Balancer::probes_due`]), and what came of them is
//! reported back.
#![deny(missing_docs)]

mod address;
mod balancer;
mod health;
mod latency;
mod least_connections;
mod lineage;
mod names;
mod probe;
mod ring;
mod settings;
mod status;
mod target;
mod view;
mod wheel;

pub use address::{Address, AddressId};
pub use balancer::{Balancer, HealthChange, NoPeer, Outcome, Pick, Request, SetHealthError};
pub use names::{Record, RecordType, Resolution};
pub use probe::{Probe, ProbeOutcome};
pub use ring::hash;
pub use settings::{
    ActiveChecks, Algorithm, CheckType, HashSource, HealthChecks, Limits, PassiveChecks, Settings, StatusSet,
};
pub use status::{AddressStatus, HealthWord, TargetStatus, UpstreamStatus, Weights};
pub use target::Target;
