//! Which Redis server counts.

use std::time::Duration;

use moongate_sdk::config;
use moongate_sdk::counters::{Redis, RedisSettings};

/// A Redis server.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Server {
    /// Host name or address.
    host: Option<String>,
    /// Port; 6379 otherwise.
    port: Option<u16>,
    /// Milliseconds; 2,000 otherwise.
    timeout: Option<u32>,
    /// User.
    username: Option<String>,
    /// Password.
    password: Option<String>,
    /// Number of the database.
    database: u32,
    /// Whether to speak TLS.
    ssl: bool,
    /// Whether the certificate must be good.
    ssl_verify: bool,
    /// Name in the certificate.
    server_name: Option<String>,
}

impl Server {
    pub(crate) fn open(&self) -> Redis {
        let mut settings = RedisSettings::new(self.host.clone().unwrap_or_default());
        settings.port = self.port.unwrap_or(settings.port);
        settings.timeout =
            self.timeout.map_or(settings.timeout, |timeout| Duration::from_millis(timeout.into()));
        settings.username.clone_from(&self.username);
        settings.password.clone_from(&self.password);
        settings.database = self.database;
        settings.tls = self.ssl;
        settings.tls_verify = self.ssl_verify;
        settings.server_name.clone_from(&self.server_name);
        Redis::open(settings)
    }
}
