//! Counters that several nodes share, in Redis.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{ConnectionAddr, IntoConnectionInfo, Pipeline, RedisConnectionInfo};

use super::Surroundings;
use crate::bindings::counters::{Counter, RedisSettings};

/// The connections to Redis servers, one for each way to reach one.
#[derive(Default)]
pub(crate) struct RedisPool(Mutex<HashMap<String, Arc<tokio::sync::OnceCell<ConnectionManager>>>>);

/// A Redis server, as a plugin uses it.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "named by generated code that is public within its module")]
pub struct RedisHandle(Arc<Handle>);

struct Handle {
    settings: RedisSettings,
    surroundings: Arc<Surroundings>,
    /// Keeps the keys of plugins apart.
    prefix: String,
    connection: Arc<tokio::sync::OnceCell<ConnectionManager>>,
}

impl RedisHandle {
    pub(crate) fn new(settings: RedisSettings, surroundings: &Arc<Surroundings>, plugin: &str) -> Self {
        let key = format!("{settings:?}");
        let connection = Arc::clone(surroundings.redis.0.lock().entry(key).or_default());
        let prefix = format!("moongate:{plugin}:");
        Self(Arc::new(Handle { settings, surroundings: Arc::clone(surroundings), prefix, connection }))
    }

    pub(crate) async fn read(self, names: Vec<String>) -> Result<Vec<u64>, String> {
        let mut pipeline = redis::pipe();
        for name in &names {
            pipeline.cmd("GET").arg(format!("{}{name}", self.0.prefix));
        }
        let values: Vec<Option<u64>> = self.query(pipeline).await?;
        Ok(values.into_iter().map(Option::unwrap_or_default).collect())
    }

    pub(crate) async fn add(self, counters: Vec<Counter>, amount: u64) -> Result<Vec<u64>, String> {
        let mut pipeline = redis::pipe();
        for counter in &counters {
            let key = format!("{}{}", self.0.prefix, counter.name);
            pipeline.cmd("INCRBY").arg(&key).arg(amount);
            pipeline.cmd("PEXPIREAT").arg(&key).arg(counter.ends).ignore();
        }
        self.query(pipeline).await
    }

    /// Runs commands on the host's own thread, where connections live, for no longer than the settings say.
    async fn query<T: redis::FromRedisValue + Send + 'static>(self, pipeline: Pipeline) -> Result<T, String> {
        let timeout = Duration::from_millis(self.0.settings.timeout.clamp(1, 60_000).into());
        let runtime = self.0.surroundings.runtime.clone();
        let task = runtime.spawn(async move {
            let query = async {
                let connection = self.0.connection.get_or_try_init(|| connect(&self.0.settings)).await?;
                pipeline.query_async(&mut connection.clone()).await
            };
            match tokio::time::timeout(timeout, query).await {
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
            }
        });
        task.await.unwrap_or_else(|error| Err(error.to_string()))
    }
}

async fn connect(settings: &RedisSettings) -> redis::RedisResult<ConnectionManager> {
    let (host, port) = (settings.host.clone(), settings.port);
    let address = match settings.tls {
        true => ConnectionAddr::TcpTls { host, port, insecure: !settings.tls_verify, tls_params: None },
        false => ConnectionAddr::Tcp(host, port),
    };
    let mut options = RedisConnectionInfo::default().set_db(settings.database.into());
    if let Some(username) = settings.username.as_deref().filter(|username| !username.is_empty()) {
        options = options.set_username(username);
    }
    if let Some(password) = settings.password.as_deref().filter(|password| !password.is_empty()) {
        options = options.set_password(password);
    }
    let client = redis::Client::open(address.into_connection_info()?.set_redis_settings(options))?;
    let timeout = Some(Duration::from_millis(settings.timeout.clamp(1, 60_000).into()));
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(timeout)
        .set_response_timeout(timeout)
        .set_number_of_retries(1);
    client.get_connection_manager_with_config(config).await
}
