//! What an artifact must pass before it may serve.
//!
//! Everything that can be wrong with a file is found here, off the request path, while the previous version
//! goes on serving.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moongate_hooks::{AdminRoute, BindError, ConfigSchema, HookError};
use serde_json::Value;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::artifact::{Artifact, Digest, Exports, Manifest};
use crate::bindings::{
    self, admin_hook, early_request_hook, entity_hook, lifecycle, log_hook, request_hook, response_body_hook,
    response_hook, timer_hook,
};
use crate::cache::CompileCache;
use crate::capabilities::{Capability, Grants};
use crate::compiler::CompileError;
use crate::engine::Clock;
use crate::generation::Generation;
use crate::imports;
use crate::state::GuestState;

/// Why an artifact was refused.
///
/// Nothing has been published when this is returned: the previous version of the plugin keeps serving.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file is larger than the gateway looks at.
    #[error("is {size} bytes, more than the {limit} that a plugin may have")]
    TooLarge {
        /// Size of the file, in bytes.
        size: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The file ends early, as while it is being copied.
    #[error("ends in the middle; copy it again, or wait until the copy is complete")]
    Truncated,
    /// The bytes are not a component.
    #[error("is not a WebAssembly component but {found}; `moongate plugin build` makes one")]
    NotAComponent {
        /// What it looks like instead.
        found: &'static str,
    },
    /// The component does not validate or compile.
    #[error("does not compile: {0}")]
    Compile(String),
    /// The compiler was killed or ran out of memory, twice.
    #[error(
        "is not compiled: the compiler ended with {0}; if memory ran out, give the gateway more, or compile a smaller plugin"
    )]
    CompilerEnded(String),
    /// The component exports no part of the contract.
    #[error("is not a Moongate plugin: it does not export {}/lifecycle", bindings::PACKAGE)]
    NotAPlugin,
    /// The component was built against a contract that this host does not serve.
    #[error(
        "is built for contract {requested}, this gateway serves {}; rebuild it with a matching SDK",
        bindings::VERSION
    )]
    UnsupportedContract {
        /// The version that the component asks for.
        requested: String,
    },
    /// The component imports something that its plugin was not granted.
    #[error(
        "imports `{import}`, which no plugin is granted; build it without: what plugins can have is in the interfaces \
         of moongate:plugin"
    )]
    CapabilityDenied {
        /// Name of the import.
        import: String,
    },
    /// The component imports a capability that the operator did not grant to its plugin.
    #[error(
        "imports `{import}`, which is not granted to it; to grant it, add `{capability}` to `plugin_grants.{plugin}` in \
         moongate.yaml"
    )]
    NotGranted {
        /// Name of the import.
        import: String,
        /// Name of the capability.
        capability: &'static str,
        /// Name of the plugin.
        plugin: String,
    },
    /// The component's functions do not have the types of the contract.
    #[error("does not fit the contract: {0}")]
    Mismatch(String),
    /// The component failed when it was started or asked for its manifest.
    #[error("fails to start: {0}")]
    Start(HookError),
    /// The manifest makes no sense.
    #[error("has an unusable manifest: {0}")]
    Manifest(String),
    /// Another file provides a plugin of the same name.
    #[error("is named `{name}`, as is {other}; give one of them another name")]
    NameTaken {
        /// The name in both manifests.
        name: String,
        /// The file that was there first.
        other: String,
    },
    /// The new version does not accept a configuration that is in use.
    #[error("does not accept a configuration in use: {0}")]
    Configuration(BindError),
}

/// The parts of the host that admission needs.
pub(crate) struct Admission {
    engine: Engine,
    linker: Linker<GuestState>,
    cache: Option<Arc<CompileCache>>,
    max_size: u64,
}

impl Admission {
    pub(crate) fn new(engine: &Engine, cache: Option<CompileCache>, max_size: u64) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        imports::link(&mut linker)?;
        Ok(Self { engine: engine.clone(), linker, cache: cache.map(Arc::new), max_size })
    }

    /// Reads an artifact.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, AdmissionError> {
        let unreadable = |error: std::io::Error| AdmissionError::Unreadable(error.to_string());
        let size = std::fs::metadata(path).map_err(unreadable)?.len();
        if size > self.max_size {
            return Err(AdmissionError::TooLarge { size, limit: self.max_size });
        }
        std::fs::read(path).map_err(unreadable)
    }

    /// Compiles, links and questions an artifact. Runs within a tokio runtime.
    ///
    /// Whether its imports were granted is for [`Artifact::check_grants`]: only the manifest tells whose they are.
    pub(crate) async fn admit(&self, bytes: &[u8], clock: &Clock) -> Result<Artifact, AdmissionError> {
        is_component(bytes)?;
        let digest = Digest::of(bytes);
        let component = self.compile(bytes, &digest)?;
        self.check_contract(&component)?;
        self.check_imports(&component)?;

        let mismatch = |error: wasmtime::Error| AdmissionError::Mismatch(format!("{error:#}"));
        let pre = self.linker.instantiate_pre(&component).map_err(mismatch)?;
        let exported = |interface: &str| {
            let name = format!("{}/{interface}@{}", bindings::PACKAGE, bindings::VERSION);
            component.get_export_index(None, &name).is_some()
        };
        macro_rules! hook {
            ($interface:literal, $module:ident) => {
                exported($interface)
                    .then(|| $module::GuestIndices::new(&pre).map_err(mismatch))
                    .transpose()?
            };
        }
        let exports = Exports {
            lifecycle: lifecycle::GuestIndices::new(&pre).map_err(mismatch)?,
            early_request: hook!("early-request-hook", early_request_hook),
            request: hook!("request-hook", request_hook),
            response: hook!("response-hook", response_hook),
            response_body: hook!("response-body-hook", response_body_hook),
            log: hook!("log-hook", log_hook),
            timer: hook!("timer-hook", timer_hook),
            admin: hook!("admin-hook", admin_hook),
            entity: hook!("entity-hook", entity_hook),
        };
        let hooks = exports.hooks();
        let unnamed = Arc::new(Manifest {
            name: String::new(),
            version: String::new(),
            priority: 0,
            schema: ConfigSchema::JsonSchema(Value::Null),
            admin_routes: Vec::new(),
            entities: Vec::new(),
            entity_names: Vec::new(),
            timer_interval: None,
        });
        let capabilities = self.capabilities(&component);
        let mut artifact = Artifact { digest, manifest: unnamed, capabilities, hooks, pre, exports };
        let described = Generation::describe(&artifact, clock).await.map_err(AdmissionError::Start)?;
        artifact.manifest = Arc::new(manifest(described)?);
        Ok(artifact)
    }

    fn compile(&self, bytes: &[u8], digest: &Digest) -> Result<Component, AdmissionError> {
        if let Some(component) = self.cache.as_ref().and_then(|cache| cache.load(digest, &self.engine)) {
            return Ok(component);
        }
        let compiled = match &self.cache {
            Some(cache) => cache.compile(digest, &self.engine, bytes),
            None => Component::from_binary(&self.engine, bytes).map_err(CompileError::Component),
        };
        compiled.map_err(|error| {
            let text = match error {
                CompileError::Component(error) => format!("{error:#}"),
                CompileError::Ended(error) => return AdmissionError::CompilerEnded(error),
                CompileError::File(error) => error.to_string(),
            };
            if ["unexpected end", "unexpected EOF", "is out of bounds (bound"]
                .iter()
                .any(|sign| text.contains(sign))
            {
                AdmissionError::Truncated
            } else {
                AdmissionError::Compile(text)
            }
        })
    }

    fn check_contract(&self, component: &Component) -> Result<(), AdmissionError> {
        let prefix = format!("{}/lifecycle@", bindings::PACKAGE);
        let mut requested = None;
        for (name, _) in component.component_type().exports(&self.engine) {
            if let Some(version) = name.strip_prefix(&prefix) {
                if version == bindings::VERSION {
                    return Ok(());
                }
                requested = Some(version.to_owned());
            }
        }
        match requested {
            Some(requested) => Err(AdmissionError::UnsupportedContract { requested }),
            None => Err(AdmissionError::NotAPlugin),
        }
    }

    fn check_imports(&self, component: &Component) -> Result<(), AdmissionError> {
        for (name, _) in component.component_type().imports(&self.engine) {
            let (interface, version) = name.split_once('@').unwrap_or((name, ""));
            let own = interface.strip_prefix(bindings::PACKAGE).is_some_and(|rest| rest.starts_with('/'));
            if own && !version.is_empty() && version != bindings::VERSION {
                return Err(AdmissionError::UnsupportedContract { requested: version.to_owned() });
            }
            let known = FREE.contains(&interface) || imports::WASI.contains(&interface);
            if !known && capability(interface).is_none() {
                return Err(AdmissionError::CapabilityDenied { import: name.to_owned() });
            }
        }
        Ok(())
    }

    /// The capabilities that a component imports, in the order of their names.
    fn capabilities(&self, component: &Component) -> Vec<Capability> {
        let ty = component.component_type();
        let imported = ty.imports(&self.engine);
        let mut capabilities: Vec<_> = imported
            .filter_map(|(name, _)| capability(name.split_once('@').map_or(name, |(interface, _)| interface)))
            .collect();
        capabilities.sort();
        capabilities
    }
}

impl Artifact {
    /// Whether everything that the component imports was granted to its plugin.
    pub(crate) fn check_grants(&self, grants: &Grants) -> Result<(), AdmissionError> {
        match self.capabilities.iter().find(|capability| !grants.capabilities.contains(capability)) {
            None => Ok(()),
            Some(denied) => Err(AdmissionError::NotGranted {
                import: format!("{}/{}@{}", bindings::PACKAGE, denied.name(), bindings::VERSION),
                capability: denied.name(),
                plugin: self.manifest.name.clone(),
            }),
        }
    }
}

/// Interfaces of the contract that every plugin may import; `lifecycle` is there for the types in it.
const FREE: [&str; 4] =
    ["moongate:plugin/context", "moongate:plugin/http", "moongate:plugin/lifecycle", "moongate:plugin/log"];

/// The capability that an interface is.
fn capability(interface: &str) -> Option<Capability> {
    Capability::of_name(interface.strip_prefix(bindings::PACKAGE)?.strip_prefix('/')?)
}

/// Looks at the first bytes: a component and a core module differ in the version field.
fn is_component(bytes: &[u8]) -> Result<(), AdmissionError> {
    match bytes {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(()),
        [0, b'a', b's', b'm', _, _, 0, 0, ..] => {
            Err(AdmissionError::NotAComponent { found: "a core module" })
        }
        [] => Err(AdmissionError::Truncated),
        [0] | [0, b'a'] | [0, b'a', b's'] | [0, b'a', b's', b'm', ..] => Err(AdmissionError::Truncated),
        _ => Err(AdmissionError::NotAComponent { found: "some other kind of file" }),
    }
}

fn manifest(described: lifecycle::Manifest) -> Result<Manifest, AdmissionError> {
    let lifecycle::Manifest { name, version, priority, schema, admin_routes, entities, timer_interval } =
        described;
    let well_formed = |name: &str| {
        !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if !well_formed(&name) {
        return Err(AdmissionError::Manifest(format!(
            "name `{name}` is not of lower-case letters, digits and dashes"
        )));
    }
    if semver::Version::parse(&version).is_err() {
        return Err(AdmissionError::Manifest(format!("version `{version}` is not of the form 1.2.3")));
    }
    let json = |text: &str| {
        serde_json::from_str(text)
            .map_err(|error| AdmissionError::Manifest(format!("the schema is not JSON: {error}")))
    };
    let schema = match schema {
        lifecycle::ConfigSchema::JsonSchema(text) => ConfigSchema::JsonSchema(json(&text)?),
        lifecycle::ConfigSchema::Native(text) => ConfigSchema::Native(json(&text)?),
    };
    let mut routes = Vec::with_capacity(admin_routes.len());
    for route in admin_routes {
        let method = http::Method::from_bytes(route.method.as_bytes()).is_ok();
        if !method || !route.path.starts_with('/') {
            return Err(AdmissionError::Manifest(format!(
                "admin route `{} {}` is not a method and a path that starts with a slash",
                route.method, route.path
            )));
        }
        routes.push(AdminRoute {
            plugin: name.clone(),
            method: route.method,
            path: route.path,
            status: route.status,
        });
    }
    let entities = entities.iter().map(|text| json(text)).collect::<Result<Vec<Value>, _>>()?;
    let entity_names = entities
        .iter()
        .map(|entity| match entity.get("name").and_then(Value::as_str) {
            Some(name) => Ok(name.to_owned()),
            None => Err(AdmissionError::Manifest("the schema of an entity has no `name`".to_owned())),
        })
        .collect::<Result<_, _>>()?;
    let timer_interval = match timer_interval {
        0 => None,
        interval @ 1..100 => {
            return Err(AdmissionError::Manifest(format!(
                "a timer interval of {interval} ms is too short, it must be at least 100"
            )));
        }
        interval => Some(Duration::from_millis(interval.into())),
    };
    Ok(Manifest {
        name,
        version,
        priority,
        schema,
        admin_routes: routes,
        entities,
        entity_names,
        timer_interval,
    })
}
