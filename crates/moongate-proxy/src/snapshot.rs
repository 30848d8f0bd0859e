//! The immutable compiled view of all entities that workers serve from.
//!
//! Everything that depends on the configuration alone is done here: routes are indexed, the plugins of each
//! route are chosen, ordered and bound, header values are made. A request then looks up nothing by name.

mod alongside;
mod bindings;
mod chains;
mod upstream;

use std::sync::Arc;

use moongate_balancer::Balancer;
use moongate_hooks::{BindError, Matched, PluginRuntime};
use moongate_model::{Entities, PathHandling, Protocol, Route};
use moongate_router::{Flavour, ProtocolDemand, Router, RouterError};
use uuid::Uuid;

use self::alongside::Alongside;
use self::bindings::Bindings;
use self::chains::Chains;
use self::upstream::{CompiledService, Services, Surroundings};
use crate::balance::Balancers;
use crate::chain::Chain;
use crate::tls::Certificates;

pub(crate) use self::upstream::{Speaks, Upstream};

/// See the module's description.
pub struct Snapshot<R: PluginRuntime> {
    entities: Arc<Entities>,
    pub(crate) router: Router,
    /// In the order in which the router knows them, which is that of their ids.
    pub(crate) routes: Vec<Arc<CompiledRoute<R>>>,
    services: Services,
    /// The plugins of requests that match no route.
    pub(crate) global: Arc<Chain<R>>,
    bindings: Bindings<R>,
    /// What TLS clients see.
    pub(crate) certificates: Arc<Certificates>,
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

/// How many routes are compiled in a row, before a thread that waits for the processor gets it.
const STRETCH: usize = 512;

/// A route with all that its requests need.
pub(crate) struct CompiledRoute<R: PluginRuntime> {
    source: Arc<Route>,
    service: Option<CompiledService>,
    pub(crate) matched: Arc<Matched>,
    pub(crate) chain: Arc<Chain<R>>,
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
        let nothing = Self::empty();
        let earlier = earlier.unwrap_or(&nothing);
        let (balancers, certificates, unchanged) = earlier.surroundings(&entities);
        let surroundings = Surroundings {
            entities: &entities,
            certificates: &certificates,
            balancers: &balancers,
            unchanged,
        };
        let services = Services::new(&earlier.services, &surroundings);
        let served: Vec<(&Arc<Route>, Option<&CompiledService>)> = entities
            .routes
            .shared()
            .iter()
            .filter_map(|route| match route.service {
                Some(service) => Some((route, Some(services.get(service.id)?))),
                None => Some((route, None)),
            })
            .collect();
        let router =
            Router::build_after(&earlier.router, flavour, served.iter().map(|(route, _)| &***route))?;
        std::thread::yield_now();
        let (bindings, touched) = Bindings::new(&earlier.bindings, &entities, runtime)?;
        let chains = Chains::new(&entities, &bindings);
        let same_flavour = router.flavour() == earlier.router.flavour();
        let mut known = Alongside::new(&earlier.routes, |known| known.source.id);
        let mut compile =
            |(position, (source, service)): (usize, &(&Arc<Route>, Option<&CompiledService>))| {
                if position % STRETCH == 0 {
                    std::thread::yield_now();
                }
                let before = known.at(source.id);
                let same_chain = before
                    .filter(|before| before.source.service == source.service && !touched.concerns(source))
                    .map(|before| &before.chain);
                match before.filter(|before| same_chain.is_some() && before.is_of(source, *service)) {
                    Some(before) if same_flavour => Arc::clone(before),
                    _ => {
                        let chain = same_chain.map_or_else(|| chains.of_route(source), Arc::clone);
                        Arc::new(CompiledRoute::new(source, *service, chain, &router))
                    }
                }
            };
        let routes = served.iter().enumerate().map(&mut compile).collect();
        let global =
            if touched.concerns_everything() { chains.global() } else { Arc::clone(&earlier.global) };
        drop((served, chains));
        Ok(Self { router, routes, services, global, bindings, certificates, balancers, entities })
    }

    /// What is served of no entities.
    fn empty() -> Self {
        Self {
            entities: Arc::default(),
            router: Router::default(),
            routes: Vec::new(),
            services: Services::default(),
            global: Arc::new(Chain::new(Vec::new())),
            bindings: Bindings::default(),
            certificates: Arc::default(),
            balancers: Arc::default(),
        }
    }

    /// The balancers and certificates of `entities`, and whether all that these are made of is what it was here.
    fn surroundings(&self, entities: &Entities) -> (Arc<Balancers>, Arc<Certificates>, bool) {
        let before = &self.entities;
        let same_balancers =
            before.upstreams.is_same(&entities.upstreams) && before.targets.is_same(&entities.targets);
        let same_certificates =
            before.certificates.is_same(&entities.certificates) && before.snis.is_same(&entities.snis);
        let balancers =
            if same_balancers { Arc::clone(&self.balancers) } else { Arc::new(Balancers::new(entities)) };
        let certificates = if same_certificates {
            Arc::clone(&self.certificates)
        } else {
            Arc::new(Certificates::new(&entities.certificates, &entities.snis))
        };
        let same_authorities = before.ca_certificates.is_same(&entities.ca_certificates);
        (balancers, certificates, same_balancers && same_certificates && same_authorities)
    }

    /// Lets go of a snapshot. Where nobody else has it, it is taken apart in stretches, so that whoever waits for the processor
    /// waits less.
    pub(crate) fn let_go(self: Arc<Self>) {
        let Some(Self { mut routes, router, .. }) = Arc::into_inner(self) else { return };
        while !routes.is_empty() {
            routes.truncate(routes.len().saturating_sub(STRETCH));
            std::thread::yield_now();
        }
        router.take_apart();
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

impl<R: PluginRuntime> CompiledRoute<R> {
    fn new(
        source: &Arc<Route>,
        service: Option<&CompiledService>,
        chain: Arc<Chain<R>>,
        router: &Router,
    ) -> Self {
        let matched = Matched {
            route_id: source.id.to_string(),
            route_name: source.name.clone(),
            service_id: service.map(|compiled| compiled.service.id.to_string()),
            service_name: service.and_then(|compiled| compiled.service.name.clone()),
        };
        Self {
            matched: Arc::new(matched),
            chain,
            upstream: service.map(|compiled| Arc::clone(&compiled.upstream)),
            strip_path: source.strip_path,
            preserve_host: source.preserve_host,
            path_handling: router.path_handling(source.path_handling),
            request_buffering: source.request_buffering,
            passes_through: source.protocols.contains(&Protocol::TlsPassthrough),
            has_captures: source.paths.iter().flatten().any(|path| path.starts_with('~'))
                || source.expression.is_some(),
            demand: demand(source),
            service: service.cloned(),
            source: Arc::clone(source),
        }
    }

    /// Whether it was made of these.
    fn is_of(&self, source: &Arc<Route>, service: Option<&CompiledService>) -> bool {
        let same_service = match (&self.service, service) {
            (Some(before), Some(now)) => before.is_same(now),
            (None, None) => true,
            _ => false,
        };
        same_service && Arc::ptr_eq(&self.source, source)
    }
}

/// What a route demands that is not for plain HTTP/1 as well.
fn demand(route: &Route) -> Option<ProtocolDemand> {
    let has = |protocol| route.protocols.contains(&protocol);
    let special = !has(Protocol::Http) || has(Protocol::Grpc) || has(Protocol::Grpcs);
    special.then(|| ProtocolDemand::new(&route.protocols, route.https_redirect_status_code))
}

#[cfg(test)]
mod tests;
