//! Services as those need them who forward requests.

use std::collections::HashMap;
use std::sync::Arc;

use http::HeaderValue;
use moongate_balancer::Balancer;
use moongate_hooks::UpstreamEdits;
use moongate_model::{Entities, Protocol, Reference, Service, pki};
use uuid::Uuid;

use super::alongside::Alongside;
use crate::balance::Balancers;
use crate::tls::{Certificates, TlsClient, UpstreamTls};

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
    /// Whether addresses of private networks and of this machine are not gone to.
    pub(crate) public_only: bool,
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
        let (mut authority, host_header, default_port) = named(&host, port, tls.is_some());
        let public_only = edits.target.is_some() && edits.public_only;
        if public_only {
            // Not over connections that others have opened.
            authority = format!("{authority} in public").into();
        }
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
            public_only,
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

    /// Whether nothing but the service says what it is.
    fn stands_alone(&self, balancers: &Balancers) -> bool {
        self.tls.is_none() && self.balancer.is_none() && balancers.by_name(&self.host).is_none()
    }

    fn new(service: &Service, tls: Option<TlsClient>, balancers: &Balancers) -> Self {
        let (authority, host_header, default_port) = named(&service.host, service.port, tls.is_some());
        Self {
            host_header,
            default_port,
            public_only: false,
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

/// A service with what is made of it.
#[derive(Clone)]
pub(crate) struct CompiledService {
    /// That of the service, to find it by.
    id: Uuid,
    pub(super) service: Arc<Service>,
    pub(super) upstream: Arc<Upstream>,
}

impl CompiledService {
    /// Whether both share what they are made of.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.service, &other.service) && Arc::ptr_eq(&self.upstream, &other.upstream)
    }
}

/// The enabled services of a snapshot, by ascending id.
#[derive(Default)]
pub(crate) struct Services(Vec<CompiledService>);

/// What upstreams are made of besides their services.
pub(super) struct Surroundings<'s> {
    pub(super) entities: &'s Entities,
    pub(super) certificates: &'s Certificates,
    pub(super) balancers: &'s Balancers,
    /// Whether they are what the earlier services were made with.
    pub(super) unchanged: bool,
}

impl Services {
    /// Compiles the enabled services. Those of `earlier` that would come out the same are shared with it.
    pub(super) fn new(earlier: &Self, surroundings: &Surroundings<'_>) -> Self {
        let Surroundings { entities, certificates, balancers, .. } = surroundings;
        // The certificates that upstream entities show to their targets.
        let of_upstreams: HashMap<_, _> = entities
            .upstreams
            .iter()
            .filter_map(|upstream| Some((upstream.name.as_str(), upstream.client_certificate?)))
            .collect();
        let mut known = Alongside::new(&earlier.0, |known: &CompiledService| known.id);
        let compile = |service: &Arc<Service>| {
            let before = known.at(service.id).filter(|before| {
                Arc::ptr_eq(&before.service, service)
                    && (surroundings.unchanged || before.upstream.stands_alone(balancers))
            });
            before.cloned().unwrap_or_else(|| {
                let tls = upstream_tls(service, entities, certificates, &of_upstreams);
                let upstream = Arc::new(Upstream::new(service, tls, balancers));
                CompiledService { id: service.id, service: Arc::clone(service), upstream }
            })
        };
        let enabled = entities.services.shared().iter().filter(|service| service.enabled);
        Self(enabled.map(compile).collect())
    }

    /// The service with this id, if it is enabled.
    pub(super) fn get(&self, id: Uuid) -> Option<&CompiledService> {
        let at = self.0.binary_search_by_key(&id, |service| service.id).ok()?;
        self.0.get(at)
    }
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
