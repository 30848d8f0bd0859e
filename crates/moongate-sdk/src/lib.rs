//! Write Moongate plugins in Rust.
//!
//! A plugin is a type that parses its configuration once and then looks at requests:
//!
//! ```
//! use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, config, export};
//!
//! /// Turns away clients that do not say who they are.
//! #[config]
//! struct Config {
//!     /// The header that must be there.
//!     header: String,
//! }
//!
//! struct RequireHeader(Config);
//!
//! impl Plugin for RequireHeader {
//!     type Config = Config;
//!     const PRIORITY: i32 = 900;
//!
//!     fn new(config: Config) -> Result<Self, Vec<Problem>> {
//!         Ok(Self(config))
//!     }
//! }
//!
//! impl OnRequest for RequireHeader {
//!     fn on_request(&self, request: &Request) -> Result<Decision, Error> {
//!         Ok(match request.header(&self.0.header) {
//!             Some(_) => Decision::Continue,
//!             None => Decision::fail(400, "who are you?"),
//!         })
//!     }
//! }
//!
//! export!(RequireHeader: OnRequest);
//! ```
//!
//! With `crate-type = ["cdylib"]` and no other crate type, `cargo build --release --target wasm32-wasip2` makes
//! a component of it: one `.wasm` file to drop into the gateway's plugin directory. An `rlib` beside the
//! `cdylib` switches Cargo's link-time optimisation off, and makes the file a third larger. `cargo test` runs
//! the plugin's logic on the machine at hand, with the fakes of [`testing`].
//!
//! Instances are kept warm and serve many requests, one at a time. What a plugin keeps in memory is a cache
//! that the next request may or may not see; what belongs to one request goes into [`context`].
//!
//! # Hooks
//!
//! [`OnEarlyRequest`], [`OnRequest`], [`OnResponse`], [`OnResponseBody`], [`OnLog`], [`OnTimer`], [`Admin`] and
//! [`OnEntityWrite`]. A component exports those that `export!` names, and the others cost nothing.
//!
//! # Capabilities
//!
//! [`log`] and [`context`] are open to all plugins. [`consumers`], [`counters`], [`crypto`], [`entities`],
//! [`http_client`], [`kv`], [`metrics`] and [`secrets`] each need a grant of the operator. A component asks for
//! those whose functions it calls.
#![deny(missing_docs)]
#![cfg_attr(
    not(target_family = "wasm"),
    allow(
        clippy::useless_conversion,
        reason = "the bindings have types of their own, the fakes have the SDK's"
    )
)]

mod admin;
#[cfg(target_family = "wasm")]
#[allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::restriction,
    reason = "generated from wit/"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "imports",
        generate_all,
        generate_unused_types: true,
    });
}
pub mod auth;
pub mod clock;
pub mod consumers;
pub mod context;
pub mod counters;
pub mod crypto;
pub mod entities;
mod error;
#[doc(hidden)]
pub mod export;
mod facts;
mod header;
mod hooks;
pub mod http_client;
pub mod kv;
pub mod log;
pub mod metrics;
mod plugin;
mod reply;
mod request;
mod response;
mod schema;
pub mod secrets;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod text;

pub use admin::{Admin, AdminRequest, AdminRoute};
pub use error::{Error, HeaderError, Problem};
pub use facts::{BodyError, BodyView, Captures, Consumer, Credential, Forwarded, Met, Source, TlsInfo};
pub use header::check_header_name;
pub use hooks::{OnEarlyRequest, OnEntityWrite, OnLog, OnRequest, OnResponse, OnResponseBody, OnTimer, Row};
pub use moongate_sdk_macros::{config, export};
pub use plugin::Plugin;
pub use reply::{Decision, Failure, Reply};
pub use request::{ParseError, Request};
pub use response::Response;
pub use schema::Schema;
pub use schemars;
pub use serde;
pub use serde_json;

/// The functions behind the SDK: the gateway's in a component, fakes in a test.
mod raw {
    #[cfg(target_family = "wasm")]
    pub(crate) use crate::bindings::moongate::plugin::*;
    #[cfg(not(target_family = "wasm"))]
    pub(crate) use crate::testing::raw::*;
}

/// Compiles the examples of the documentation.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($name:ident: $page:literal,)+) => {
            $(#[doc = include_str!($page)] struct $name;)+
        };
    }

    pages! {
        Writing: "../../../docs/plugins/writing.md",
        FirstPlugin: "../../../docs/plugins/first-plugin.md",
        HookRequest: "../../../docs/plugins/hooks/request.md",
        HookEarlyRequest: "../../../docs/plugins/hooks/early-request.md",
        HookResponse: "../../../docs/plugins/hooks/response.md",
        HookResponseBody: "../../../docs/plugins/hooks/response-body.md",
        HookLog: "../../../docs/plugins/hooks/log.md",
        HookTimer: "../../../docs/plugins/hooks/timer.md",
        HookAdmin: "../../../docs/plugins/hooks/admin.md",
        HookEntity: "../../../docs/plugins/hooks/entity.md",
        CapabilityClockAndRandom: "../../../docs/plugins/capabilities/clock-and-random.md",
        CapabilityLog: "../../../docs/plugins/capabilities/log.md",
        CapabilityContext: "../../../docs/plugins/capabilities/context.md",
        CapabilityKv: "../../../docs/plugins/capabilities/kv.md",
        CapabilityCounters: "../../../docs/plugins/capabilities/counters.md",
        CapabilityCrypto: "../../../docs/plugins/capabilities/crypto.md",
        CapabilityConsumers: "../../../docs/plugins/capabilities/consumers.md",
        CapabilityEntities: "../../../docs/plugins/capabilities/entities.md",
        CapabilityHttpClient: "../../../docs/plugins/capabilities/http-client.md",
        CapabilityMetrics: "../../../docs/plugins/capabilities/metrics.md",
        CapabilitySecrets: "../../../docs/plugins/capabilities/secrets.md",
    }
}
