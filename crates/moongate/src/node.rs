//! What the Admin API shows of this process.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use moongate_admin::{
    Asked, Counters, Declarative, Explained, Health, HealthError, InstallError, LogLevel, Node,
};
use moongate_balancer::{SetHealthError, UpstreamStatus};
use moongate_hooks::{Metrics, PluginStatus};
use moongate_plugin_host::PluginHost;
use moongate_proxy::Proxy;
use moongate_schema::Catalog;
use moongate_store::{Row, Store, StoreError};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::configuration::{Configuration, DeclarativeConfiguration};
use crate::control::Requests;
use crate::explain::Explainer;
use crate::logging;
use crate::properties::{Listener, Properties};

/// A running gateway.
pub(crate) struct GatewayNode {
    pub(crate) id: Uuid,
    pub(crate) hostname: String,
    pub(crate) workers: u32,
    pub(crate) configuration: Value,
    pub(crate) admin_token: Option<String>,
    /// Whose pages may use the Admin API; when there are none, all may.
    pub(crate) origins: Vec<String>,
    pub(crate) started: Instant,
    pub(crate) explainer: Explainer,
    pub(crate) host: Arc<PluginHost>,
    pub(crate) served: Arc<Configuration>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) declarative: Option<Arc<DeclarativeConfiguration>>,
    pub(crate) health: ProxyHealth,
    pub(crate) proxy: Arc<Proxy<PluginHost>>,
    pub(crate) requests: Requests,
    pub(crate) draining: Arc<AtomicBool>,
}

/// The health of upstreams, as the proxy knows it.
pub(crate) struct ProxyHealth(pub(crate) Arc<Proxy<PluginHost>>);

impl Health for ProxyHealth {
    fn upstream(&self, id: Uuid) -> Option<UpstreamStatus> {
        Some(self.0.snapshot().balancer(id)?.status())
    }

    fn set(
        &self,
        upstream: Uuid,
        target: &str,
        address: Option<&str>,
        healthy: bool,
    ) -> Result<(), HealthError> {
        let snapshot = self.0.snapshot();
        let balancer = snapshot.balancer(upstream).ok_or(HealthError::NoBalancer)?;
        let address = match address.map(parse_address) {
            Some(None) => return Err(HealthError::UnknownAddress),
            Some(Some(address)) => Some(address),
            None => None,
        };
        balancer.set_health(target, address, healthy).map_err(|error| match error {
            SetHealthError::ChecksOff => HealthError::NoChecks,
            _ => HealthError::UnknownAddress,
        })
    }
}

/// An address with or without a port.
fn parse_address(text: &str) -> Option<(IpAddr, Option<u16>)> {
    let socket = text.parse::<SocketAddr>().map(|socket| (socket.ip(), Some(socket.port())));
    socket.ok().or_else(|| Some((text.trim_matches(['[', ']']).parse().ok()?, None)))
}

#[async_trait]
impl Node for GatewayNode {
    fn catalog(&self) -> Arc<Catalog> {
        self.served.served().catalog
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    fn declarative(&self) -> Option<&dyn Declarative> {
        self.declarative.as_deref().map(|declarative| declarative as &dyn Declarative)
    }

    async fn judge(&self, entity: &str, row: Row) -> Result<(), StoreError> {
        self.served.judge(entity, row).await
    }

    fn health(&self) -> &dyn Health {
        &self.health
    }

    fn configuration(&self) -> Value {
        self.configuration.clone()
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

    fn log_level(&self) -> LogLevel {
        logging::level()
    }

    fn set_log_level(&self, level: LogLevel, timeout: Duration) {
        logging::set_level(level, timeout);
    }

    fn admin_token(&self) -> Option<&str> {
        self.admin_token.as_deref()
    }

    fn unserved(&self) -> Option<String> {
        self.served.served().unserved
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn drain(&self) {
        tracing::info!("requests should go elsewhere: the node was told to drain");
        self.draining.store(true, Ordering::Relaxed);
    }

    fn allowed_origins(&self) -> &[String] {
        &self.origins
    }

    fn metrics(&self) -> Metrics {
        self.proxy.metrics()
    }

    fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    fn explain(&self, asked: &Asked) -> Option<Explained> {
        Some(self.explainer.explain(&self.proxy, &*self.host, asked))
    }

    fn proxy_listener(&self, tls: bool, http2: bool) -> Option<SocketAddr> {
        self.explainer.listener(tls, http2)
    }

    async fn install_plugin(&self, file: String, artifact: Bytes) -> Result<PluginStatus, InstallError> {
        let host = Arc::clone(&self.host);
        let status = apart(move || host.install(&file, &artifact)).await?;
        self.requests.plugins().await;
        Ok(status)
    }

    async fn reload_plugin(&self, name: String) -> Result<PluginStatus, InstallError> {
        let host = Arc::clone(&self.host);
        let status = apart(move || host.reload(&name)).await?;
        self.requests.plugins().await;
        Ok(status)
    }

    async fn reload(&self) -> Result<(), String> {
        self.requests.reload().await
    }
}

/// Lets a plugin compile on a thread of its own, beside which the Admin API goes on answering.
async fn apart(
    work: impl FnOnce() -> Result<PluginStatus, moongate_plugin_host::InstallError> + Send + 'static,
) -> Result<PluginStatus, InstallError> {
    use moongate_plugin_host::InstallError as Host;
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|_| InstallError::Refused("makes the compiler panic".to_owned()))?;
    done.map_err(|error| match error {
        Host::Unknown(name) => InstallError::Unknown(name),
        Host::NoDirectory => InstallError::Impossible(error.to_string()),
        Host::Refused(why) => InstallError::Refused(why.to_string()),
        error => InstallError::Failed(error.to_string()),
    })
}

/// The origins whose pages may use the Admin API.
pub(crate) fn origins(properties: &Properties) -> Vec<String> {
    let named = properties.admin_gui_url.iter().flat_map(|urls| urls.split(','));
    named.map(|url| url.trim().trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()).collect()
}

/// The properties, with the addresses that are really listened on.
///
/// The addresses are those of the Admin API, the status API and the console.
pub(crate) fn configuration(
    properties: &Properties,
    proxy: &Proxy<PluginHost>,
    [admin, status, console]: [&[SocketAddr]; 3],
) -> Value {
    let mut shown = properties.to_json();
    let listeners = |addresses: &[SocketAddr], asked: &[Listener], reuseport: bool| -> Value {
        let shown = addresses.iter().zip(asked).map(|(address, asked)| {
            json!({
                "ip": address.ip(),
                "port": address.port(),
                "listener": address.to_string(),
                "ssl": asked.tls,
                "http2": asked.http2,
                "udp": asked.udp,
                "proxy_protocol": asked.proxy_protocol,
                "deferred": false,
                "reuseport": reuseport,
            })
        });
        shown.collect()
    };
    if let Some(shown) = shown.as_object_mut() {
        shown.insert(
            "proxy_listeners".to_owned(),
            listeners(proxy.addresses(), &properties.proxy_listen, true),
        );
        let streams = listeners(proxy.stream_addresses(), &properties.stream_listen, true);
        shown.insert("stream_listeners".to_owned(), streams);
        shown.insert("admin_listeners".to_owned(), listeners(admin, &properties.admin_listen, false));
        shown.insert("status_listeners".to_owned(), listeners(status, &properties.status_listen, false));
        let console = listeners(console, &properties.admin_gui_listen, false);
        shown.insert("admin_gui_listeners".to_owned(), console);
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
