//! A node with three services, four routes and three plugin configurations, and a catalog of plugins that
//! answer what a test tells them to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use moongate_hooks::{AdminRequest, AdminRoute, HookError, PluginCatalog, PluginState, PluginStatus, Reply};
use moongate_model::{
    Entities, HttpsRedirectStatus, PathHandling, Plugin, Protocol, Reference, Route, Service,
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{Counters, Node};

pub(super) struct FakeNode {
    pub(super) entities: Arc<Entities>,
    pub(super) reload: Result<(), String>,
    /// Makes a reload tell that it began, wait, and tell that it ended.
    pub(super) slow_reload: Option<[Notify; 3]>,
}

impl Default for FakeNode {
    fn default() -> Self {
        let entities = Entities {
            services: vec![
                service(1, "one", &["a"]),
                service(2, "two", &["a", "b"]),
                service(3, "three", &["b"]),
            ],
            routes: vec![
                route(11, Some("r1"), Some(1)),
                route(12, None, Some(1)),
                route(13, Some("r3"), Some(2)),
                route(14, Some("lonely"), None),
            ],
            plugins: vec![
                plugin(21, "add-header", None, None),
                plugin(22, "add-header", Some("second"), Some(1)),
                plugin(23, "gone", None, None),
            ],
        };
        Self { entities: Arc::new(entities), reload: Ok(()), slow_reload: None }
    }
}

impl Node for FakeNode {
    fn entities(&self) -> Arc<Entities> {
        self.entities.clone()
    }

    fn configuration(&self) -> Value {
        json!({"database": "off", "role": "traditional"})
    }

    fn configuration_hash(&self) -> String {
        "41e943caec385f88f740539b5cb366b3".to_owned()
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

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async {
            if let Some([began, go_on, ended]) = &self.slow_reload {
                began.notify_one();
                go_on.notified().await;
                ended.notify_one();
            }
            self.reload.clone()
        })
    }
}

/// A catalog whose plugin answers each admin request with what it is told to.
pub(super) struct FakeCatalog {
    pub(super) plugins: Vec<PluginStatus>,
    pub(super) routes: Mutex<Vec<AdminRoute>>,
    pub(super) reply: Result<Reply, HookError>,
    pub(super) seen: Mutex<Vec<(String, AdminRequest)>>,
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

pub(super) fn service(id: u128, name: &str, tags: &[&str]) -> Service {
    Service {
        id: Uuid::from_u128(id),
        name: Some(name.to_owned()),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        retries: 5,
        protocol: Protocol::Http,
        host: "upstream.test".to_owned(),
        port: 80,
        path: None,
        connect_timeout: 60000,
        write_timeout: 60000,
        read_timeout: 60000,
        tags: Some(tags.iter().map(|&tag| tag.to_owned()).collect()),
        client_certificate: None,
        tls_verify: None,
        tls_verify_depth: None,
        ca_certificates: None,
        enabled: true,
    }
}

fn route(id: u128, name: Option<&str>, service: Option<u128>) -> Route {
    Route {
        id: Uuid::from_u128(id),
        name: name.map(str::to_owned),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        protocols: vec![Protocol::Http, Protocol::Https],
        methods: None,
        hosts: None,
        paths: Some(vec!["/x".to_owned()]),
        headers: None,
        snis: None,
        sources: None,
        destinations: None,
        https_redirect_status_code: HttpsRedirectStatus::default(),
        regex_priority: 0,
        strip_path: true,
        path_handling: PathHandling::default(),
        preserve_host: false,
        request_buffering: true,
        response_buffering: true,
        tags: None,
        service: service.map(reference),
    }
}

fn plugin(id: u128, name: &str, instance: Option<&str>, service: Option<u128>) -> Plugin {
    Plugin {
        id: Uuid::from_u128(id),
        name: name.to_owned(),
        instance_name: instance.map(str::to_owned),
        created_at: 1_700_000_000,
        updated_at: 1_700_000_000,
        route: None,
        service: service.map(reference),
        consumer: None,
        config: Map::new(),
        protocols: vec![Protocol::Http],
        enabled: true,
        tags: None,
    }
}

pub(super) fn reference(id: u128) -> Reference {
    Reference { id: Uuid::from_u128(id) }
}

pub(super) fn status(name: &str, state: PluginState, generation: u64) -> PluginStatus {
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
    }
}
