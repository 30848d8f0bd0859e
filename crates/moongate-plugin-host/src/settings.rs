//! What the operator decides about plugins.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use moongate_hooks::FailurePolicy;

use crate::capabilities::Grants;

/// How the host is set up; fixed for the life of the process.
#[derive(Debug, Clone)]
pub struct HostOptions {
    /// Directories whose `.wasm` files are plugins.
    pub plugin_dirs: Vec<PathBuf>,
    /// Where compiled code is kept between starts; `None` compiles every time.
    pub cache_dir: Option<PathBuf>,
    /// A program that calls [`serve_compiler`](crate::serve_compiler) first of all; `None` compiles in this process.
    /// Needs a `cache_dir`, through which the code comes back.
    pub compiler: Option<PathBuf>,
    /// Number of workers that will run hooks.
    pub workers: usize,
    /// Largest artifact that is looked at, in bytes.
    pub max_artifact_size: u64,
    /// Instances that one plugin may have on one worker at a time.
    pub max_instances_per_worker: usize,
    /// Settings of plugins by name; others have the default.
    pub settings: BTreeMap<String, PluginSettings>,
    /// What plugins may do beyond looking at the request at hand, by name; others nothing.
    pub grants: BTreeMap<String, Grants>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            plugin_dirs: Vec::new(),
            cache_dir: None,
            compiler: None,
            workers: 1,
            max_artifact_size: 32 * 1024 * 1024,
            max_instances_per_worker: 64,
            settings: BTreeMap::new(),
            grants: BTreeMap::new(),
        }
    }
}

/// What one plugin may use, and what its failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginSettings {
    /// What a request gets when the plugin fails.
    pub on_failure: FailurePolicy,
    /// The same for single configurations, by their instance name or id.
    pub on_failure_of: BTreeMap<String, FailurePolicy>,
    /// CPU time of one hook, in whole milliseconds.
    pub cpu_budget: Duration,
    /// Time on the clock of one hook, waiting included.
    pub wall_budget: Duration,
    /// Linear memory of one instance, in bytes.
    pub memory_limit: usize,
    /// Calls after which an instance is replaced by a fresh one.
    pub max_calls_per_instance: u32,
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self {
            on_failure: FailurePolicy::Closed,
            on_failure_of: BTreeMap::new(),
            cpu_budget: Duration::from_millis(100),
            wall_budget: Duration::from_secs(1),
            memory_limit: 64 * 1024 * 1024,
            max_calls_per_instance: 1_000_000,
        }
    }
}

impl PluginSettings {
    /// What a request gets when the plugin fails with the configuration of this id and name.
    pub fn on_failure_of(&self, id: &str, instance_name: Option<&str>) -> FailurePolicy {
        let own = instance_name.and_then(|name| self.on_failure_of.get(name));
        own.or_else(|| self.on_failure_of.get(id)).copied().unwrap_or(self.on_failure)
    }
}

/// Bounds that no setting lifts. They are far above what an honest plugin needs, and low enough that a
/// dishonest one cannot make the gateway feel it.
pub(crate) mod bounds {
    /// Linear memory of any instance, in bytes; what the pool reserves.
    pub(crate) const MEMORY: usize = 256 * 1024 * 1024;
    /// Memory above which an instance is not used again, as a share of its limit: half.
    pub(crate) const RETIRE_ABOVE: usize = 2;
    /// Elements of a table.
    pub(crate) const TABLE_ELEMENTS: usize = 100_000;
    /// Core instances of one component; CPython with its libraries has almost forty.
    pub(crate) const INSTANCES: usize = 64;
    /// Tables of one component.
    pub(crate) const TABLES: usize = 20;
    /// Memories of one component.
    pub(crate) const MEMORIES: usize = 4;
    /// Entries of the host's resource table: what plugins prepare for each of their configurations.
    pub(crate) const RESOURCES: usize = 20_000;
    /// Handles that a guest may hold; one for each of its configurations, and some to work with.
    pub(crate) const HANDLES: usize = 20_000;
    /// Bytes that a guest may hand over in one call of the host.
    pub(crate) const HOSTCALL_BYTES: usize = 8 * 1024 * 1024;
    /// Random bytes in one call.
    pub(crate) const RANDOM_BYTES: u64 = 64 * 1024;
    /// Length of a log line.
    pub(crate) const LOG_LINE: usize = 4 * 1024;
    /// Log lines of one plugin per second.
    pub(crate) const LOG_LINES_PER_SECOND: u32 = 100;
    /// Stack of a guest, in bytes.
    pub(crate) const WASM_STACK: usize = 512 * 1024;
    /// Frames of a guest's backtrace.
    pub(crate) const BACKTRACE_FRAMES: usize = 20;
    /// Bytes of a request's body that a hook can have, whatever it asks for.
    pub(crate) const BODY: u64 = 16 * 1024 * 1024;
    /// Bytes of keys and values that a plugin may keep between requests.
    pub(crate) const KV_BYTES: usize = 16 * 1024 * 1024;
    /// Counters of one plugin on one node.
    pub(crate) const COUNTERS: usize = 1_000_000;
    /// Bytes of a counter's name that count.
    pub(crate) const COUNTER_NAME: usize = 512;
    /// Series of one plugin's metrics.
    pub(crate) const SERIES: usize = 10_000;
    /// Requests of one plugin to other servers at a time.
    pub(crate) const HTTP_REQUESTS: usize = 64;
    /// Bytes of a response to such a request.
    pub(crate) const HTTP_RESPONSE: usize = 1024 * 1024;
    /// CPU seconds of the process that compiles, all threads together. The largest plugins that are admitted take a tenth.
    pub(crate) const COMPILER_SECONDS: u64 = 600;
    /// Bytes of compiled code that are kept on disk.
    pub(crate) const CACHE_BYTES: u64 = 1024 * 1024 * 1024;
    /// Seconds that a hook may wait for the network in all.
    pub(crate) const WAITING: u64 = 300;
    /// Failures in a row after which a plugin is not called for a while.
    pub(crate) const BREAKER_FAILURES: u32 = 3;
    /// Milliseconds of the first such pause; each doubles the one before.
    pub(crate) const BREAKER_PAUSE: u64 = 500;
    /// Milliseconds of the longest.
    pub(crate) const BREAKER_LONGEST: u64 = 60_000;
}
