//! Types made from `wit/`, for the version of the contract that this host serves.

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated from wit/")]
mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "plugin",
        imports: {
            default: trappable,
            "moongate:plugin/http.[method]request.body": async | trappable,
            "moongate:plugin/counters.[method]redis.read": async | trappable,
            "moongate:plugin/counters.[method]redis.add": async | trappable,
            "moongate:plugin/http-client.send": async | trappable,
        },
        exports: { default: async },
        with: {
            "moongate:plugin/http.request": crate::state::RequestHandle,
            "moongate:plugin/http.response": crate::state::ResponseHandle,
            "moongate:plugin/crypto.verifier": crate::capabilities::Verifier,
            "moongate:plugin/counters.redis": crate::capabilities::RedisHandle,
        },
    });
}

pub(crate) use v0_1::exports::moongate::plugin::{
    admin_hook, early_request_hook, entity_hook, lifecycle, log_hook, request_hook, response_body_hook,
    response_hook, timer_hook,
};
pub(crate) use v0_1::moongate::plugin::{
    consumers, context, counters, crypto, entities, http, http_client, kv, log, metrics, secrets,
};

/// The contract's package and the version that this host serves, as they appear in names of interfaces.
pub(crate) const PACKAGE: &str = "moongate:plugin";
/// See [`PACKAGE`].
pub(crate) const VERSION: &str = "0.1.0";
