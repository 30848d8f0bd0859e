//! Fakes with which a plugin's logic is tested on the machine at hand, by plain `cargo test`.
//!
//! ```
//! use moongate_sdk::testing::RawRequest;
//!
//! let request = RawRequest::get("/orders?page=2").with_header("accept", "text/plain");
//! assert_eq!(request.as_request().path(), "/orders");
//! request.as_request().set_response_header("x-seen", "yes").unwrap();
//! assert_eq!(request.response_header("x-seen").unwrap(), b"yes");
//! ```
//!
//! [`Gateway`] is what stands behind the capabilities: consumers, rows of the plugin's entities, a clock, answers
//! of other servers. Each thread, and so each test, has its own.

pub(crate) mod clock;
pub(crate) mod consumers;
pub(crate) mod context;
pub(crate) mod counters;
pub(crate) mod crypto;
pub(crate) mod entities;
mod gateway;
mod headers;
pub(crate) mod http_client;
pub(crate) mod kv;
pub(crate) mod log;
pub(crate) mod metrics;
mod request;
mod response;
pub(crate) mod secrets;
#[cfg(test)]
mod tests;

pub use gateway::Gateway;
pub use request::{Outcome, RawRequest};
pub use response::RawResponse;

use crate::{Plugin, Problem};

/// Makes a plugin of a configuration, as the gateway does.
///
/// # Errors
/// What is wrong with the configuration, as the operator is told.
pub fn configure<P: Plugin>(config: &serde_json::Value) -> Result<P, Vec<Problem>> {
    crate::export::configure(&config.to_string())
}

/// The fakes under the names that the bindings have.
pub(crate) mod raw {
    pub(crate) use super::{
        consumers, context, counters, crypto, entities, http_client, kv, log, metrics, secrets,
    };

    pub(crate) mod http {
        pub(crate) use crate::testing::request::RawRequest as Request;
        pub(crate) use crate::testing::response::RawResponse as Response;
    }
}
