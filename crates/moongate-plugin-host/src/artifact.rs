//! A plugin's artifact: the bytes of a `.wasm`, and what admission made of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moongate_hooks::{AdminRoute, ConfigSchema, HookSet};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use wasmtime::component::InstancePre;

use crate::bindings::{
    admin_hook, early_request_hook, entity_hook, lifecycle, log_hook, request_hook, response_body_hook,
    response_hook, timer_hook,
};
use crate::capabilities::Capability;
use crate::state::GuestState;

/// SHA-256 of an artifact; shown in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A component that passed admission: compiled, linked, and known by its manifest.
pub(crate) struct Artifact {
    pub(crate) digest: Digest,
    pub(crate) manifest: Arc<Manifest>,
    /// The capabilities that the component imports.
    pub(crate) capabilities: Vec<Capability>,
    pub(crate) hooks: HookSet,
    pub(crate) pre: InstancePre<GuestState>,
    pub(crate) exports: Exports,
}

/// What a plugin says of itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) priority: i32,
    pub(crate) schema: ConfigSchema,
    pub(crate) admin_routes: Vec<AdminRoute>,
    /// Schemas of the entities that the plugin adds, in the gateway's own form.
    pub(crate) entities: Vec<Value>,
    /// Their names.
    pub(crate) entity_names: Vec<String>,
    /// Between two calls of the timer hook.
    pub(crate) timer_interval: Option<Duration>,
}

impl Manifest {
    /// Whether the plugin is told what its configurations are bound to.
    pub(crate) fn wants_binding(&self) -> bool {
        let ConfigSchema::Native(schema) = &self.schema else { return false };
        schema.get("tells_binding") == Some(&Value::Bool(true))
    }
}

/// Where in the component the functions are; looked up once, so that an instance finds them by number.
pub(crate) struct Exports {
    pub(crate) lifecycle: lifecycle::GuestIndices,
    pub(crate) early_request: Option<early_request_hook::GuestIndices>,
    pub(crate) request: Option<request_hook::GuestIndices>,
    pub(crate) response: Option<response_hook::GuestIndices>,
    pub(crate) response_body: Option<response_body_hook::GuestIndices>,
    pub(crate) log: Option<log_hook::GuestIndices>,
    pub(crate) timer: Option<timer_hook::GuestIndices>,
    pub(crate) admin: Option<admin_hook::GuestIndices>,
    pub(crate) entity: Option<entity_hook::GuestIndices>,
}

impl Exports {
    pub(crate) fn hooks(&self) -> HookSet {
        HookSet {
            early_request: self.early_request.is_some(),
            request: self.request.is_some(),
            response: self.response.is_some(),
            response_body: self.response_body.is_some(),
            log: self.log.is_some(),
            timer: self.timer.is_some(),
            admin: self.admin.is_some(),
            entity: self.entity.is_some(),
        }
    }
}
