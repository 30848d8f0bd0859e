//! What the Admin API shows of this process.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use moongate_admin::{Counters, Node};
use moongate_model::Entities;
use moongate_plugin_host::PluginHost;
use moongate_proxy::Proxy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::control::Requests;
use crate::properties::{Listener, Properties};
use crate::publisher::Live;

/// A running gateway.
pub(crate) struct GatewayNode {
    pub(crate) id: Uuid,
    pub(crate) hostname: String,
    pub(crate) workers: u32,
    pub(crate) configuration: Value,
    pub(crate) live: Arc<Live>,
    pub(crate) proxy: Arc<Proxy<PluginHost>>,
    pub(crate) requests: Requests,
}

impl Node for GatewayNode {
    fn entities(&self) -> Arc<Entities> {
        self.live.current().entities
    }

    fn configuration(&self) -> Value {
        self.configuration.clone()
    }

    fn configuration_hash(&self) -> String {
        self.live.current().hash
    }

    fn counters(&self) -> Counters {
        let counters = self.proxy.counters();
        Counters {
            connections_accepted: counters.accepted,
            connections_handled: counters.accepted,
            connections_active: counters.active,
            total_requests: counters.requests,
            ..Counters::default()
        }
    }

    fn resident_memory(&self) -> u64 {
        resident_memory().unwrap_or(0)
    }

    fn node_id(&self) -> Uuid {
        self.id
    }

    fn hostname(&self) -> String {
        self.hostname.clone()
    }

    fn version(&self) -> &str {
        crate::VERSION
    }

    /// Workers are threads without an id that another process could use, so they are numbered from 0, as in
    /// the log.
    fn workers(&self) -> Vec<u32> {
        (0..self.workers).collect()
    }

    fn reload(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(self.requests.reload())
    }
}

/// The properties, with the addresses that are really listened on.
pub(crate) fn configuration(properties: &Properties, proxy: &[SocketAddr], admin: &[SocketAddr]) -> Value {
    let mut shown = properties.to_json();
    let listeners = |addresses: &[SocketAddr], asked: &[Listener], reuseport: bool| -> Value {
        let shown = addresses.iter().zip(asked).map(|(address, asked)| {
            json!({
                "ip": address.ip(),
                "port": address.port(),
                "listener": address.to_string(),
                "ssl": asked.tls,
                "http2": asked.http2,
                "proxy_protocol": false,
                "deferred": false,
                "reuseport": reuseport,
            })
        });
        shown.collect()
    };
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("proxy_listeners".to_owned(), listeners(proxy, &properties.proxy_listen, true));
        shown.insert("admin_listeners".to_owned(), listeners(admin, &properties.admin_listen, false));
    }
    shown
}

pub(crate) fn hostname() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}

/// As Linux tells it; nothing elsewhere.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}
