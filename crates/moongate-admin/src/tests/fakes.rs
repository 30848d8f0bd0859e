//! A node with entities in memory, and a catalog of plugins that answer what a test tells them to.

mod health;
mod schemas;
mod unwilling;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use moongate_hooks::{AdminRequest, AdminRoute, HookError, PluginCatalog, PluginState, PluginStatus, Reply};
use moongate_schema::Catalog;
use moongate_store::{Layout, MemoryStore, Store};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

pub(crate) use self::health::FakeHealth;
pub(crate) use self::schemas::builder;
pub(crate) use self::unwilling::UnwillingStore;
use crate::{Counters, Declarative, Health, LoadError, LoadOptions, Loaded, LogLevel, Node, Source};

pub(crate) struct FakeNode {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) declarative: Option<FakeDeclarative>,
    pub(crate) health: FakeHealth,
    pub(crate) log_level: Mutex<(LogLevel, Option<Duration>)>,
    pub(crate) token: Option<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) reload: Result<(), String>,
    /// Makes a reload tell that it began, wait, and tell that it ended.
    pub(crate) slow_reload: Option<[Notify; 3]>,
}

impl Default for FakeNode {
    fn default() -> Self {
        Self::of(builder().build().unwrap())
    }
}

impl FakeNode {
    /// A node without an entity.
    pub(crate) fn of(catalog: Catalog) -> Self {
        let store = Arc::new(MemoryStore::new(Arc::new(Layout::of(&catalog))));
        Self {
            catalog: Arc::new(catalog),
            health: FakeHealth { store: store.clone(), unhealthy: Mutex::default() },
            store,
            declarative: None,
            log_level: Mutex::new((LogLevel::Notice, None)),
            token: None,
            origins: Vec::new(),
            reload: Ok(()),
            slow_reload: None,
        }
    }

    /// The same node, with entities that come from a declarative configuration.
    pub(crate) fn declarative(self) -> Self {
        Self { declarative: Some(FakeDeclarative::default()), ..self }
    }
}

#[async_trait]
impl Node for FakeNode {
    fn catalog(&self) -> Arc<Catalog> {
        self.catalog.clone()
    }

    fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    fn declarative(&self) -> Option<&dyn Declarative> {
        self.declarative.as_ref().map(|declarative| declarative as &dyn Declarative)
    }

    fn health(&self) -> &dyn Health {
        &self.health
    }

    fn configuration(&self) -> Value {
        json!({"database": "memory", "role": "traditional", "log_level": "as configured"})
    }

    fn counters(&self) -> Counters {
        Counters { connections_accepted: 7, connections_active: 2, total_requests: 9, ..Counters::default() }
    }

    fn resident_memory(&self) -> u64 {
        3 * 512 * 1024
    }

    fn node_id(&self) -> Uuid {
        Uuid::from_u128(99)
    }

    fn hostname(&self) -> String {
        "box".to_owned()
    }

    fn version(&self) -> &str {
        "0.1.0"
    }

    fn workers(&self) -> Vec<u32> {
        vec![4, 5]
    }

    fn log_level(&self) -> LogLevel {
        self.log_level.lock().0
    }

    fn set_log_level(&self, level: LogLevel, timeout: Duration) {
        *self.log_level.lock() = (level, Some(timeout));
    }

    fn admin_token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn allowed_origins(&self) -> &[String] {
        &self.origins
    }

    async fn reload(&self) -> Result<(), String> {
        if let Some([began, go_on, ended]) = &self.slow_reload {
            began.notify_one();
            go_on.notified().await;
            ended.notify_one();
        }
        self.reload.clone()
    }
}

/// Remembers what was loaded, and answers what a test tells it to.
pub(crate) struct FakeDeclarative {
    pub(crate) loaded: Mutex<Vec<(Source, LoadOptions)>>,
    pub(crate) result: Result<Loaded, LoadError>,
}

impl Default for FakeDeclarative {
    fn default() -> Self {
        Self { loaded: Mutex::default(), result: Ok(Loaded::Entities(json!({}))) }
    }
}

#[async_trait]
impl Declarative for FakeDeclarative {
    fn hash(&self) -> String {
        "41e943caec385f88f740539b5cb366b3".to_owned()
    }

    async fn load(&self, source: Source, options: LoadOptions) -> Result<Loaded, LoadError> {
        self.loaded.lock().push((source, options));
        self.result.clone()
    }

    async fn export(&self) -> Result<String, String> {
        Ok("_format_version: '3.0'\n".to_owned())
    }
}

/// A catalog whose plugin answers each admin request with what it is told to.
pub(crate) struct FakeCatalog {
    pub(crate) plugins: Vec<PluginStatus>,
    pub(crate) routes: Mutex<Vec<AdminRoute>>,
    pub(crate) reply: Result<Reply, HookError>,
    pub(crate) seen: Mutex<Vec<(String, AdminRequest)>>,
}

impl Default for FakeCatalog {
    fn default() -> Self {
        Self {
            plugins: vec![
                status("add-header", PluginState::Ready, 2),
                status("broken", PluginState::Refused, 0),
                status("older", PluginState::Refused, 1),
            ],
            routes: Mutex::default(),
            reply: Err(HookError::NotExported),
            seen: Mutex::default(),
        }
    }
}

impl PluginCatalog for FakeCatalog {
    fn plugins(&self) -> Vec<PluginStatus> {
        self.plugins.clone()
    }

    fn admin_routes(&self) -> Vec<AdminRoute> {
        self.routes.lock().clone()
    }

    fn admin(
        &self,
        plugin: &str,
        request: AdminRequest,
    ) -> Pin<Box<dyn Future<Output = Result<Reply, HookError>> + Send + '_>> {
        self.seen.lock().push((plugin.to_owned(), request));
        Box::pin(async { self.reply.clone() })
    }
}

pub(crate) fn status(name: &str, state: PluginState, generation: u64) -> PluginStatus {
    PluginStatus {
        name: name.to_owned(),
        version: Some("1.2.0".to_owned()),
        priority: Some(800),
        digest: None,
        file: format!("/plugins/{name}.wasm"),
        hooks: vec!["request"],
        state,
        last_error: None,
        generation,
        loaded_at: None,
        capabilities: Vec::new(),
        grants: Vec::new(),
        statistics: None,
    }
}
