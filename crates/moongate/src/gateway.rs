//! The gateway as a whole.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moongate_admin::{Announcement, ConsoleOptions, Node};
use moongate_hooks::PluginCatalog;
use moongate_plugin_host::{HostError, HostOptions, PluginHost};
use moongate_proxy::{
    AccessLogOptions, ListenAddress, LogTarget, Proxy, ProxyOptions, ResolverOptions, StreamAddress,
};
use moongate_store::{ReadOnlyStore, Store};
use tokio::runtime::Runtime;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::admin::{AdminListeners, AdminServer, Api};
use crate::catalog;
use crate::configuration::{
    Configuration, ConfigurationError, DeclarativeConfiguration, LiveStore, WatchedFile,
};
use crate::control::{Control, Requests, Trigger};
use crate::explain::Explainer;
use crate::node::{self, GatewayNode, ProxyHealth};
use crate::plugins;
use crate::prefix::{Claim, Prefix, PrefixError};
use crate::properties::{Database, Listener, Properties};
use crate::storage;
use crate::tls::{self, TlsError};

/// Why a gateway does not start. Nothing runs then, and the prefix is free.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The directory for its own files cannot be used.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// The plugin host does not start.
    #[error(transparent)]
    Plugins(#[from] HostError),
    /// The configuration is wrong.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// TLS cannot be spoken as the properties say.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("{property}: cannot listen on {address}: {error}{}", mend(property, address, error))]
    Listen {
        /// The property that names the address.
        property: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// A worker does not start.
    #[error("the proxy does not start")]
    Proxy(#[source] moongate_proxy::StartError),
    /// A thread cannot be made.
    #[error("cannot start the {name} thread")]
    Thread {
        /// What it is for.
        name: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// A running gateway: workers, plugins and Admin API.
///
/// Dropping it stops it without waiting for requests; [`Gateway::shutdown`] waits.
#[must_use = "a gateway stops when it is dropped"]
#[derive(Debug)]
pub struct Gateway {
    properties: Properties,
    admin_addresses: Vec<SocketAddr>,
    status_addresses: Vec<SocketAddr>,
    console_addresses: Vec<SocketAddr>,
    requests: Requests,
    running: Running,
    /// After what runs, so that the prefix is free when nothing does.
    _claim: Claim,
}

impl Gateway {
    /// Starts a gateway; it serves when this returns. Plugins are compiled by processes of the program `compiler`, see
    /// [`HostOptions::compiler`](moongate_plugin_host::HostOptions::compiler).
    ///
    /// Blocks while plugins compile. Must not be called from asynchronous code.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(properties: Properties, compiler: Option<PathBuf>) -> Result<Self, StartError> {
        let claim = Prefix::new(&properties.prefix).claim()?;
        let id = claim.node_id()?;
        let options = proxy_options(&properties, &claim)?;
        // What is quick to fail comes before plugins compile.
        let admin = listeners(&properties, &claim)?;
        let bound =
            [("proxy_listen", &properties.proxy_listen), ("stream_listen", &properties.stream_listen)];
        for (property, listeners) in bound {
            listeners.iter().try_for_each(|listener| ensure_free(property, listener))?;
        }
        let no_thread = |name| move |source| StartError::Thread { name, source };
        let runtime = storage::runtime().map_err(no_thread("configuration"))?;

        let host = PluginHost::start(HostOptions { compiler, ..plugins::host_options(&properties) })?;
        for doubt in plugins::doubts(&properties, &host) {
            tracing::warn!("{doubt}");
        }
        let file = properties.declarative_config.as_deref().map(WatchedFile::new);
        let (configuration, declarative) = configure(&properties, &host, &runtime)?;
        let snapshot = configuration.first_snapshot()?;
        let proxy = Proxy::start(options, Arc::clone(&host), snapshot);
        let proxy = proxy.map_err(|error| not_started(error, &properties))?;
        let proxy = Arc::new(proxy);
        configuration.serve_through(Arc::clone(&proxy));
        let mut running = Running {
            admin: None,
            control: None,
            followers: Vec::new(),
            draining: Arc::default(),
            proxy: Arc::clone(&proxy),
            host,
            runtime,
        };

        let changed = {
            let (configuration, declarative) = (Arc::clone(&configuration), declarative.clone());
            let runtime = running.runtime.handle().clone();
            move |trigger| match (trigger, &declarative) {
                (Trigger::Plugins, Some(declarative)) => runtime.block_on(declarative.plugins_changed()),
                (Trigger::Plugins, None) => runtime.block_on(configuration.plugins_changed()).map(drop),
                (Trigger::Reload, Some(declarative)) => runtime.block_on(declarative.reload()),
                (Trigger::File, Some(declarative)) => runtime.block_on(declarative.file_changed()),
                (Trigger::Reload | Trigger::File, None) => runtime.block_on(configuration.follow()),
            }
        };
        // The control thread listens before the directories are watched, so that no change goes by unseen.
        let control = Control::start(running.host.changes(), move |trigger| {
            changed(trigger).map_err(|error| error.to_string())
        })
        .map_err(no_thread("control"))?;
        let requests = control.requests();
        running.control = Some(control);
        running.host.watch()?;
        if let Some(file) = file.filter(|_| declarative.is_some()) {
            file.watch(requests.clone()).map_err(no_thread("declarative-watch"))?;
        }
        running.followers.push(running.runtime.spawn(follow(Arc::clone(&configuration))));

        let (admin_addresses, status_addresses) = (admin.addresses(Api::Admin), admin.addresses(Api::Status));
        let console_addresses = admin.addresses(Api::Console);
        if properties.admin_token.is_none() {
            for address in admin_addresses.iter().filter(|address| !address.ip().is_loopback()) {
                tracing::warn!(
                    %address,
                    "the Admin API is open to others than this machine and asks for no token; `admin_token` sets one"
                );
            }
        }
        let store: Arc<dyn Store> = match declarative {
            Some(_) => Arc::new(ReadOnlyStore::new(Arc::clone(configuration.store()))),
            None => Arc::new(LiveStore(Arc::clone(&configuration))),
        };
        let node = GatewayNode {
            id,
            hostname: node::hostname(),
            workers: u32::try_from(properties.worker_count()).unwrap_or(u32::MAX),
            configuration: node::configuration(
                &properties,
                &proxy,
                [&admin_addresses, &status_addresses, &console_addresses],
            ),
            admin_token: properties.admin_token.clone(),
            origins: node::origins(&properties),
            started: Instant::now(),
            explainer: Explainer::new(&properties, proxy.addresses()),
            host: Arc::clone(&running.host),
            served: Arc::clone(&configuration),
            store,
            declarative,
            health: ProxyHealth(Arc::clone(&proxy)),
            proxy,
            requests: requests.clone(),
            draining: Arc::clone(&running.draining),
        };
        let node: Arc<dyn Node> = Arc::new(node);
        running.followers.push(running.runtime.spawn(hear(configuration, Arc::clone(&node))));
        let catalog: Arc<dyn PluginCatalog> = Arc::<PluginHost>::clone(&running.host);
        let admin = admin
            .serve(node, catalog, console_options(&properties, &admin_addresses))
            .map_err(|source| StartError::Thread { name: "admin", source })?;
        running.admin = Some(admin);
        // Commands ask in plain HTTP.
        let listeners = admin_addresses.iter().zip(&properties.admin_listen);
        let plain = listeners.filter(|(_, listener)| !listener.tls).map(|(address, _)| *address).next();
        claim.publish_admin_address(plain)?;
        Ok(Self {
            properties,
            admin_addresses,
            status_addresses,
            console_addresses,
            requests,
            running,
            _claim: claim,
        })
    }

    /// How it runs.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// Where clients can connect to, with the ports that the system chose. Empty if `proxy_listen` is off.
    pub fn proxy_addresses(&self) -> &[SocketAddr] {
        self.running.proxy.addresses()
    }

    /// Where clients can connect to whose streams are carried, with the ports that the system chose.
    pub fn stream_addresses(&self) -> &[SocketAddr] {
        self.running.proxy.stream_addresses()
    }

    /// Where the Admin API answers, with the ports that the system chose. Empty if `admin_listen` is off.
    pub fn admin_addresses(&self) -> &[SocketAddr] {
        &self.admin_addresses
    }

    /// Where probes are answered, with the ports that the system chose. Empty if `status_listen` is off.
    pub fn status_addresses(&self) -> &[SocketAddr] {
        &self.status_addresses
    }

    /// What runs the plugins.
    pub(crate) fn plugin_host(&self) -> &PluginHost {
        &self.running.host
    }

    /// Where the console is served, with the ports that the system chose. Empty if `admin_gui_listen` is off.
    pub fn console_addresses(&self) -> &[SocketAddr] {
        &self.console_addresses
    }

    /// Reads the declarative configuration again and serves from it.
    ///
    /// # Errors
    /// Why the configuration that is there stays in use.
    pub async fn reload(&self) -> Result<(), String> {
        self.requests.reload().await
    }

    /// Begins the files of logs anew, for whoever has moved them away.
    pub fn reopen_logs(&self) {
        self.running.proxy.reopen_logs();
    }

    /// Accepts no more connections, lets requests finish for up to the property `shutdown_timeout`, and ends
    /// everything. Says whether all requests finished.
    ///
    /// Blocks. Must not be called from asynchronous code.
    pub fn shutdown(mut self) -> bool {
        let timeout = self.properties.shutdown_timeout;
        self.running.stop(timeout)
    }
}

/// What has threads of its own.
#[derive(Debug)]
struct Running {
    admin: Option<AdminServer>,
    control: Option<Control>,
    followers: Vec<JoinHandle<()>>,
    /// Whether it is about to stop.
    draining: Arc<AtomicBool>,
    proxy: Arc<Proxy<PluginHost>>,
    host: Arc<PluginHost>,
    /// What the store runs on.
    runtime: Runtime,
}

impl Running {
    /// Ends all threads. The Admin API answers until the last request is through, for whoever watches it stop.
    fn stop(&mut self, timeout: Duration) -> bool {
        self.draining.store(true, Ordering::Relaxed);
        let began = Instant::now();
        let finished = self.proxy.shutdown(timeout);
        self.host.hand_over_logs(timeout.saturating_sub(began.elapsed()));
        if let Some(admin) = self.admin.take() {
            admin.stop();
        }
        if let Some(control) = self.control.take() {
            control.stop();
        }
        for follower in self.followers.drain(..) {
            follower.abort();
            // It holds what must not end on the runtime's own threads.
            let _ = self.runtime.block_on(follower);
        }
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After `shutdown` nothing is left to stop. In any case no thread but this one has the plugin host any
        // more when this returns, which matters: its event loop must not end inside another one.
        self.stop(Duration::ZERO);
    }
}

/// A configuration, and where it comes from if it is a declarative one.
pub(crate) type Configured = (Arc<Configuration>, Option<Arc<DeclarativeConfiguration>>);

/// Opens the store, and loads the declarative configuration where entities come from one.
pub(crate) fn configure(
    properties: &Properties,
    host: &Arc<PluginHost>,
    runtime: &Runtime,
) -> Result<Configured, ConfigurationError> {
    let flavor = properties.router_flavor;
    let has_database = properties.chosen_database() != Database::Off;
    let catalog = catalog::build(flavor, has_database, &host.schemas())?;
    let store = runtime.block_on(storage::open(properties, &catalog))?;
    let configuration =
        Configuration::new(Arc::clone(host), store, (flavor, has_database), Arc::new(catalog))?;
    let configuration = Arc::new(configuration);
    if has_database {
        if properties.declarative_config.is_some() {
            tracing::warn!(
                "declarative_config is not read when there is a database; `moongate config db_import` brings it in"
            );
        }
        return Ok((configuration, None));
    }
    let file = properties.declarative_config.clone();
    let declarative = Arc::new(DeclarativeConfiguration::new(Arc::clone(&configuration), file));
    runtime.block_on(declarative.reload())?;
    Ok((configuration, Some(declarative)))
}

/// Takes on what other nodes write, for as long as the gateway runs.
async fn follow(configuration: Arc<Configuration>) {
    let mut changes = configuration.store().changes();
    while changes.changed().await.is_ok() {
        if let Err(error) = configuration.follow().await {
            tracing::error!("a change of the database is not served, requests are served as before: {error}");
        }
    }
}

/// Does what other nodes were asked to do on all of them, for as long as the gateway runs.
async fn hear(configuration: Arc<Configuration>, node: Arc<dyn Node>) {
    let Some(mut announcements) = configuration.store().announcements() else { return };
    loop {
        let said = match announcements.recv().await {
            Ok(said) => said,
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "other nodes said more than could be heard");
                continue;
            }
            Err(RecvError::Closed) => return,
        };
        match serde_json::from_str::<Announcement>(&said) {
            Ok(announcement) => {
                // It may be about something that the other node has just written; what fails here is told by who follows.
                let _ = configuration.follow().await;
                announcement.take(&*node);
            }
            // As when the other is of a later version.
            Err(error) => tracing::warn!(%error, "another node says what this one does not understand"),
        }
    }
}

/// Listens for the Admin API and for probes.
fn listeners(properties: &Properties, claim: &Claim) -> Result<AdminListeners, StartError> {
    let mut listeners =
        AdminListeners::new().map_err(|source| StartError::Thread { name: "admin", source })?;
    let failed = |property| move |(address, error)| StartError::Listen { property, address, error };
    let tls = tls::admin_options(properties, claim)?;
    listeners.bind(Api::Admin, &properties.admin_listen, &tls).map_err(failed("admin_listen"))?;
    let tls = tls::status_options(properties, claim)?;
    match listeners.bind(Api::Status, &properties.status_listen, &tls) {
        // Several gateways on one machine are no mistake, and not everybody has probes.
        Err((address, error))
            if error.kind() == io::ErrorKind::AddrInUse && properties.has_default_status() =>
        {
            tracing::warn!(%address, "status_listen: the address is taken, probes are not answered");
        }
        result => result.map_err(failed("status_listen"))?,
    }
    let tls = tls::admin_options(properties, claim)?;
    match listeners.bind(Api::Console, &properties.admin_gui_listen, &tls) {
        // Where nobody has said where, it is no reason not to start either.
        Err((address, error)) if properties.admin_gui_listen == Properties::default().admin_gui_listen => {
            tracing::warn!(%address, %error, "the console is not served; `admin_gui_listen` names another address, or `off`");
            Ok(listeners)
        }
        result => result.map(|()| listeners).map_err(failed("admin_gui_listen")),
    }
}

fn console_options(properties: &Properties, admin: &[SocketAddr]) -> ConsoleOptions {
    let port = |tls| {
        let mut listeners = admin.iter().zip(&properties.admin_listen);
        listeners.find(|(_, listener)| listener.tls == tls).map(|(address, _)| address.port())
    };
    ConsoleOptions {
        directory: properties.admin_gui_dir.clone(),
        admin_url: properties.admin_gui_api_url.clone(),
        admin_port: port(false),
        admin_tls_port: port(true),
    }
}

fn proxy_options(properties: &Properties, claim: &Claim) -> Result<ProxyOptions, StartError> {
    let listen = |listener: &Listener| ListenAddress {
        address: listener.address,
        backlog: listener.backlog,
        tls: listener.tls,
        http2: listener.http2,
        proxy_protocol: listener.proxy_protocol,
    };
    let stream_listen = |listener: &Listener| StreamAddress {
        address: listener.address,
        backlog: listener.backlog,
        tls: listener.tls,
        udp: listener.udp,
        proxy_protocol: listener.proxy_protocol,
    };
    let log = |target: &Option<LogTarget>| {
        let target = match target.as_ref()? {
            // A path that is absolute stays as it is.
            LogTarget::File(path) => LogTarget::File(properties.prefix.join(path)),
            output => output.clone(),
        };
        Some(AccessLogOptions { target, format: properties.access_log_format })
    };
    Ok(ProxyOptions {
        listen: properties.proxy_listen.iter().map(listen).collect(),
        stream_listen: properties.stream_listen.iter().map(stream_listen).collect(),
        tls: tls::client_options(properties, claim)?,
        upstream_tls: tls::upstream_options(properties)?,
        workers: properties.worker_count(),
        headers: properties.headers,
        upstream_request_id: properties.headers_upstream,
        trusted: properties.trusted_ips.clone(),
        real_ip: properties.real_ip_header.clone(),
        real_ip_recursive: properties.real_ip_recursive,
        keepalive_pool_size: properties.upstream_keepalive_pool_size,
        keepalive_idle_timeout: properties.upstream_keepalive_idle_timeout,
        client_header_timeout: properties.client_header_timeout,
        client_body_timeout: properties.client_body_timeout,
        client_idle_timeout: properties.client_idle_timeout,
        max_header_size: properties.max_header_size,
        max_body_size: properties.client_max_body_size,
        allow_debug_header: properties.allow_debug_header,
        error_default_type: properties.error_default_type,
        access_log: log(&properties.proxy_access_log),
        stream_access_log: log(&properties.proxy_stream_access_log),
        body_directory: properties.prefix.as_path().into(),
        resolver: ResolverOptions {
            servers: properties.dns_resolver.clone(),
            hosts_file: properties.dns_hostsfile.clone(),
            order: properties.dns_order.clone(),
            valid_ttl: properties.dns_valid_ttl,
            stale_ttl: properties.dns_stale_ttl,
            not_found_ttl: properties.dns_not_found_ttl,
            error_ttl: properties.dns_error_ttl,
            cache_size: properties.dns_cache_size,
            timeout: None,
        },
    })
}

/// Finds out whether somebody else listens.
///
/// The workers share their ports among themselves, and the system would let another gateway of the same user
/// take part: half of the requests would go to the wrong one.
fn ensure_free(property: &'static str, listener: &Listener) -> Result<(), StartError> {
    let bound = match listener.udp {
        true => UdpSocket::bind(listener.address).map(drop),
        false => TcpListener::bind(listener.address).map(drop),
    };
    bound.map_err(|error| StartError::Listen { property, address: listener.address, error })
}

fn not_started(error: moongate_proxy::StartError, properties: &Properties) -> StartError {
    match error {
        moongate_proxy::StartError::Listen { address, source } => {
            let is_stream = properties.stream_listen.iter().any(|listener| listener.address == address);
            let property = if is_stream { "stream_listen" } else { "proxy_listen" };
            StartError::Listen { property, address, error: source }
        }
        error => StartError::Proxy(error),
    }
}

/// What to do about an address that cannot be listened on.
fn mend(property: &str, address: &SocketAddr, error: &io::Error) -> String {
    let other = SocketAddr::new(address.ip(), address.port().checked_add(1000).unwrap_or(8080));
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "; stop what listens there, or choose another address with `--set {property}={other}` (port 0 takes \
             any free one)"
        ),
        io::ErrorKind::PermissionDenied => {
            format!("; ports below 1024 need a privilege, choose another with `--set {property}=...`")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("; this machine does not have the address, choose another with `--set {property}=...`")
        }
        _ => String::new(),
    }
}
