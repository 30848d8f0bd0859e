//! What an artifact is, found out without serving it: for those who write plugins, and those who get one to run.

use std::path::Path;
use std::time::Duration;

use moongate_hooks::{AdminRoute, ConfigSchema};
use serde_json::Value;

use crate::admission::{Admission, AdmissionError};
use crate::bindings;
use crate::capabilities::{Capability, Grants};
use crate::engine::{self, Clock};
use crate::host::{HostError, PluginHost};
use crate::settings::HostOptions;

/// Why nothing is known of an artifact.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The host cannot look at anything.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A gateway would refuse it.
    #[error(transparent)]
    Refused(#[from] AdmissionError),
}

/// What an artifact is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Inspection {
    /// Name in the manifest.
    pub name: String,
    /// Version in the manifest.
    pub version: String,
    /// Position among the plugins of a request: the higher runs earlier.
    pub priority: i32,
    /// Version of the contract that it was built for.
    pub contract: &'static str,
    /// SHA-256 of the file, in hex.
    pub digest: String,
    /// Size of the file, in bytes.
    pub size: u64,
    /// Hooks that it exports, in the order in which a request meets them.
    pub hooks: Vec<&'static str>,
    /// Capabilities that it imports, and that have to be granted.
    pub capabilities: Vec<Capability>,
    /// Everything that it imports, by the full names.
    pub imports: Vec<String>,
    /// Schema of its configuration.
    pub schema: ConfigSchema,
    /// Endpoints of the Admin API.
    pub admin_routes: Vec<AdminRoute>,
    /// Schemas of the entities that it adds.
    pub entities: Vec<Value>,
    /// Between two calls of its timer hook.
    pub timer_interval: Option<Duration>,
}

impl PluginHost {
    /// Puts an artifact through admission, as if it were granted `grants`, and tells what it is. Nothing serves it
    /// afterwards, and nothing is kept.
    ///
    /// Blocks while it compiles; must not be called from asynchronous code.
    ///
    /// # Errors
    /// Why a gateway would refuse it, or why it could not be looked at.
    pub fn inspect(path: &Path, grants: &Grants) -> Result<Inspection, InspectError> {
        let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = engine::build(1).map_err(failed)?;
        let admission =
            Admission::new(&engine, None, HostOptions::default().max_artifact_size).map_err(failed)?;
        let clock = Clock::start(&engine, 1).map_err(HostError::Thread)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(HostError::Thread)?;
        let bytes = admission.read(path)?;
        let artifact = runtime.block_on(admission.admit(&bytes, &clock))?;
        artifact.check_grants(grants)?;
        let component = artifact.pre.component();
        let imports = component.component_type().imports(&engine).map(|(name, _)| name.to_owned()).collect();
        let manifest = &artifact.manifest;
        Ok(Inspection {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            priority: manifest.priority,
            contract: bindings::VERSION,
            digest: artifact.digest.to_string(),
            size: bytes.len() as u64,
            hooks: artifact.hooks.names(),
            capabilities: artifact.capabilities.clone(),
            imports,
            schema: manifest.schema.clone(),
            admin_routes: manifest.admin_routes.clone(),
            entities: manifest.entities.clone(),
            timer_interval: manifest.timer_interval,
        })
    }
}
