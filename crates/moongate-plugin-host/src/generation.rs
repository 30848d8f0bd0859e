//! One live version of a plugin: its compiled code, its configurations and its instances.
//!
//! A snapshot holds generations through bindings, so a request that began on one ends on it, whatever is loaded
//! meanwhile; the last reference takes the instances and the code with it.
//!
//! Each worker has instances of its own. They lie behind a lock that only their worker takes, so it is never
//! waited for: it costs as much as a flag and lets the compiler see that instances are not shared.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use bytes::Bytes;
use moongate_hooks::{
    AdminRequest, BindError, Decision, Exchange, HookError, PluginStatistics, Problem, Reply, WriteError,
};
use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::artifact::Artifact;
use crate::bindings::lifecycle;
use crate::breaker::Breaker;
use crate::call::{classify, timed, within};
use crate::capabilities::{Maker, Space};
use crate::engine::Clock;
use crate::instance::Instance;
use crate::output::{PluginLog, clip};
use crate::queue::{LogQueue, QueueSettings};
use crate::settings::{PluginSettings, bounds};
use crate::state::{Home, Waits};
use crate::statistics::{Hook, Statistics};

/// See the module's description.
pub(crate) struct Generation {
    pub(crate) artifact: Artifact,
    pub(crate) settings: PluginSettings,
    /// Counts the versions of the plugin that went live.
    pub(crate) number: u64,
    /// Names the plugin's drawer in the context of requests.
    scope: u64,
    home: Home,
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
    idle: Vec<Idle>,
    /// All, at rest and at work.
    live: usize,
    statistics: Statistics,
    /// One for each hook, in the order of [`Hook`]: one that works says nothing about the others.
    breakers: [Breaker; Hook::ALL.len()],
}

impl Pool {
    /// Whether `hook` may be called.
    fn allows(&mut self, hook: Hook) -> bool {
        self.breakers.get_mut(hook as usize).is_none_or(Breaker::allows)
    }

    /// Counts a call that came to nothing, for want of an instance.
    fn refuse(&mut self, hook: Option<Hook>, error: HookError) -> HookError {
        if let Some(hook) = hook {
            self.statistics.begin(hook);
            self.statistics.end(hook, None, Some(&error), false);
        }
        error
    }
}

/// An instance at rest. In a box, because it moves in and out at each call and is not small.
struct Idle {
    instance: Box<Instance>,
    /// Told by the instance, and listened to while it is busy.
    waits: Arc<Waits>,
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
        space: &Arc<Space>,
    ) -> Self {
        static SCOPES: AtomicU64 = AtomicU64::new(0);
        let log = PluginLog::new(&artifact.manifest.name);
        let home = Home { manifest: Arc::clone(&artifact.manifest), space: Arc::clone(space) };
        Self {
            home,
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

    /// The early-request hook, for the exchange at hand.
    pub(crate) async fn on_early_request(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        let call = async |instance: &mut Instance| instance.on_early_request(slot).await;
        self.with_exchange(Hook::EarlyRequest, worker, exchange, call).await
    }

    /// The request hook, for the exchange at hand.
    pub(crate) async fn on_request(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<Decision, HookError>) {
        let call = async |instance: &mut Instance| instance.on_request(slot).await;
        self.with_exchange(Hook::Request, worker, exchange, call).await
    }

    /// The response hook, for the exchange at hand.
    pub(crate) async fn on_response(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
    ) -> (Box<Exchange>, Result<(), HookError>) {
        let call = async |instance: &mut Instance| instance.on_response(slot).await;
        self.with_exchange(Hook::Response, worker, exchange, call).await
    }

    /// The response-body hook, for the exchange at hand.
    pub(crate) async fn on_response_body(
        &self,
        worker: usize,
        slot: &ConfigSlot,
        exchange: Box<Exchange>,
        piece: Bytes,
        last: bool,
    ) -> (Box<Exchange>, Result<Option<Bytes>, HookError>) {
        let call = async |instance: &mut Instance| instance.on_response_body(slot, &piece, last).await;
        self.with_exchange(Hook::ResponseBody, worker, exchange, call).await
    }

    /// The log hook.
    pub(crate) async fn on_log(&self, slot: &ConfigSlot, records: &[String]) -> Result<(), HookError> {
        self.apart(Hook::Log, async |instance| instance.on_log(slot, records).await).await
    }

    /// The timer hook, for each configuration in use.
    pub(crate) async fn on_timer(&self) {
        for slot in self.live_slots() {
            // What went wrong is in the log and in the statistics.
            let _ = self.apart(Hook::Timer, async |instance| instance.on_timer(&slot).await).await;
        }
    }

    /// The admin hook.
    pub(crate) async fn on_admin(&self, request: AdminRequest) -> Result<Reply, HookError> {
        self.apart(Hook::Admin, async |instance| instance.on_admin(request).await).await
    }

    /// The entity hook.
    pub(crate) async fn on_write(
        &self,
        entity: &str,
        row: Map<String, Value>,
        changed: &[String],
    ) -> Result<Map<String, Value>, WriteError> {
        let text = Value::Object(row).to_string();
        let failed = |error| WriteError::Failed { plugin: self.artifact.manifest.name.clone(), error };
        let result =
            self.apart(Hook::Entity, async |instance| instance.on_write(entity, &text, changed).await).await;
        let row = result.map_err(failed)?.map_err(WriteError::Refused)?;
        serde_json::from_str(&row)
            .map_err(|error| failed(HookError::Plugin(format!("made no JSON object of the entity: {error}"))))
    }

    /// Runs a call that belongs to no request, on an instance that serves none.
    async fn apart<R>(
        &self,
        hook: Hook,
        call: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<Result<R, HookError>>,
    ) -> Result<R, HookError> {
        let mut lease = self.lease(hook, self.own_pool()).await?;
        let result = self.run(&mut lease, call).await;
        lease.finish(&result, false);
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
        let waits = Waits::default();
        let mut instance =
            within(settings.wall_budget, &waits, Instance::new(artifact, &settings, 0, &log, None))
                .await
                .ok_or_else(|| HookError::Instantiate("takes too long to start".into()))?
                .map_err(|error| HookError::Instantiate(format!("{error:#}")))?;
        instance.begin();
        match within(settings.wall_budget, &waits, instance.describe()).await {
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
        let slot = self.configs.lock().insert(self.number, json);
        let name = || self.artifact.manifest.name.clone();
        let failed = |error| BindError::Failed { name: name(), error };
        let mut lease = self.lease_for_check(self.own_pool()).await.map_err(failed)?;
        let result = self.run(&mut lease, async |instance| Ok(Ok(instance.check(&slot).await?))).await;
        lease.finish(&result, false);
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
                let mut lease = self.lease_for_check(worker).await?;
                let check = async |instance: &mut Instance| {
                    let checked = instance.check(slot).await?;
                    Ok(checked.map_err(|problems| HookError::Configure(Problem::list(&problems))))
                };
                let result = self.run(&mut lease, check).await;
                lease.finish(&result, false);
                result?;
            }
            if slots.is_empty() {
                self.lease_for_check(worker).await?.finish(&Ok(()), false);
            }
        }
        Ok(())
    }

    /// The configurations that are in use.
    pub(crate) fn live_configs(&self) -> Vec<String> {
        self.live_slots().iter().map(|slot| slot.json.clone()).collect()
    }

    fn live_slots(&self) -> Vec<Arc<ConfigSlot>> {
        self.configs.lock().slots.iter().filter_map(Weak::upgrade).collect()
    }

    /// The configurations in use, as metrics know them.
    pub(crate) fn makers(&self) -> BTreeSet<Maker> {
        self.live_slots().iter().map(|slot| slot.maker()).collect()
    }

    /// What the plugin's instances share with those of its other versions.
    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.home.space
    }

    /// What its hooks have done.
    pub(crate) fn statistics(&self) -> PluginStatistics {
        let (mut total, mut instances, mut memory) = (Statistics::default(), 0, 0);
        for pool in &self.pools {
            let pool = pool.lock();
            total.add(&pool.statistics);
            instances += pool.live;
            memory += pool.idle.iter().map(|idle| idle.instance.memory() as u64).sum::<u64>();
        }
        let (mut queued, mut dropped) = (0, 0);
        for slot in self.live_slots() {
            let counts = slot.queue().counts();
            queued += counts.0;
            dropped += counts.1;
        }
        PluginStatistics { hooks: total.report(), instances, memory, queued, dropped }
    }

    /// The last failure of a hook, for people.
    pub(crate) fn last_failure(&self) -> Option<String> {
        self.last_failure.lock().clone()
    }

    async fn with_exchange<R: Answers>(
        &self,
        hook: Hook,
        worker: usize,
        exchange: Box<Exchange>,
        call: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<Result<R, HookError>>,
    ) -> (Box<Exchange>, Result<R, HookError>) {
        let mut lease = match self.lease(hook, worker).await {
            Ok(lease) => lease,
            Err(error) => return (exchange, self.note(Err(error))),
        };
        if let Some(seat) = &mut lease.seat {
            seat.instance.state().exchange = Some(exchange);
        }
        let result = self.run(&mut lease, call).await;
        let exchange = lease.seat.as_mut().and_then(|seat| seat.instance.state().exchange.take());
        let answered = result.as_ref().is_ok_and(Answers::answers);
        lease.finish(&result, answered);
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
        let Lease { worker, seat, ran, .. } = lease;
        let _running = self.clock.running(*worker);
        let Some(Idle { instance, waits }) = seat else { return Err(HookError::NotExported) };
        instance.begin();
        match within(self.settings.wall_budget, waits, timed(ran.as_mut(), call(instance))).await {
            Some(Ok(result)) => result,
            failed => Err(classify(failed.and_then(Result::err).as_ref(), instance.state(), &self.settings)),
        }
    }

    /// Takes an instance of `worker` for a call of `hook`, making one where none is at rest.
    async fn lease(&self, hook: Hook, worker: usize) -> Result<Lease<'_>, HookError> {
        self.take(Some(hook), worker).await
    }

    /// Takes an instance for what is no hook.
    async fn lease_for_check(&self, worker: usize) -> Result<Lease<'_>, HookError> {
        self.take(None, worker).await
    }

    async fn take(&self, hook: Option<Hook>, worker: usize) -> Result<Lease<'_>, HookError> {
        let Some(pool) = self.pools.get(worker) else {
            return Err(HookError::Instantiate(format!("there is no worker {worker}")));
        };
        let (idle, is_timed) = {
            let mut pool = pool.lock();
            if hook.is_some_and(|hook| !pool.allows(hook)) {
                return Err(pool.refuse(hook, HookError::Resting));
            }
            let idle = pool.idle.pop();
            if idle.is_none() {
                if pool.live >= self.max_instances {
                    return Err(pool.refuse(hook, HookError::Saturated { limit: self.max_instances }));
                }
                pool.live += 1;
            }
            (idle, hook.is_some_and(|hook| pool.statistics.begin(hook)))
        };
        let ran = is_timed.then_some(Duration::ZERO);
        let mut lease = Lease { generation: self, pool, worker, hook, ran, seat: idle, finished: false };
        if lease.seat.is_none() {
            let asked = Instant::now();
            let _running = self.clock.running(worker);
            let home = Some(self.home.clone());
            let fresh = Instance::new(&self.artifact, &self.settings, self.scope, &self.log, home);
            let fresh = within(self.settings.wall_budget, &Waits::default(), fresh)
                .await
                .ok_or_else(|| HookError::Instantiate("takes too long to start".into()))
                .and_then(|fresh| fresh.map_err(|error| HookError::Instantiate(format!("{error:#}"))));
            let fresh = match fresh {
                Ok(fresh) => fresh,
                Err(error) => {
                    lease.finish(&Err::<(), _>(error.clone()), false);
                    return Err(error);
                }
            };
            let mut instance = Box::new(fresh);
            let waits = Arc::clone(&instance.state().waits);
            lease.seat = Some(Idle { instance, waits });
            if let Some(hook) = hook {
                pool.lock().statistics.waited(hook, asked.elapsed());
            }
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
            // Why it rests says more than that it rests.
            if !matches!(error, HookError::Resting) {
                *self.last_failure.lock() = Some(clip(&error.to_string(), bounds::LOG_LINE).to_owned());
            }
        }
        result
    }
}

/// Whether what a hook gave back answers the request.
trait Answers {
    fn answers(&self) -> bool {
        false
    }
}

impl Answers for Decision {
    fn answers(&self) -> bool {
        !matches!(self, Self::Continue)
    }
}

impl Answers for () {}
impl Answers for Option<Bytes> {}

/// An instance at work. Dropped in the middle of a call, as when a client goes away, it takes the instance with
/// it: a guest cannot be stopped and used again.
struct Lease<'a> {
    generation: &'a Generation,
    pool: &'a Mutex<Pool>,
    worker: usize,
    hook: Option<Hook>,
    /// How long the call ran, where it is timed.
    ran: Option<Duration>,
    seat: Option<Idle>,
    /// Whether the pool knows how the call ended.
    finished: bool,
}

impl Lease<'_> {
    /// Gives the instance back, if the call left it fit for another, and counts how it went.
    fn finish<R>(mut self, result: &Result<R, HookError>, answered: bool) {
        let error = result.as_ref().err();
        let reusable = matches!(
            error,
            None | Some(HookError::Plugin(_) | HookError::Configure(_) | HookError::NotExported)
        );
        let settings = &self.generation.settings;
        let seat = self.seat.take().filter(|seat| reusable && !seat.instance.is_worn(settings));
        let mut pool = self.pool.lock();
        if let Some(hook) = self.hook {
            pool.statistics.end(hook, self.ran, error, answered);
            let breaker = pool.breakers.get_mut(hook as usize);
            let pause = breaker.and_then(|breaker| {
                if reusable {
                    breaker.succeeded();
                    return None;
                }
                breaker.failed()
            });
            if let Some(pause) = pause {
                let (plugin, hook) = (self.generation.artifact.manifest.name.as_str(), hook.name());
                tracing::error!(
                    plugin,
                    hook,
                    ?pause,
                    "the plugin fails again and again, and the hook is not called for a while"
                );
            }
        }
        match seat {
            Some(seat) => pool.idle.push(seat),
            None => pool.live -= 1,
        }
        drop(pool);
        self.finished = true;
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.pool.lock().live -= 1;
        }
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

    fn insert(&mut self, generation: u64, json: String) -> Arc<ConfigSlot> {
        if self.by_json.len() >= 2 * self.slots.len() {
            self.by_json.retain(|_, slot| slot.strong_count() > 0);
        }
        let free = self.slots.iter().position(|slot| slot.strong_count() == 0);
        let index = free.unwrap_or(self.slots.len());
        self.serials += 1;
        let queue = LogQueue::new(QueueSettings::of(&serde_json::from_str(&json).unwrap_or_default()));
        let slot =
            Arc::new(ConfigSlot { index, serial: self.serials, generation, json: json.clone(), queue });
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
    /// Of the plugin.
    generation: u64,
    json: String,
    queue: LogQueue,
}

impl ConfigSlot {
    /// The log records that wait for it.
    pub(crate) fn queue(&self) -> &LogQueue {
        &self.queue
    }

    /// Position among an instance's configurations.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    /// Differs between configurations that had the same position one after the other.
    pub(crate) fn serial(&self) -> u64 {
        self.serial
    }

    /// What it is known by beyond this version of the plugin.
    pub(crate) fn maker(&self) -> Maker {
        (self.generation, self.serial)
    }

    /// The configuration.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }
}
