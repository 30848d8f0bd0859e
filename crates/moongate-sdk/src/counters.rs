//! Counts in windows of time. Needs the grant `counters`.
//!
//! Names are the plugin's own: no other plugin sees its counters.

use std::time::Duration;

use crate::raw::counters as raw;

/// A counter, and when it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counter {
    /// Name, at most 512 bytes.
    pub name: String,
    /// When the counter is forgotten, in milliseconds since 1970.
    pub ends: u64,
}

impl Counter {
    /// A counter that is forgotten at a time, in milliseconds since 1970.
    pub fn new(name: impl Into<String>, ends: u64) -> Self {
        Self { name: name.into(), ends }
    }
}

/// A counter that grows only so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Name, at most 512 bytes.
    pub name: String,
    /// When the counter is forgotten, in milliseconds since 1970.
    pub ends: u64,
    /// What it may grow to.
    pub limit: u64,
}

/// Values of counters of this node, shared by its workers; 0 where there is none.
pub fn read(names: &[String]) -> Vec<u64> {
    raw::read(names)
}

/// Adds to counters of this node, and tells their new values. Atomic for each.
pub fn add(counters: &[Counter], amount: u64) -> Vec<u64> {
    raw::add(&lower(counters), amount)
}

/// Adds to counters of this node unless one of them would grow beyond its limit: then to none. Says whether it added, and
/// the values that they have now. Atomic for all of them together. Each name may be given once.
pub fn take(allowances: Vec<Allowance>, amount: u64) -> (bool, Vec<u64>) {
    let allowances: Vec<raw::Allowance> = allowances.into_iter().map(Into::into).collect();
    raw::take(&allowances, amount)
}

/// How to reach a Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisSettings {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User of Redis 6 and later.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// Number of the database.
    pub database: u32,
    /// Time to connect and to wait for an answer, to the millisecond.
    pub timeout: Duration,
    /// Whether to speak TLS.
    pub tls: bool,
    /// Whether the server's certificate must be good.
    pub tls_verify: bool,
    /// Name in the server's certificate, if it is not `host`.
    pub server_name: Option<String>,
}

impl RedisSettings {
    /// A server without password and TLS, at port 6379, whose answers are waited for two seconds.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: 6379,
            username: None,
            password: None,
            database: 0,
            timeout: Duration::from_secs(2),
            tls: false,
            tls_verify: false,
            server_name: None,
        }
    }
}

/// A Redis server, which nodes share. Connections are kept by the gateway.
#[derive(Debug)]
pub struct Redis(raw::Redis);

impl Redis {
    /// Prepares the use of a server; does not connect yet. Meant for [`Plugin::new`](crate::Plugin::new).
    pub fn open(settings: RedisSettings) -> Self {
        Self(raw::Redis::open(&settings.into()))
    }

    /// Values of counters; 0 where there is none. Waits for the server.
    ///
    /// # Errors
    /// What is wrong with the server or the way to it.
    pub fn read(&self, names: &[String]) -> Result<Vec<u64>, String> {
        self.0.read(names)
    }

    /// Adds to counters, and tells their new values. Waits for the server.
    ///
    /// # Errors
    /// As for [`Redis::read`].
    pub fn add(&self, counters: &[Counter], amount: u64) -> Result<Vec<u64>, String> {
        self.0.add(&lower(counters), amount)
    }
}

fn lower(counters: &[Counter]) -> Vec<raw::Counter> {
    counters.iter().cloned().map(Into::into).collect()
}
