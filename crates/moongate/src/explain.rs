//! What would become of a request: what the proxy says of its route, with the plugins and targets that follow from it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use moongate_admin::{
    Asked, Balanced, Candidate, Explained, Forwarded, Matched, Named, Refusal, Run, Seen, Target,
};
use moongate_balancer::HealthWord;
use moongate_hooks::{FailurePolicy, PluginCatalog};
use moongate_model::{Entities, Plugin, PluginIndex, Protocol, Route, Service};
use moongate_plugin_host::{PluginHost, PluginSettings};
use moongate_proxy::{Explanation, Proxy, Question, Rated, Snapshot};
use uuid::Uuid;

use crate::properties::{Listener, Properties};

/// Explains requests as this gateway would serve them.
#[derive(Debug)]
pub(crate) struct Explainer {
    /// Where clients connect to, and how.
    listeners: Vec<(SocketAddr, Listener)>,
    /// Among them what the failure of each plugin means.
    settings: BTreeMap<String, PluginSettings>,
}

impl Explainer {
    pub(crate) fn new(properties: &Properties, addresses: &[SocketAddr]) -> Self {
        let listeners = addresses.iter().copied().zip(properties.proxy_listen.iter().cloned()).collect();
        Self { listeners, settings: properties.plugin_settings.clone() }
    }

    /// Where clients connect to with or without TLS and, if asked, with HTTP/2.
    pub(crate) fn listener(&self, tls: bool, http2: bool) -> Option<SocketAddr> {
        let serves = |listener: &Listener| listener.tls == tls && (listener.http2 || !http2);
        // Others expect a load balancer that tells about the client first.
        let mut direct = self.listeners.iter().filter(|(_, listener)| !listener.proxy_protocol);
        direct.find(|(_, listener)| serves(listener)).map(|(address, _)| *address)
    }

    pub(crate) fn explain(
        &self,
        proxy: &Proxy<PluginHost>,
        plugins: &dyn PluginCatalog,
        asked: &Asked,
    ) -> Explained {
        let snapshot = &*proxy.snapshot();
        let listener = [asked.tls, !asked.tls].into_iter().find_map(|tls| self.listener(tls, false));
        let listener = listener.or_else(|| Some(self.listeners.first()?.0));
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let question = Question {
            method: &asked.method,
            target: &asked.target,
            headers: &asked.headers,
            tls: asked.tls,
            server_name: asked.server_name.as_deref(),
            http2: asked.http2,
            client: loopback,
            listener: listener.unwrap_or(loopback),
        };
        let explanation = snapshot.explain(&question, proxy.options(), OTHERS);
        let entities = snapshot.entities();
        let route = explanation.winner.as_ref().and_then(|winner| entities.route(winner.route));
        let service = route.and_then(|route| entities.service(route.service?.id));
        let host = asked.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        Explained {
            request: Seen {
                method: asked.method.to_string(),
                scheme: if asked.tls { "https" } else { "http" },
                host: host.map(str::to_owned),
                path: explanation.path.clone(),
                query: asked.target.query().map(str::to_owned),
            },
            early: match explanation.meets_early_hooks {
                true => with_hooks(self.runs(entities, None, plugins), &["early-request"]),
                false => Vec::new(),
            },
            refusal: explanation
                .refusal
                .map(|(status, message)| Refusal { status: status.as_u16(), message: message.to_owned() }),
            matched: explanation.winner.as_ref().zip(route).map(|(winner, route)| Matched {
                route: named_route(route),
                prefix: winner.prefix.clone(),
                service: service.map(named_service),
                strip_path: route.strip_path,
                preserve_host: route.preserve_host,
            }),
            missed: candidates(entities, &explanation.missed),
            beaten: candidates(entities, &explanation.beaten),
            plugins: match explanation.refusal {
                None => with_hooks(self.runs(entities, route, plugins), ON_A_ROUTE),
                // Only the answer is seen then, by the plugins that are applied to everything.
                Some(_) => with_hooks(self.runs(entities, None, plugins), ON_A_REFUSAL),
            },
            upstream: service
                .filter(|_| explanation.refusal.is_none())
                .and_then(|service| forwarded(snapshot, entities, service, &explanation)),
        }
    }

    /// The plugin configurations that run for a route, or without one, in their order.
    fn runs(&self, entities: &Entities, route: Option<&Route>, catalog: &dyn PluginCatalog) -> Vec<Run> {
        let index = PluginIndex::new(entities);
        let chosen = route.map_or_else(|| index.global(), |route| index.for_route(route));
        let loaded = catalog.plugins();
        let mut runs: Vec<Run> = chosen
            .into_iter()
            .filter_map(|plugin| {
                let status =
                    loaded.iter().find(|status| status.name == plugin.name && status.generation > 0)?;
                let id = plugin.id.to_string();
                let policy =
                    self.settings.get(&plugin.name).map_or_else(FailurePolicy::default, |settings| {
                        settings.on_failure_of(&id, plugin.instance_name.as_deref())
                    });
                Some(Run {
                    id,
                    name: plugin.name.clone(),
                    instance_name: plugin.instance_name.clone(),
                    level: level(plugin),
                    priority: status.priority.unwrap_or_default(),
                    hooks: status.hooks.clone(),
                    on_failure: if policy == FailurePolicy::Open { "open" } else { "closed" },
                })
            })
            .collect();
        runs.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| b.name.cmp(&a.name)));
        runs
    }
}

/// The runs that call one of these hooks, with no others.
fn with_hooks(mut runs: Vec<Run>, hooks: &[&str]) -> Vec<Run> {
    for run in &mut runs {
        run.hooks.retain(|hook| hooks.contains(hook));
    }
    runs.retain(|run| !run.hooks.is_empty());
    runs
}

fn forwarded(
    snapshot: &Snapshot<PluginHost>,
    entities: &Entities,
    service: &Service,
    explanation: &Explanation,
) -> Option<Forwarded> {
    let target = explanation.target.as_ref()?;
    let balancer = balanced(snapshot, entities, &service.host);
    let protocol = service.protocol.name();
    let authority = match service.host.contains(':') {
        true => format!("[{}]:{}", service.host, service.port),
        false => format!("{}:{}", service.host, service.port),
    };
    // An upstream's targets have ports of their own.
    let authority = if balancer.is_some() { service.host.clone() } else { authority };
    let of_target = || target_host(snapshot, entities, service);
    let host_header = explanation.host.clone().or_else(of_target).unwrap_or_else(|| authority.clone());
    Some(Forwarded {
        uri: format!("{protocol}://{authority}{target}"),
        protocol: protocol.to_owned(),
        host_header,
        balancer,
    })
}

/// The Host header for the first target that can be chosen: the upstream's own, or the target's name, and its port where
/// that is not the protocol's own.
fn target_host(snapshot: &Snapshot<PluginHost>, entities: &Entities, service: &Service) -> Option<String> {
    let upstream = entities.upstreams.iter().find(|upstream| upstream.name == service.host)?;
    let status = snapshot.balancer(upstream.id)?.status();
    let target = status.targets.iter().find(|target| target.node_weight > 0)?;
    let host = upstream.host_header.as_deref().unwrap_or(&target.host);
    let is_secured = matches!(service.protocol, Protocol::Https | Protocol::Grpcs | Protocol::Tls);
    let own_port = if is_secured { 443 } else { 80 };
    Some(if target.port == own_port { host.to_owned() } else { format!("{host}:{}", target.port) })
}

/// The targets, where a service's host is the name of an upstream.
fn balanced(snapshot: &Snapshot<PluginHost>, entities: &Entities, host: &str) -> Option<Balanced> {
    let upstream = entities.upstreams.iter().find(|upstream| upstream.name == host)?;
    let status = snapshot.balancer(upstream.id)?.status();
    let targets = status.targets.into_iter().map(|target| Target {
        target: format!("{}:{}", target.host, target.port),
        weight: target.node_weight,
        health: health(target.health).to_owned(),
    });
    let algorithm = serde_json::to_value(upstream.algorithm).ok();
    Some(Balanced {
        upstream: Named { id: upstream.id.to_string(), name: Some(upstream.name.clone()) },
        algorithm: algorithm.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default(),
        targets: targets.collect(),
    })
}

fn health(word: HealthWord) -> &'static str {
    match word {
        HealthWord::Off => "not checked",
        HealthWord::Healthy => "healthy",
        HealthWord::Unhealthy => "unhealthy",
        HealthWord::DnsError => "without an address",
    }
}

fn candidates(entities: &Entities, rated: &[Rated]) -> Vec<Candidate> {
    let candidate = |rated: &Rated| {
        let route = entities.route(rated.route)?;
        Some(Candidate {
            route: named_route(route),
            prefix: rated.prefix.clone(),
            unmet: rated.unmet.clone(),
        })
    };
    rated.iter().filter_map(candidate).collect()
}

fn named_route(route: &Route) -> Named {
    named(route.id, route.name.as_deref())
}

fn named_service(service: &Service) -> Named {
    named(service.id, service.name.as_deref())
}

fn named(id: Uuid, name: Option<&str>) -> Named {
    Named { id: id.to_string(), name: name.map(str::to_owned) }
}

/// What a plugin configuration is applied to.
fn level(plugin: &Plugin) -> String {
    let parts = [
        (plugin.route.is_some(), "route"),
        (plugin.service.is_some(), "service"),
        (plugin.consumer.is_some(), "consumer"),
    ];
    let parts: Vec<&str> = parts.into_iter().filter_map(|(applies, name)| applies.then_some(name)).collect();
    if parts.is_empty() { "global".to_owned() } else { parts.join(" and ") }
}

/// The hooks that a request meets once its route is known.
const ON_A_ROUTE: &[&str] = &["request", "response", "response-body", "log"];

/// Those that are called where the gateway itself answers.
const ON_A_REFUSAL: &[&str] = &["response", "response-body", "log"];

/// Other routes of each kind that are named.
const OTHERS: usize = 5;
