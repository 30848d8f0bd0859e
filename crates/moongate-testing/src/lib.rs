//! Tests plugins through the real gateway: started in the test's own process, on free ports, with upstreams that
//! remember what reached them.
//!
//! ```no_run
//! use moongate_testing::{Gateway, Upstream};
//! use serde_json::json;
//!
//! let echo = Upstream::start();
//! let gateway = Gateway::builder()
//!     .plugin("target/wasm32-wasip2/release/hello.wasm")
//!     .config(json!({"greeting": "hi"}))
//!     .upstream(&echo)
//!     .start();
//!
//! gateway.get("/orders").send().expect_status(200).expect_header("x-hello", "hi");
//! assert_eq!(echo.last_request().header("x-greeting").unwrap(), "hi");
//! gateway.admin("GET", "/hello/ping").send().expect_text("PONG");
//! ```
//!
//! A gateway belongs to its test: each has its own ports, files and plugin instances, so tests run side by side. A
//! plugin is compiled once for all tests and kept below Cargo's target directory; a start with a plugin that is
//! compiled already takes some tens of milliseconds. Everything blocks, which suits `#[test]`; nothing here may be
//! called from within an asynchronous runtime.
//!
//! Whatever is not as it should be ends the test with a panic that says what was there instead.
#![deny(missing_docs)]
#![allow(clippy::panic, reason = "a panic is how a test fails")]

mod builder;
mod gateway;
mod request;
mod target;
mod upstream;

pub use builder::Builder;
pub use gateway::Gateway;
pub use request::{Request, Response};
pub use upstream::{Answer, Received, Upstream};

/// Compiles the examples of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/plugins/testing.md")]
struct Testing;
