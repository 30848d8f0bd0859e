//! Types made from `wit/`, for the version of the contract that this host serves.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated from wit/")]
mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "plugin",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "moongate:plugin/http.request": crate::state::RequestHandle,
            "moongate:plugin/http.response": crate::state::ResponseHandle,
        },
    });
}

pub(crate) use v0_1::exports::moongate::plugin::{admin_hook, lifecycle, request_hook, response_hook};
pub(crate) use v0_1::moongate::plugin::{context, http, log};

/// The contract's package and the version that this host serves, as they appear in names of interfaces.
pub(crate) const PACKAGE: &str = "moongate:plugin";
/// See [`PACKAGE`].
pub(crate) const VERSION: &str = "0.1.0";
