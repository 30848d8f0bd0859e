//! What plugins can do beyond looking at the request at hand, each by a grant of the operator.

mod counters;
mod crypto;
mod directory;
mod http_client;
mod kv;
mod metrics;
mod redis;

use std::collections::BTreeSet;
use std::sync::Arc;

use moongate_hooks::Directory;
use parking_lot::RwLock;
use tokio::sync::watch;

pub(crate) use counters::Counters;
#[expect(unreachable_pub, reason = "named by generated code that is public within its module")]
pub use crypto::Verifier;
pub(crate) use http_client::HttpClient;
pub(crate) use kv::KeyValues;
pub(crate) use metrics::{Maker, Metrics};
#[expect(unreachable_pub, reason = "as above")]
pub use redis::RedisHandle;
pub(crate) use redis::RedisPool;

/// An interface that a plugin may import if it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Finding consumers, and saying who a client is.
    Consumers,
    /// Counting in windows of time.
    Counters,
    /// Hashes, HMACs and signatures at the machine's own speed.
    Crypto,
    /// Looking up the plugin's own entities.
    Entities,
    /// Requests to other servers.
    HttpClient,
    /// Values that last longer than a request.
    Kv,
    /// Metrics that appear at `/metrics`.
    Metrics,
    /// Values of vaults.
    Secrets,
}

impl Capability {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Consumers,
        Self::Counters,
        Self::Crypto,
        Self::Entities,
        Self::HttpClient,
        Self::Kv,
        Self::Metrics,
        Self::Secrets,
    ];

    /// Name of the interface in the contract, and of the grant.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consumers => "consumers",
            Self::Counters => "counters",
            Self::Crypto => "crypto",
            Self::Entities => "entities",
            Self::HttpClient => "http-client",
            Self::Kv => "kv",
            Self::Metrics => "metrics",
            Self::Secrets => "secrets",
        }
    }

    /// The capability of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }
}

/// What an operator grants to one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants {
    /// The interfaces that it may import.
    pub capabilities: BTreeSet<Capability>,
    /// Where requests may go, with [`Capability::HttpClient`].
    pub http: HttpGrant,
    /// Where it may send the requests of clients to, instead of to their service.
    pub targets: HttpGrant,
}

impl Grants {
    /// Grants of these capabilities; requests may go nowhere.
    pub fn of(capabilities: impl IntoIterator<Item = Capability>) -> Self {
        Self { capabilities: capabilities.into_iter().collect(), ..Self::default() }
    }

    /// Every capability, and requests to anywhere.
    pub fn all() -> Self {
        let anywhere = HttpGrant { hosts: vec!["*".to_owned()], private: true };
        Self { http: anywhere.clone(), targets: anywhere, ..Self::of(Capability::ALL) }
    }
}

/// Where the requests of a plugin may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpGrant {
    /// Host names: exact, with a first label `*` for any names below, or `*` for any.
    pub hosts: Vec<String>,
    /// Whether addresses of private networks and of this machine are among them.
    pub private: bool,
}

/// What all instances of a plugin share, whatever their version: it lasts as long as the gateway runs.
pub(crate) struct Space {
    pub(crate) kv: KeyValues,
    pub(crate) counters: Counters,
    pub(crate) metrics: Metrics,
    pub(crate) http: HttpClient,
    pub(crate) targets: HttpGrant,
    pub(crate) surroundings: Arc<Surroundings>,
}

impl Space {
    pub(crate) fn new(grants: &Grants, surroundings: &Arc<Surroundings>) -> Self {
        Self {
            kv: KeyValues::default(),
            counters: Counters::default(),
            metrics: Metrics::default(),
            http: HttpClient::new(grants.http.clone()),
            targets: grants.targets.clone(),
            surroundings: Arc::clone(surroundings),
        }
    }
}

/// What all plugins have around them.
pub(crate) struct Surroundings {
    /// The configuration that is served.
    directory: RwLock<Option<Arc<dyn Directory>>>,
    pub(crate) redis: RedisPool,
    /// Runs what waits for the network.
    pub(crate) runtime: tokio::runtime::Handle,
    /// Whether the gateway is about to end, and log records wait no longer than they must.
    pub(crate) closing: watch::Sender<bool>,
    /// Held by whoever hands over log records.
    pub(crate) emptying: Arc<()>,
}

impl Surroundings {
    pub(crate) fn new(runtime: tokio::runtime::Handle) -> Self {
        Self {
            directory: RwLock::default(),
            redis: RedisPool::default(),
            runtime,
            closing: watch::Sender::new(false),
            emptying: Arc::default(),
        }
    }

    pub(crate) fn directory(&self) -> Option<Arc<dyn Directory>> {
        self.directory.read().clone()
    }

    pub(crate) fn set_directory(&self, directory: Arc<dyn Directory>) {
        *self.directory.write() = Some(directory);
    }
}
