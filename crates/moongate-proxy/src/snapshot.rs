//! The immutable compiled view of all entities that workers serve from.
//!
//! Everything that depends on the configuration alone is done here: routes are indexed, the plugins of each
//! route are chosen, ordered and bound, header values are made. A request then looks up nothing by name.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderValue;
use moongate_balancer::Balancer;
use moongate_hooks::{BindError, BoundTo, Matched, PluginRuntime, PluginSpec, UpstreamEdits};
use moongate_model::{
    Choice, Entities, Level, PathHandling, Plugin, PluginIndex, Protocol, Reference, Route, Service, pki,
};
use moongate_router::{Flavour, ProtocolDemand, Router, RouterError};
use uuid::Uuid;

use crate::balance::Balancers;
use crate::chain::{Chain, Link, LinkChoice, LinkLevel};
use crate::tls::{Certificates, TlsClient, UpstreamTls};

/// See the module's description.
pub struct Snapshot<R: PluginRuntime> {
    entities: Arc<Entities>,
    pub(crate) router: Router,
    /// In the order in which the router knows them.
    pub(crate) routes: Vec<CompiledRoute<R>>,
    /// The plugins of requests that match no route.
    pub(crate) global: Chain<R>,
    /// By the ids of their configurations.
    bound: HashMap<Uuid, Arc<R::Binding>>,
    /// What TLS clients see.
    pub(crate) certificates: Certificates,
    pub(crate) balancers: Arc<Balancers>,
}

/// Why entities cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The router cannot take a route.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// A plugin configuration cannot be used.
    #[error("plugin configuration {id}: {source}")]
    Plugin {
        /// Id of the configuration.
        id: Uuid,
        /// What is wrong with it.
        source: BindError,
    },
}

/// A route with all that its requests need.
pub(crate) struct CompiledRoute<R: PluginRuntime> {
    pub(crate) matched: Arc<Matched>,
    pub(crate) chain: Chain<R>,
    pub(crate) upstream: Option<Arc<Upstream>>,
    pub(crate) strip_path: bool,
    pub(crate) preserve_host: bool,
    pub(crate) path_handling: PathHandling,
    /// Whether streams that begin with TLS are passed on as they come.
    pub(crate) passes_through: bool,
    /// Whether bodies of unknown length are read whole before they are sent.
    pub(crate) request_buffering: bool,
    /// Whether a path expression of the route may capture something.
    pub(crate) has_captures: bool,
    /// Where not every request will do.
    pub(crate) demand: Option<ProtocolDemand>,
}

/// Where the requests of a service go.
pub(crate) struct Upstream {
    /// `host:port`; names the pool of connections.
    pub(crate) authority: Arc<str>,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The Host header, without the port where it is the protocol's own.
    pub(crate) host_header: HeaderValue,
    /// The port that the protocol has by itself.
    pub(crate) default_port: u16,
    /// Chooses among targets, where the host is the name of an upstream entity.
    pub(crate) balancer: Option<Arc<Balancer>>,
    pub(crate) path: Option<String>,
    /// Where TLS is spoken.
    pub(crate) tls: Option<TlsClient>,
    pub(crate) speaks: Speaks,
    pub(crate) retries: u16,
    /// Milliseconds.
    pub(crate) connect_timeout: u64,
    /// Milliseconds.
    pub(crate) write_timeout: u64,
    /// Milliseconds.
    pub(crate) read_timeout: u64,
}

/// What requests are forwarded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http1,
    Http2,
    /// The protocol of the service is none for requests.
    Nothing,
}

impl Speaks {
    fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Http | Protocol::Https => Self::Http1,
            Protocol::Grpc | Protocol::Grpcs => Self::Http2,
            Protocol::Tcp | Protocol::Tls | Protocol::TlsPassthrough | Protocol::Udp => Self::Nothing,
        }
    }
}

impl<R: PluginRuntime> Snapshot<R> {
    /// As [`Snapshot::build_after`], without an earlier one and in the default flavour.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn build(entities: Arc<Entities>, runtime: &R) -> Result<Self, SnapshotError> {
        Self::build_after(None, Flavour::default(), entities, runtime)
    }

    /// Compiles `entities` and binds their plugin configurations to the plugins that `runtime` has now. What `earlier` has
    /// compiled and bound already is used again.
    ///
    /// Blocks while plugins look at their configurations; not for asynchronous code.
    ///
    /// # Errors
    /// See [`SnapshotError`]. Nothing has changed then.
    pub fn build_after(
        earlier: Option<&Self>,
        flavour: Flavour,
        entities: Arc<Entities>,
        runtime: &R,
    ) -> Result<Self, SnapshotError> {
        let balancers = Balancers::new(&entities);
        let certificates = Certificates::new(&entities.certificates, &entities.snis);
        // The certificates that upstream entities show to their targets.
        let of_upstreams: HashMap<_, _> = entities
            .upstreams
            .iter()
            .filter_map(|upstream| Some((upstream.name.as_str(), upstream.client_certificate?)))
            .collect();
        let index = PluginIndex::new(&entities);
        let mut binder = Binder { runtime, earlier, bound: HashMap::new(), by_consumer: HashMap::new() };
        let mut upstreams: HashMap<Uuid, Arc<Upstream>> = HashMap::new();
        for service in entities.services.iter().filter(|service| service.enabled) {
            let tls = upstream_tls(service, &entities, &certificates, &of_upstreams);
            upstreams.insert(service.id, Arc::new(Upstream::new(service, tls, &balancers)));
        }
        let served: Vec<&Route> = entities
            .routes
            .iter()
            .filter(|route| route.service.is_none_or(|service| upstreams.contains_key(&service.id)))
            .collect();
        let none = Router::default();
        let earlier = earlier.map_or(&none, |earlier| &earlier.router);
        let router = Router::build_after(earlier, flavour, served.iter().copied())?;
        let routes = served
            .iter()
            .map(|route| {
                let service = route.service.and_then(|service| entities.service(service.id));
                Ok(CompiledRoute {
                    matched: Arc::new(Matched {
                        route_id: route.id.to_string(),
                        route_name: route.name.clone(),
                        service_id: service.map(|service| service.id.to_string()),
                        service_name: service.and_then(|service| service.name.clone()),
                    }),
                    chain: binder.chain(&index.choices_for_route(route))?,
                    upstream: route.service.and_then(|service| upstreams.get(&service.id)).map(Arc::clone),
                    strip_path: route.strip_path,
                    preserve_host: route.preserve_host,
                    path_handling: router.path_handling(route.path_handling),
                    request_buffering: route.request_buffering,
                    passes_through: route.protocols.contains(&Protocol::TlsPassthrough),
                    has_captures: route.paths.iter().flatten().any(|path| path.starts_with('~'))
                        || route.expression.is_some(),
                    demand: demand(route),
                })
            })
            .collect::<Result<_, SnapshotError>>()?;
        // Configurations that no route uses are checked all the same.
        for plugin in entities.plugins.iter().filter(|plugin| plugin.enabled) {
            binder.bind(plugin)?;
        }
        let global = binder.chain(&index.global_choices())?;
        let bound = binder.bound;
        let balancers = Arc::new(balancers);
        Ok(Self { router, routes, global, bound, certificates, balancers, entities: Arc::clone(&entities) })
    }

    /// The balancer of the upstream entity with this id: the health of its targets.
    pub fn balancer(&self, upstream: Uuid) -> Option<&Arc<Balancer>> {
        self.balancers.by_id(upstream)
    }

    /// What the snapshot was built from.
    pub fn entities(&self) -> &Arc<Entities> {
        &self.entities
    }
}

impl<R: PluginRuntime> std::fmt::Debug for Snapshot<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}

impl Upstream {
    /// The upstream that request hooks want instead, and the balancer of it.
    pub(crate) fn altered(own: Option<&Self>, edits: &UpstreamEdits, balancers: &Balancers) -> Option<Self> {
        let (host, port) = match (&edits.upstream, &edits.target, own) {
            (Some(name), _, own) => (name.clone(), own.map_or(80, |own| own.port)),
            (None, Some((host, port)), _) => (host.trim_matches(['[', ']']).to_owned(), *port),
            (None, None, Some(own)) => (own.host.clone(), own.port),
            (None, None, None) => return None,
        };
        let own_tls = own.and_then(|own| own.tls.clone());
        let tls = match edits.tls {
            None => own_tls,
            Some(false) => None,
            Some(true) => Some(own_tls.unwrap_or_else(|| TlsClient::new(UpstreamTls::default()))),
        };
        let (authority, host_header, default_port) = named(&host, port, tls.is_some());
        // Balancing is for names; an address or a name with a port of its own is gone to.
        let balancer = if edits.target.is_some() { None } else { balancers.by_name(&host).map(Arc::clone) };
        let [connect, write, read] = match (edits.timeouts, own) {
            (Some(timeouts), _) => timeouts.map(u64::from),
            (None, Some(own)) => [own.connect_timeout, own.write_timeout, own.read_timeout],
            (None, None) => [60_000; 3],
        };
        Some(Self {
            authority,
            host_header,
            default_port,
            balancer,
            host,
            port,
            path: None,
            tls,
            speaks: own.map_or(Speaks::Http1, |own| own.speaks),
            retries: edits.retries.or(own.map(|own| own.retries)).unwrap_or(5),
            connect_timeout: connect,
            write_timeout: write,
            read_timeout: read,
        })
    }

    fn new(service: &Service, tls: Option<TlsClient>, balancers: &Balancers) -> Self {
        let (authority, host_header, default_port) = named(&service.host, service.port, tls.is_some());
        Self {
            host_header,
            default_port,
            balancer: balancers.by_name(&service.host).map(Arc::clone),
            authority,
            host: service.host.clone(),
            port: service.port,
            path: service.path.clone(),
            tls,
            speaks: Speaks::of(service.protocol),
            retries: service.retries,
            connect_timeout: service.connect_timeout.into(),
            write_timeout: service.write_timeout.into(),
            read_timeout: service.read_timeout.into(),
        }
    }
}

/// `host:port`, the Host header for it, and the port that the protocol has by itself.
fn named(host: &str, port: u16, tls: bool) -> (Arc<str>, HeaderValue, u16) {
    let own_port = if tls { 443 } else { 80 };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let authority: Arc<str> = format!("{host}:{port}").into();
    let shown = if port == own_port { host.as_str() } else { &*authority };
    // The model lets only host names and addresses pass, so this is a valid value.
    (
        Arc::clone(&authority),
        HeaderValue::from_str(shown).unwrap_or_else(|_| HeaderValue::from_static("")),
        own_port,
    )
}

/// What a route demands that is not for plain HTTP/1 as well.
fn demand(route: &Route) -> Option<ProtocolDemand> {
    let has = |protocol| route.protocols.contains(&protocol);
    let special = !has(Protocol::Http) || has(Protocol::Grpc) || has(Protocol::Grpcs);
    special.then(|| ProtocolDemand::new(&route.protocols, route.https_redirect_status_code))
}

/// How TLS is spoken with the upstream of a service, if it is.
fn upstream_tls(
    service: &Service,
    entities: &Entities,
    certificates: &Certificates,
    of_upstreams: &HashMap<&str, Reference>,
) -> Option<TlsClient> {
    if !matches!(service.protocol, Protocol::Https | Protocol::Grpcs | Protocol::Tls) {
        return None;
    }
    let shown = service.client_certificate.or_else(|| of_upstreams.get(service.host.as_str()).copied());
    let authorities = service.ca_certificates.as_ref().map(|ids| {
        let found = ids.iter().filter_map(|id| entities.ca_certificates.get(*id));
        found.flat_map(|entity| pki::certificate_chain(&entity.cert).unwrap_or_default()).collect()
    });
    Some(TlsClient::new(UpstreamTls {
        verify: service.tls_verify,
        verify_depth: service.tls_verify_depth,
        authorities,
        client_certificate: shown.and_then(|shown| certificates.identity(shown.id)).cloned(),
        http2: service.protocol == Protocol::Grpcs,
    }))
}

/// Binds each configuration once, however many routes use it.
struct Binder<'a, R: PluginRuntime> {
    runtime: &'a R,
    /// What it has bound is used again where configuration and plugin are the same.
    earlier: Option<&'a Snapshot<R>>,
    bound: HashMap<Uuid, Arc<R::Binding>>,
    /// Links of configurations for one consumer each, by where the index keeps these.
    by_consumer: HashMap<usize, Arc<HashMap<Uuid, Link<R>>>>,
}

impl<R: PluginRuntime> Binder<'_, R> {
    fn bind(&mut self, plugin: &Plugin) -> Result<Arc<R::Binding>, SnapshotError> {
        if let Some(binding) = self.bound.get(&plugin.id) {
            return Ok(Arc::clone(binding));
        }
        if let Some(binding) = self.bound_before(plugin) {
            self.bound.insert(plugin.id, Arc::clone(&binding));
            return Ok(binding);
        }
        let id = plugin.id.to_string();
        let [route, service, consumer] = [&plugin.route, &plugin.service, &plugin.consumer]
            .map(|entity| entity.as_ref().map(|entity| entity.id.to_string()));
        let bound_to =
            BoundTo { route: route.as_deref(), service: service.as_deref(), consumer: consumer.as_deref() };
        let spec = PluginSpec { id: &id, name: &plugin.name, config: &plugin.config, bound_to };
        let binding =
            self.runtime.bind(&spec).map_err(|source| SnapshotError::Plugin { id: plugin.id, source })?;
        self.bound.insert(plugin.id, Arc::clone(&binding));
        Ok(binding)
    }

    fn bound_before(&self, plugin: &Plugin) -> Option<Arc<R::Binding>> {
        let earlier = self.earlier?;
        let binding = earlier.bound.get(&plugin.id)?;
        // Entities that did not change are shared, so the place is enough to know one by.
        let same =
            earlier.entities.plugins.get(plugin.id).is_some_and(|known| std::ptr::eq(&**known, plugin));
        (same && self.runtime.is_current(binding)).then(|| Arc::clone(binding))
    }

    fn link(&mut self, plugin: &Plugin) -> Result<Link<R>, SnapshotError> {
        Ok(Link::new(&plugin.name, self.bind(plugin)?))
    }

    /// The chain for requests that have these plugins to choose from.
    fn chain(&mut self, choices: &[Choice<'_, '_>]) -> Result<Chain<R>, SnapshotError> {
        let mut chosen = Vec::with_capacity(choices.len());
        for choice in choices {
            let mut levels = Vec::new();
            for level in choice.levels() {
                match level {
                    Level::Everybody(plugin) => {
                        levels.push(LinkLevel::Everybody(self.link(plugin)?));
                        // What comes behind never applies.
                        break;
                    }
                    Level::ByConsumer(plugins) => {
                        levels.push(LinkLevel::ByConsumer(self.by_consumer(plugins)?))
                    }
                    _ => {}
                }
            }
            chosen.push(LinkChoice { name: choice.name.to_owned(), levels });
        }
        Ok(Chain::new(chosen))
    }

    /// The configurations for one consumer each; routes share them.
    fn by_consumer(
        &mut self,
        plugins: &HashMap<Uuid, &Plugin>,
    ) -> Result<Arc<HashMap<Uuid, Link<R>>>, SnapshotError> {
        let place = std::ptr::from_ref(plugins) as usize;
        if let Some(links) = self.by_consumer.get(&place) {
            return Ok(Arc::clone(links));
        }
        let links: HashMap<_, _> = plugins
            .iter()
            .map(|(consumer, plugin)| Ok((*consumer, self.link(plugin)?)))
            .collect::<Result<_, SnapshotError>>()?;
        let links = Arc::new(links);
        self.by_consumer.insert(place, Arc::clone(&links));
        Ok(links)
    }
}
