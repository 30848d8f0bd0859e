//! A plugin's artifact: the bytes of a `.wasm`, and what admission made of them.

use std::fmt;

use moongate_hooks::{AdminRoute, ConfigSchema, HookSet};
use sha2::{Digest as _, Sha256};
use wasmtime::component::InstancePre;

use crate::bindings::{admin_hook, lifecycle, request_hook, response_hook};
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
    pub(crate) manifest: Manifest,
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
}

/// Where in the component the functions are; looked up once, so that an instance finds them by number.
pub(crate) struct Exports {
    pub(crate) lifecycle: lifecycle::GuestIndices,
    pub(crate) request: Option<request_hook::GuestIndices>,
    pub(crate) response: Option<response_hook::GuestIndices>,
    pub(crate) admin: Option<admin_hook::GuestIndices>,
}

impl Exports {
    pub(crate) fn hooks(&self) -> HookSet {
        HookSet {
            request: self.request.is_some(),
            response: self.response.is_some(),
            admin: self.admin.is_some(),
        }
    }
}
