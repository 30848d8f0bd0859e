//! The one engine of the process, and its clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::settings::bounds;

/// How often a computing guest is asked to let others run. Also the unit of CPU budgets.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// Ticks without a call after which the clock sleeps, so that an idle gateway wakes nobody.
const IDLE_TICKS: u32 = 100;

/// Makes the engine, with pooled instances where the machine has the address space for them.
pub(crate) fn build(workers: usize) -> wasmtime::Result<Engine> {
    match Engine::new(&config(Some(workers))) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            tracing::warn!(%error, "no address space for pooled plugin instances, fresh ones will cost more");
            Engine::new(&config(None))
        }
    }
}

/// Makes an engine that compiles for the one of [`build`]: how instances are allocated does not matter to their code.
pub(crate) fn for_compiling() -> wasmtime::Result<Engine> {
    Engine::new(&config(None))
}

fn config(pooled: Option<usize>) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // Calls are synchronous in the contract; the bookkeeping for concurrent ones makes each call dearer.
        .concurrency_support(false)
        .gc_support(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .wasm_shared_everything_threads(false)
        .wasm_memory64(false)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(bounds::BACKTRACE_FRAMES))
        .max_wasm_stack(bounds::WASM_STACK);
    if let Some(workers) = pooled {
        // Some hundred instances for each worker; what is reserved is address space, not memory.
        let total = 1_000 + 200 * u32::try_from(workers.min(32)).unwrap_or(32);
        let mut pool = PoolingAllocationConfig::new();
        pool.max_memory_size(bounds::MEMORY)
            .table_elements(bounds::TABLE_ELEMENTS)
            .max_core_instances_per_component(bounds::INSTANCES as u32)
            .max_tables_per_component(bounds::TABLES as u32)
            .max_memories_per_component(bounds::MEMORIES as u32)
            .max_component_instance_size(4 * 1024 * 1024)
            .max_core_instance_size(4 * 1024 * 1024)
            .total_component_instances(total)
            .total_core_instances(4 * total)
            .total_memories(total)
            .total_tables(2 * total)
            .total_stacks(total)
            .total_gc_heaps(0)
            .linear_memory_keep_resident(64 * 1024)
            .pagemap_scan(Enabled::No);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    } else {
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
    }
    config
}

/// Advances the engine's epoch every [`TICK`], on a thread of its own, while guests run.
///
/// A plain thread, because an executor that a guest blocks could not tick. It ends with the last [`Clock`].
pub(crate) struct Clock {
    shared: Arc<Shared>,
    thread: std::thread::Thread,
}

struct Shared {
    /// Calls in progress, one counter for each worker.
    running: Box<[Counter]>,
    asleep: AtomicBool,
    stopped: AtomicBool,
}

/// A counter on a cache line of its own, so that workers do not slow each other down.
#[repr(align(128))]
#[derive(Default)]
struct Counter(AtomicU32);

impl Clock {
    /// Starts the clock of `engine` for calls on `workers` workers.
    pub(crate) fn start(engine: &Engine, workers: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: (0..workers).map(|_| Counter::default()).collect(),
            asleep: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&shared);
        let engine = engine.weak();
        let thread = std::thread::Builder::new().name("plugin-clock".into()).spawn(move || {
            let mut idle = 0;
            while !theirs.stopped.load(Ordering::Relaxed) {
                std::thread::sleep(TICK);
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
                idle = if theirs.is_running() { 0 } else { idle + 1 };
                if idle >= IDLE_TICKS {
                    theirs.asleep.store(true, Ordering::SeqCst);
                    // A call that began before this line is seen here; one that begins after it wakes us.
                    if !theirs.is_running() && !theirs.stopped.load(Ordering::SeqCst) {
                        std::thread::park();
                    }
                    theirs.asleep.store(false, Ordering::SeqCst);
                    idle = 0;
                }
            }
        })?;
        Ok(Self { thread: thread.thread().clone(), shared })
    }

    /// Says that a guest runs on `worker`, until the answer is dropped.
    pub(crate) fn running(&self, worker: usize) -> Running<'_> {
        let counter = self.shared.running.get(worker).map(|counter| &counter.0);
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(counter)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

impl Shared {
    fn is_running(&self) -> bool {
        self.running.iter().any(|counter| counter.0.load(Ordering::SeqCst) > 0)
    }
}

/// A guest is running. The clock does not sleep while one of these exists.
pub(crate) struct Running<'a>(Option<&'a AtomicU32>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(counter) = self.0 {
            counter.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    #[test]
    fn code_is_the_same_however_instances_are_allocated() {
        let hash = |engine: Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        let compiling = hash(for_compiling().unwrap());
        assert_eq!(hash(Engine::new(&config(Some(1))).unwrap()), compiling);
        assert_eq!(hash(Engine::new(&config(Some(64))).unwrap()), compiling);
    }
}
