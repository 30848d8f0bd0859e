//! What the host keeps beside each guest.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use moongate_hooks::Exchange;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime::error::format_err;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::artifact::Manifest;
use crate::capabilities::{Maker, Space};
use crate::output::{CapturedOutput, PluginLog};
use crate::settings::{PluginSettings, bounds};

/// Marks handles of the request at hand. There is only ever one, so the handle carries nothing.
#[expect(unreachable_pub, reason = "named by generated code that is public within its module")]
pub struct RequestHandle;

/// Marks handles of the response at hand.
#[expect(unreachable_pub, reason = "as above")]
pub struct ResponseHandle;

/// The data of a store.
pub(crate) struct GuestState {
    /// The request that the guest is working on; lent for the length of a call.
    pub(crate) exchange: Option<Box<Exchange>>,
    /// Names the plugin's drawer in the request's context.
    pub(crate) scope: u64,
    /// How long the call at hand has been computing, and may.
    pub(crate) meter: Meter,
    /// Memory and tables.
    pub(crate) memory: MemoryLimiter,
    /// Where log lines go.
    pub(crate) log: Arc<PluginLog>,
    /// The end of what the guest wrote to its stderr, for the text of a trap.
    pub(crate) output: CapturedOutput,
    /// The configuration that is being made.
    pub(crate) maker: Option<Maker>,
    /// How long the guest has waited for the network.
    pub(crate) waits: Arc<Waits>,
    home: Option<Home>,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl GuestState {
    /// Without a home for a guest that is asked for its manifest, and can do nothing yet.
    pub(crate) fn new(
        scope: u64,
        settings: &PluginSettings,
        log: &Arc<PluginLog>,
        home: Option<Home>,
    ) -> Self {
        let output = CapturedOutput::new(Arc::clone(log));
        let mut table = ResourceTable::new();
        table.set_max_capacity(bounds::RESOURCES);
        let wasi = WasiCtx::builder()
            .max_random_size(bounds::RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .stdout(output.clone())
            .stderr(output.clone())
            .build();
        Self {
            exchange: None,
            scope,
            meter: Meter { ticks: 0, budget: settings.cpu_budget.as_millis() as u64 },
            memory: MemoryLimiter { limit: settings.memory_limit, used: 0, refused: false },
            log: Arc::clone(log),
            output,
            maker: None,
            waits: Arc::default(),
            home,
            wasi,
            table,
        }
    }
}

impl GuestState {
    /// What the plugin's instances share.
    pub(crate) fn space(&self) -> wasmtime::Result<&Arc<Space>> {
        let home =
            self.home.as_ref().ok_or_else(|| format_err!("capabilities cannot be used by `describe`"))?;
        Ok(&home.space)
    }

    /// Name of the plugin.
    pub(crate) fn plugin(&self) -> &str {
        self.home.as_ref().map_or("", |home| &home.manifest.name)
    }

    /// Whether an entity is one that the plugin declares.
    pub(crate) fn owns(&self, entity: &str) -> bool {
        let home = self.home.as_ref();
        home.is_some_and(|home| home.manifest.entity_names.iter().any(|name| name == entity))
    }

    pub(crate) fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Waits for the network, which is not held against the guest's budgets.
    pub(crate) fn waiting<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let waits = Arc::clone(&self.waits);
        async move {
            let _waiting = waits.begin();
            future.await
        }
    }
}

/// Where a plugin's instances belong.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) space: Arc<Space>,
}

/// How long a guest has waited for the network, in one call.
#[derive(Default)]
pub(crate) struct Waits {
    under_way: AtomicBool,
    /// Nanoseconds.
    total: AtomicU64,
}

impl Waits {
    pub(crate) fn reset(&self) {
        self.total.store(0, Ordering::Relaxed);
        self.under_way.store(false, Ordering::Relaxed);
    }

    pub(crate) fn begin(&self) -> Waiting<'_> {
        self.under_way.store(true, Ordering::Relaxed);
        Waiting { waits: self, since: Instant::now() }
    }

    /// Whether the guest waits right now.
    pub(crate) fn are_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Time waited in waits that are over.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total.load(Ordering::Relaxed))
    }
}

/// A wait under way.
pub(crate) struct Waiting<'a> {
    waits: &'a Waits,
    since: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.total.fetch_add(self.since.elapsed().as_nanos() as u64, Ordering::Relaxed);
        self.waits.under_way.store(false, Ordering::Relaxed);
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl wasmtime_wasi_io::IoView for GuestState {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

/// CPU time of a call, in ticks of the engine's clock. A guest that waits or has yielded is not charged.
pub(crate) struct Meter {
    ticks: u64,
    budget: u64,
}

impl Meter {
    /// Begins a call.
    pub(crate) fn restart(&mut self) {
        self.ticks = 0;
    }

    /// Charges a tick; says whether the budget allows to go on.
    pub(crate) fn charge(&mut self) -> bool {
        self.ticks += 1;
        !self.exhausted()
    }

    /// Whether the call was cut off for its use of the CPU.
    pub(crate) fn exhausted(&self) -> bool {
        self.ticks >= self.budget
    }
}

/// Bounds an instance's memory and tables, and remembers that it had to.
pub(crate) struct MemoryLimiter {
    pub(crate) limit: usize,
    /// Bytes in use; memory of a guest never shrinks.
    pub(crate) used: usize,
    /// Whether the guest asked for more than the limit.
    pub(crate) refused: bool,
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.used.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= bounds::TABLE_ELEMENTS)
    }

    fn instances(&self) -> usize {
        bounds::INSTANCES
    }

    fn tables(&self) -> usize {
        bounds::TABLES
    }

    fn memories(&self) -> usize {
        bounds::MEMORIES
    }
}
