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
//!             None => Decision::message(400, "who are you?"),
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
#![deny(missing_docs)]

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
pub mod context;
mod error;
#[doc(hidden)]
pub mod export;
mod header;
pub mod log;
mod reply;
mod request;
mod response;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use admin::{Admin, AdminRequest, AdminRoute};
pub use error::{Error, HeaderError, Problem};
pub use header::check_header_name;
pub use moongate_sdk_macros::{config, export};
pub use reply::{Decision, Reply};
pub use request::Request;
pub use response::Response;
pub use schemars;
pub use serde;
pub use serde_json;

/// What every plugin implements: how it is made from a configuration.
///
/// The name and version in the manifest are those of the crate, unless [`Plugin::NAME`] says otherwise.
pub trait Plugin: Sized + 'static {
    /// The configuration, usually a struct with [`macro@config`]. Its schema and the descriptions in it come
    /// from the type and its doc comments.
    type Config: serde::de::DeserializeOwned + schemars::JsonSchema;

    /// Name by which configurations refer to the plugin; the crate's name when `None`.
    const NAME: Option<&'static str> = None;

    /// Position among the plugins of a request: the higher runs earlier. Kong's authentication plugins have
    /// 1000 to 1500, its transformers 800.
    const PRIORITY: i32 = 0;

    /// Prepares what requests will need.
    ///
    /// Called for each configuration when it is checked, and once in each new instance.
    ///
    /// # Errors
    /// What is wrong with the configuration. It is then refused, and whatever ran before goes on.
    fn new(config: Self::Config) -> Result<Self, Vec<Problem>>;
}

/// Sees each request before it is sent upstream.
pub trait OnRequest: Plugin {
    /// Decides what happens to a request. Edits of `request` go upstream.
    ///
    /// # Errors
    /// An error means that the plugin failed: the request is answered with 500, or goes on without the plugin
    /// where the operator said so. To turn a request away, answer it with [`Decision::Respond`].
    fn on_request(&self, request: &Request) -> Result<Decision, Error>;
}

/// Sees the head of each response.
pub trait OnResponse: Plugin {
    /// Changes the head of a response; the body streams on untouched.
    ///
    /// # Errors
    /// As for [`OnRequest::on_request`].
    fn on_response(&self, response: &Response) -> Result<(), Error>;
}
