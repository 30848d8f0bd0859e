//! One live version of a plugin: its compiled code, its configurations and its instances.
//!
//! A snapshot holds generations through bindings, so a request that began on one ends on it, whatever is loaded
//! meanwhile; the last reference takes the instances and the code with it.
//!
//! Each worker has instances of its own. They lie behind a lock that only their worker takes, so it is never
//! waited for: it costs as much as a flag and lets the compiler see that instances are not shared.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use moongate_hooks::{AdminRequest, BindError, Decision, Exchange, HookError, Problem, Reply};
use parking_lot::Mutex;

use crate::artifact::Artifact;
use crate::bindings::lifecycle;
use crate::call::{classify, within};
use crate::engine::Clock;
use crate::instance::Instance;
use crate::output::{PluginLog, clip};
use crate::settings::{PluginSettings, bounds};

/// See the module's description.
pub(crate) struct Generation {
    pub(crate) artifact: Artifact,
    pub(crate) settings: PluginSettings,
    /// Counts the versions of the plugin that went live.
    pub(crate) number: u64,
    /// Names the plugin's drawer in the context of requests.
    scope: u64,
    pools: Box<[Mutex<Pool>]>,
    max_instances: usize,
    configs: Mutex<ConfigTable>,
    clock: Arc<Clock>,
    log: Arc<PluginLog>,
    last_failure: Mutex<Option<String>>,
}

/// The instances of one worker.
#[derive(Default)]
struct Pool {
    /// Those at rest; the one used last is used next, because its memory is warm.
    #[expect(clippy::vec_box, reason = "an instance moves in and out at each call, and is not small")]
    idle: Vec<Box<Instance>>,
    /// All, at rest and at work.
    live: usize,
}

impl Generation {
    /// `workers` counts those that serve requests; admission and the admin hook have a pool of their own.
    pub(crate) fn new(
        artifact: Artifact,
        settings: PluginSettings,
        number: u64,
        workers: usize,
        max_instances: usize,
        clock: &Arc<Clock>,
    ) -> Self {
        static SCOPES: AtomicU64 = AtomicU64::new(0);
        let log = PluginLog::new(&artifact.manifest.name);
        Self {
            artifact,
            settings,
            number,
            scope: SCOPES.fetch_add(1, Ordering::Relaxed),
            pools: (0..=workers).map(|_| Mutex::default()).collect(),
            max_instances,
            configs: Mutex::default(),
            clock: Arc::clone(clock),
            log,
            last_failure: Mutex::default(),
        }
    }

    /// The request hook, for the exchange at hand.
    pub(crate) async fn on_request(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        self.with_exchange(worker, exchange, async |instance| instance.on_request(slot).await).await
    }

    /// The response hook, for the exchange at hand.
    pub(crate) async fn on_response(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<(), HookError>) {
        self.with_exchange(worker, exchange, async |instance| instance.on_response(slot).await).await
    }

    /// The admin hook.
    pub(crate) async fn on_admin(&self, request: AdminRequest) -> Result<Reply, HookError> {
        let mut lease = self.lease(self.own_pool()).await?;
        let result = self.run(&mut lease, async |instance| instance.on_admin(request).await).await;
        lease.finish(&result);
        self.note(result)
    }

    /// What the plugin says of itself; asked once, at admission, on a first instance that is kept.
    pub(crate) async fn describe(
        artifact: &Artifact,
        clock: &Clock,
    ) -> Result<lifecycle::Manifest, HookError> {
        let settings = PluginSettings::default();
        let log = PluginLog::new("(unnamed)");
        let _running = clock.running(0);
        let mut instance = within(settings.wall_budget, Instance::new(artifact, &settings, 0, &log))
            .await
            .ok_or_else(|| HookError::Instantiate("takes too long to start".into()))?
            .map_err(|error| HookError::Instantiate(format!("{error:#}")))?;
        instance.begin();
        match within(settings.wall_budget, instance.describe()).await {
            Some(Ok(manifest)) => Ok(manifest),
            failed => Err(classify(failed.and_then(Result::err).as_ref(), instance.state(), &settings)),
        }
    }

    /// A slot for a configuration that the plugin accepts. Equal configurations share one.
    ///
    /// # Errors
    /// What the plugin finds wrong with it, or how it failed.
    pub(crate) async fn accept(&self, json: String) -> Result<Arc<ConfigSlot>, BindError> {
        if let Some(slot) = self.configs.lock().slot(&json) {
            return Ok(slot);
        }
        let slot = self.configs.lock().insert(json);
        let name = || self.artifact.manifest.name.clone();
        let failed = |error| BindError::Failed { name: name(), error };
        let mut lease = self.lease(self.own_pool()).await.map_err(failed)?;
        let result = self.run(&mut lease, async |instance| Ok(Ok(instance.check(&slot).await?))).await;
        lease.finish(&result);
        match result {
            Ok(Ok(())) => Ok(slot),
            Ok(Err(problems)) => Err(BindError::Refused { name: name(), problems }),
            Err(error) => Err(failed(error)),
        }
    }

    /// Gives each worker an instance that knows `slots`, so that the first requests need not wait for one.
    pub(crate) async fn warm_up(&self, slots: &[Arc<ConfigSlot>]) -> Result<(), HookError> {
        for worker in 0..self.own_pool() {
            // The pool is empty, so this instance comes back out of it each time.
            for slot in slots {
                let mut lease = self.lease(worker).await?;
                let check = async |instance: &mut Instance| {
                    let checked = instance.check(slot).await?;
                    Ok(checked.map_err(|problems| HookError::Configure(Problem::list(&problems))))
                };
                let result = self.run(&mut lease, check).await;
                lease.finish(&result);
                result?;
            }
            if slots.is_empty() {
                self.lease(worker).await?.finish(&Ok(()));
            }
        }
        Ok(())
    }

    /// The configurations that are in use.
    pub(crate) fn live_configs(&self) -> Vec<String> {
        self.configs.lock().slots.iter().filter_map(Weak::upgrade).map(|slot| slot.json.clone()).collect()
    }

    /// The last failure of a hook, for people.
    pub(crate) fn last_failure(&self) -> Option<String> {
        self.last_failure.lock().clone()
    }

    async fn with_exchange<R>(
        &self,
        worker: usize,
        exchange: Box<Exchange>,
        call: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<Result<R, HookError>>,
    ) -> (Box<Exchange>, Result<R, HookError>) {
        let mut lease = match self.lease(worker).await {
            Ok(lease) => lease,
            Err(error) => return (exchange, self.note(Err(error))),
        };
        if let Some(instance) = &mut lease.instance {
            instance.state().exchange = Some(exchange);
        }
        let result = self.run(&mut lease, call).await;
        let exchange = lease.instance.as_mut().and_then(|instance| instance.state().exchange.take());
        lease.finish(&result);
        let Some(exchange) = exchange else {
            unreachable!("nothing but this function takes the exchange out of the state it put it into")
        };
        (exchange, self.note(result))
    }

    /// Runs `call` within the plugin's budgets.
    async fn run<R>(
        &self,
        lease: &mut Lease<'_>,
        call: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<Result<R, HookError>>,
    ) -> Result<R, HookError> {
        let _running = self.clock.running(lease.worker);
        let Some(instance) = lease.instance.as_deref_mut() else { return Err(HookError::NotExported) };
        instance.begin();
        match within(self.settings.wall_budget, call(instance)).await {
            Some(Ok(result)) => result,
            failed => Err(classify(failed.and_then(Result::err).as_ref(), instance.state(), &self.settings)),
        }
    }

    /// Takes an instance of `worker`, making one where none is at rest.
    async fn lease(&self, worker: usize) -> Result<Lease<'_>, HookError> {
        let Some(pool) = self.pools.get(worker) else {
            return Err(HookError::Instantiate(format!("there is no worker {worker}")));
        };
        let idle = {
            let mut pool = pool.lock();
            let idle = pool.idle.pop();
            if idle.is_none() {
                if pool.live >= self.max_instances {
                    return Err(HookError::Saturated { limit: self.max_instances });
                }
                pool.live += 1;
            }
            idle
        };
        let mut lease = Lease { generation: self, pool, worker, instance: idle };
        if lease.instance.is_none() {
            let _running = self.clock.running(worker);
            let fresh = Instance::new(&self.artifact, &self.settings, self.scope, &self.log);
            let fresh = within(self.settings.wall_budget, fresh)
                .await
                .ok_or_else(|| HookError::Instantiate("takes too long to start".into()))?
                .map_err(|error| HookError::Instantiate(format!("{error:#}")))?;
            lease.instance = Some(Box::new(fresh));
        }
        Ok(lease)
    }

    /// The pool that admission and the admin hook use.
    fn own_pool(&self) -> usize {
        self.pools.len() - 1
    }

    fn note<R>(&self, result: Result<R, HookError>) -> Result<R, HookError> {
        if let Err(error) = &result {
            self.log.write(tracing::Level::ERROR, &format!("{error} [{}]", error.code()));
            *self.last_failure.lock() = Some(clip(&error.to_string(), bounds::LOG_LINE).to_owned());
        }
        result
    }
}

/// An instance at work. Dropped in the middle of a call, as when a client goes away, it takes the instance with
/// it: a guest cannot be stopped and used again.
struct Lease<'a> {
    generation: &'a Generation,
    pool: &'a Mutex<Pool>,
    worker: usize,
    instance: Option<Box<Instance>>,
}

impl Lease<'_> {
    /// Gives the instance back, if the call left it fit for another.
    fn finish<R>(mut self, result: &Result<R, HookError>) {
        let reusable = matches!(
            result,
            Ok(_) | Err(HookError::Plugin(_) | HookError::Configure(_) | HookError::NotExported)
        );
        if reusable && let Some(instance) = self.instance.take() {
            if instance.is_worn(&self.generation.settings) {
                self.instance = Some(instance);
            } else {
                self.pool.lock().idle.push(instance);
            }
        }
        let returned = self.instance.is_none();
        if returned {
            std::mem::forget(self);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.pool.lock().live -= 1;
    }
}

/// The configurations of a generation, each in a numbered slot under which instances keep their parsed form.
#[derive(Default)]
struct ConfigTable {
    slots: Vec<Weak<ConfigSlot>>,
    by_json: HashMap<String, Weak<ConfigSlot>>,
    serials: u64,
}

impl ConfigTable {
    fn slot(&self, json: &str) -> Option<Arc<ConfigSlot>> {
        self.by_json.get(json).and_then(Weak::upgrade)
    }

    fn insert(&mut self, json: String) -> Arc<ConfigSlot> {
        if self.by_json.len() >= 2 * self.slots.len() {
            self.by_json.retain(|_, slot| slot.strong_count() > 0);
        }
        let free = self.slots.iter().position(|slot| slot.strong_count() == 0);
        let index = free.unwrap_or(self.slots.len());
        self.serials += 1;
        let slot = Arc::new(ConfigSlot { index, serial: self.serials, json: json.clone() });
        let weak = Arc::downgrade(&slot);
        match self.slots.get_mut(index) {
            Some(place) => *place = Weak::clone(&weak),
            None => self.slots.push(Weak::clone(&weak)),
        }
        self.by_json.insert(json, weak);
        slot
    }
}

/// A place that instances keep the parsed form of one configuration in.
pub(crate) struct ConfigSlot {
    index: usize,
    serial: u64,
    json: String,
}

impl ConfigSlot {
    /// Position among an instance's configurations.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Differs between configurations that had the same position one after the other.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// The configuration.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}
