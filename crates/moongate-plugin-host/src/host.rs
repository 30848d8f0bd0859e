//! The plugin host: what the rest of the gateway sees of this crate.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use moongate_hooks::{
    AdminRequest, AdminRoute, BindError, BoundTo, Decision, Directory, Exchange, FailurePolicy, HookError,
    HookSet, Kept, PluginCatalog, PluginRuntime, PluginSchema, PluginSpec, PluginStatus, Reply, WriteError,
    Writing,
};
use moongate_watch::Stat;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::admission::{Admission, AdmissionError};
use crate::artifact::Digest;
use crate::cache::CompileCache;
use crate::capabilities::{Grants, Space, Surroundings};
use crate::compiler::Compiler;
use crate::engine::{self, Clock};
use crate::generation::{ConfigSlot, Generation};
use crate::registry::Registry;
use crate::report;
use crate::settings::{HostOptions, bounds};

/// Why the host cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The WebAssembly engine does not start on this machine.
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// A thread or runtime cannot be made.
    #[error("the plugin host does not start")]
    Thread(#[source] std::io::Error),
}

/// Loads plugins, keeps them loaded, and runs their hooks.
pub struct PluginHost {
    options: HostOptions,
    admission: Mutex<Admission>,
    registry: Mutex<Registry>,
    /// What the files were like when they were last examined.
    pub(crate) seen: Mutex<BTreeMap<PathBuf, Stat>>,
    clock: Arc<Clock>,
    changes: watch::Sender<u64>,
    surroundings: Arc<Surroundings>,
    /// What the versions of each plugin share.
    spaces: Mutex<BTreeMap<String, Arc<Space>>>,
    /// Runs what belongs to no worker: admission, configuration checks, admin hooks.
    runtime: tokio::runtime::Runtime,
}

/// One plugin configuration bound to one version of its plugin.
pub struct Binding {
    generation: Arc<Generation>,
    slot: Arc<ConfigSlot>,
    on_failure: FailurePolicy,
}

impl PluginHost {
    /// Starts the engine and admits what lies in the plugin directories. Refused files are no error: they are
    /// in the log and in [`PluginCatalog::plugins`].
    ///
    /// Blocks while plugins compile; must not be called from asynchronous code.
    ///
    /// # Errors
    /// See [`HostError`].
    pub fn start(options: HostOptions) -> Result<Arc<Self>, HostError> {
        let failed = |error: wasmtime::Error| HostError::Engine(format!("{error:#}"));
        let engine = engine::build(options.workers).map_err(failed)?;
        let cache = options.cache_dir.as_ref().and_then(|directory| {
            let compiler = match options.compiler.clone() {
                Some(program) => Compiler::Program(program),
                None => Compiler::Here,
            };
            CompileCache::open(directory, &engine, compiler)
                .inspect_err(|error| {
                    tracing::warn!(directory = %directory.display(), %error, "no compile cache: the gateway itself compiles, at each start");
                })
                .ok()
        });
        let admission = Admission::new(&engine, cache, options.max_artifact_size).map_err(failed)?;
        let clock = Clock::start(&engine, options.workers + 1).map_err(HostError::Thread)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("plugin-host")
            .enable_all()
            .build()
            .map_err(HostError::Thread)?;
        let surroundings = Arc::new(Surroundings::new(runtime.handle().clone()));
        let host = Arc::new(Self {
            options,
            admission: Mutex::new(admission),
            registry: Mutex::default(),
            seen: Mutex::default(),
            clock: Arc::new(clock),
            changes: watch::Sender::new(0),
            surroundings,
            spaces: Mutex::default(),
            runtime,
        });
        for path in host.list().0 {
            if let Some(stat) = Stat::of(&path) {
                host.examine(&path);
                host.seen.lock().insert(path, stat);
            }
        }
        Ok(host)
    }

    /// What plugins look up from now on.
    pub fn set_directory(&self, directory: Arc<dyn Directory>) {
        self.surroundings.set_directory(directory);
    }

    /// Hands over the log records that wait, in up to `patience`; to be called when no more come. Records that are left then
    /// are lost, and the log says so.
    ///
    /// Blocks; not for asynchronous code.
    pub fn hand_over_logs(&self, patience: Duration) {
        const LOOK: Duration = Duration::from_millis(2);
        self.surroundings.closing.send_replace(true);
        let mut waited = Duration::ZERO;
        while Arc::strong_count(&self.surroundings.emptying) > 1 && waited < patience {
            std::thread::sleep(LOOK);
            waited += LOOK;
        }
        for plugin in self.plugins() {
            let records = plugin.statistics.map_or(0, |statistics| statistics.queued);
            if records > 0 {
                tracing::error!(
                    plugin = plugin.name,
                    records,
                    "log records are lost: the gateway ends before they are handed over"
                );
            }
        }
    }

    /// Tells when the plugins that serve have changed, and bindings should be made anew.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Lets go of what only earlier snapshots referred to; to be called when a new one is in place.
    pub fn settle(&self) {
        self.registry.lock().settle();
    }

    /// The `.wasm` files in the plugin directories, in order, and whether all directories could be looked at.
    pub(crate) fn list(&self) -> (Vec<PathBuf>, bool) {
        let (mut files, mut complete) = (Vec::new(), true);
        for directory in &self.options.plugin_dirs {
            let entries = match std::fs::read_dir(directory) {
                Ok(entries) => entries,
                Err(error) => {
                    complete &= error.kind() == std::io::ErrorKind::NotFound;
                    tracing::debug!(directory = %directory.display(), %error, "plugin directory not readable");
                    continue;
                }
            };
            files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| {
                path.extension().is_some_and(|extension| extension == "wasm") && path.is_file()
            }));
        }
        files.sort();
        (files, complete)
    }

    /// The files that were refused for what other files or configurations were at that time, if these have
    /// changed since.
    pub(crate) fn take_second_chances(&self) -> Vec<PathBuf> {
        self.registry.lock().take_second_chances()
    }

    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.options.plugin_dirs
    }

    /// Forgets the files that are not among `present`.
    pub(crate) fn forget_missing(&self, present: &[PathBuf]) {
        let mut registry = self.registry.lock();
        let missing: Vec<_> = registry.files().filter(|path| !present.contains(path)).cloned().collect();
        for path in missing {
            tracing::info!(file = %path.display(), "plugin file removed");
            registry.remove(&path);
        }
    }

    /// Admits a new or changed file, and makes it serve if it passes.
    pub(crate) fn examine(&self, path: &Path) {
        let admission = self.admission.lock();
        let read = admission.read(path);
        let digest = read.as_ref().ok().map(|bytes| Digest::of(bytes));
        if digest.is_some_and(|digest| self.registry.lock().is_known(path, &digest)) {
            return;
        }
        let file = path.display();
        match read.and_then(|bytes| self.admit(&admission, path, &bytes)) {
            Ok(generation) => {
                let manifest = &generation.artifact.manifest;
                let (plugin, version, number) = (&manifest.name, &manifest.version, generation.number);
                tracing::info!(%file, plugin, version, generation = number, "plugin loaded");
                self.changes.send_modify(|count| *count += 1);
            }
            Err(error) => {
                tracing::error!(%file, "plugin refused: {error}");
                self.registry.lock().refuse(path, digest, error);
            }
        }
    }

    /// Reads an artifact.
    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, AdmissionError> {
        self.admission.lock().read(path)
    }

    /// Admits an artifact as that of a file, and makes it serve if it passes.
    pub(crate) fn take(&self, path: &Path, bytes: &[u8]) -> Result<(), AdmissionError> {
        let size = bytes.len() as u64;
        if size > self.options.max_artifact_size {
            return Err(AdmissionError::TooLarge { size, limit: self.options.max_artifact_size });
        }
        let admission = self.admission.lock();
        let generation = self.admit(&admission, path, bytes)?;
        let manifest = &generation.artifact.manifest;
        let (plugin, version, number) = (&manifest.name, &manifest.version, generation.number);
        tracing::info!(file = %path.display(), plugin, version, generation = number, "plugin loaded");
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    fn admit(
        &self,
        admission: &Admission,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Arc<Generation>, AdmissionError> {
        let artifact = self.runtime.block_on(admission.admit(bytes, &self.clock))?;
        let name = artifact.manifest.name.clone();
        let (live, number) = {
            let registry = self.registry.lock();
            if let Some(other) = registry.other_file(&name, path) {
                return Err(AdmissionError::NameTaken { name, other: other.display().to_string() });
            }
            let current = registry.generation(&name);
            (current.map(|g| g.live_configs()).unwrap_or_default(), current.map_or(0, |g| g.number) + 1)
        };
        let nothing = Grants::default();
        artifact.check_grants(self.options.grants.get(&name).unwrap_or(&nothing))?;
        for entity in &artifact.manifest.entity_names {
            if let Some(owner) = self.registry.lock().other_owner(entity, &name) {
                let text = format!("the entity `{entity}` is the plugin {owner}'s already");
                return Err(AdmissionError::Manifest(text));
            }
        }
        let settings = self.options.settings.get(&name).cloned().unwrap_or_default();
        let space = self.space(&name);
        let generation = Arc::new(Generation::new(
            artifact,
            settings,
            number,
            self.options.workers,
            self.options.max_instances_per_worker,
            &self.clock,
            &space,
        ));
        let adopted = self.runtime.block_on(async {
            let mut adopted = Vec::with_capacity(live.len());
            for json in live {
                adopted.push(generation.accept(json).await.map_err(AdmissionError::Configuration)?);
            }
            generation.warm_up(&adopted).await.map_err(AdmissionError::Start)?;
            Ok(adopted)
        })?;
        self.registry.lock().publish(path, Arc::clone(&generation), adopted);
        if let Some(interval) =
            generation.artifact.manifest.timer_interval.filter(|_| generation.artifact.hooks.timer)
        {
            self.runtime.spawn(keep_time(Arc::downgrade(&generation), interval));
        }
        Ok(generation)
    }

    /// What the versions of a plugin share.
    fn space(&self, plugin: &str) -> Arc<Space> {
        let nothing = Grants::default();
        let grants = self.options.grants.get(plugin).unwrap_or(&nothing);
        let mut spaces = self.spaces.lock();
        Arc::clone(
            spaces
                .entry(plugin.to_owned())
                .or_insert_with(|| Arc::new(Space::new(grants, &self.surroundings))),
        )
    }
}

impl PluginRuntime for PluginHost {
    type Binding = Binding;

    fn bind(&self, spec: &PluginSpec<'_>) -> Result<Arc<Binding>, BindError> {
        let generation = {
            let registry = self.registry.lock();
            let name = spec.name.to_owned();
            match registry.generation(spec.name) {
                Some(generation) => Arc::clone(generation),
                None => match registry.refusal(spec.name) {
                    Some(reason) => return Err(BindError::RefusedPlugin { name, reason }),
                    None => return Err(BindError::UnknownPlugin { name }),
                },
            }
        };
        let mut config = without_nulls(spec.config);
        if generation.artifact.manifest.wants_binding() {
            config.insert("__binding".to_owned(), binding(spec));
        }
        let json = serde_json::Value::Object(config).to_string();
        let slot = self.runtime.block_on(generation.accept(json))?;
        let on_failure = generation.settings.on_failure_of(spec.id, spec.instance_name);
        Ok(Arc::new(Binding { generation, slot, on_failure }))
    }

    fn is_current(&self, binding: &Binding) -> bool {
        let registry = self.registry.lock();
        let current = registry.generation(&binding.generation.artifact.manifest.name);
        current.is_some_and(|current| Arc::ptr_eq(current, &binding.generation))
    }

    fn hooks(binding: &Binding) -> HookSet {
        binding.generation.artifact.hooks
    }

    fn priority(binding: &Binding) -> i32 {
        binding.generation.artifact.manifest.priority
    }

    fn on_failure(binding: &Binding) -> FailurePolicy {
        binding.on_failure
    }

    async fn on_early_request(
        &self,
        worker: usize,
        binding: &Binding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        binding.generation.on_early_request(worker, &binding.slot, exchange).await
    }

    async fn on_request(
        &self,
        worker: usize,
        binding: &Binding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        binding.generation.on_request(worker, &binding.slot, exchange).await
    }

    async fn on_response(
        &self,
        worker: usize,
        binding: &Binding,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<(), HookError>) {
        binding.generation.on_response(worker, &binding.slot, exchange).await
    }

    async fn on_response_body(
        &self,
        worker: usize,
        binding: &Binding,
        exchange: Box<Exchange>,
        piece: Bytes,
        last: bool,
    ) -> (Box<Exchange>, Result<Option<Bytes>, HookError>) {
        binding.generation.on_response_body(worker, &binding.slot, exchange, piece, last).await
    }

    fn entity(&self, entity: &str, id: &str) -> Option<String> {
        self.surroundings.directory()?.find(entity, "id", id).ok().flatten()
    }

    fn log(&self, binding: &Arc<Binding>, record: &Arc<str>) {
        let (generation, slot) = (&binding.generation, &binding.slot);
        slot.queue().push(record, generation, slot, &self.surroundings);
    }
}

impl PluginCatalog for PluginHost {
    fn plugins(&self) -> Vec<PluginStatus> {
        self.registry.lock().statuses(&self.options.grants)
    }

    fn schemas(&self) -> Vec<PluginSchema> {
        self.registry.lock().schemas()
    }

    fn admin_routes(&self) -> Vec<AdminRoute> {
        self.registry.lock().admin_routes()
    }

    fn admin(
        &self,
        plugin: &str,
        request: AdminRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, HookError>> + Send + '_>> {
        let generation = self.registry.lock().generation(plugin).map(Arc::clone);
        Box::pin(async move {
            let generation = generation.ok_or(HookError::NotExported)?;
            // On the host's own thread, so that a guest that computes holds up no other answer of the Admin API.
            let call = self.runtime.spawn(async move { generation.on_admin(request).await });
            call.await.unwrap_or_else(|error| Err(HookError::Instantiate(error.to_string())))
        })
    }

    fn render_metrics(&self, text: &mut String) {
        let generations: Vec<_> = {
            let registry = self.registry.lock();
            registry.generations().map(|(name, generation)| (name.clone(), Arc::clone(generation))).collect()
        };
        for (_, generation) in &generations {
            generation.space().metrics.render(text, &generation.makers());
        }
        report::render(&generations, text);
    }

    fn kept(&self) -> Kept {
        let spaces = self.spaces.lock();
        Kept {
            bytes: spaces.values().map(|space| space.kv.bytes() as u64).sum(),
            limit: (spaces.len() * bounds::KV_BYTES) as u64,
            dropped_series: spaces.values().map(|space| space.metrics.dropped()).sum(),
        }
    }

    fn on_write<'a>(&'a self, entity: &'a str, row: Map<String, Value>, changed: Vec<String>) -> Writing<'a> {
        let watcher = self.registry.lock().watcher_of(entity);
        Box::pin(async move {
            let Some(generation) = watcher else { return Ok(row) };
            let (plugin, entity) = (generation.artifact.manifest.name.clone(), entity.to_owned());
            let call = self.runtime.spawn(async move { generation.on_write(&entity, row, &changed).await });
            call.await.unwrap_or_else(|error| {
                Err(WriteError::Failed { plugin, error: HookError::Instantiate(error.to_string()) })
            })
        })
    }
}

/// Calls the timer hook of a version of a plugin for as long as it serves.
async fn keep_time(generation: Weak<Generation>, interval: Duration) {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let Some(generation) = generation.upgrade() else { return };
        generation.on_timer().await;
    }
}

/// What a configuration is bound to, for the plugin.
fn binding(spec: &PluginSpec<'_>) -> Value {
    let BoundTo { route, service, consumer } = spec.bound_to;
    let ids = [("id", Some(spec.id)), ("route", route), ("service", service), ("consumer", consumer)];
    ids.into_iter().filter_map(|(name, id)| Some((name.to_owned(), Value::from(id?)))).collect()
}

/// A configuration without the fields that are not set. Guests know them by their absence.
fn without_nulls(config: &Map<String, Value>) -> Map<String, Value> {
    let set = config.iter().filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| match value {
        Value::Object(members) => (name.clone(), Value::Object(without_nulls(members))),
        value => (name.clone(), value.clone()),
    })
    .collect()
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost").field("options", &self.options).finish_non_exhaustive()
    }
}
