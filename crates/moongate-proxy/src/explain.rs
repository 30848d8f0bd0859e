//! What would become of a request, for people who wonder about it.
//!
//! The same steps as on a request's way, without plugins, and nothing is sent.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, request};
use moongate_hooks::PluginRuntime;
use moongate_router::{Candidate, PathError, RequestView, Spoken, Unmet, normalise, upstream_path};
use uuid::Uuid;

use crate::error::Failure;
use crate::forwarded::{self, Peer};
use crate::handler::target;
use crate::options::ProxyOptions;
use crate::snapshot::{CompiledRoute, Snapshot};

/// A request that is not sent.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Method.
    pub method: &'q Method,
    /// Path and query.
    pub target: &'q Uri,
    /// Headers, with the host.
    pub headers: &'q HeaderMap,
    /// Whether it comes over TLS.
    pub tls: bool,
    /// The server name of the TLS handshake.
    pub server_name: Option<&'q str>,
    /// Whether it comes over HTTP/2.
    pub http2: bool,
    /// Where it comes from.
    pub client: SocketAddr,
    /// Where it arrives.
    pub listener: SocketAddr,
}

/// The way of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The path that routes are compared with.
    pub path: String,
    /// Why the gateway answers the request before its plugins run, if it does.
    pub refusal: Option<(StatusCode, &'static str)>,
    /// Whether early-request hooks see it. They may change it, and with it all that follows, or answer it; what is said
    /// here is of a request that they leave as it is.
    pub meets_early_hooks: bool,
    /// The route that it takes.
    pub winner: Option<Rated>,
    /// The routes that would have come first, had they matched.
    pub missed: Vec<Rated>,
    /// The routes that match as well, and rank below.
    pub beaten: Vec<Rated>,
    /// What the upstream is asked for: path and query. Nothing where the route has no service.
    pub target: Option<String>,
    /// The host that the upstream sees, where it does not depend on the target.
    pub host: Option<String>,
}

/// A route, and how it fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// Id of the route.
    pub route: Uuid,
    /// The part of the path that matched.
    pub prefix: String,
    /// The conditions that are not met.
    pub unmet: Vec<String>,
}

impl<R: PluginRuntime> Snapshot<R> {
    /// What would become of a request where the proxy has these options. Names at most `limit` other routes of each kind.
    ///
    /// Compares the request with every route, which takes long.
    pub fn explain(&self, question: &Question<'_>, options: &ProxyOptions, limit: usize) -> Explanation {
        let mut explanation =
            Explanation { path: question.target.path().to_owned(), ..Explanation::default() };
        if let Some(failure) = forwarded::refusal(&question.head()) {
            explanation.refuse(failure);
            return explanation;
        }
        explanation.meets_early_hooks = !self.global.early.is_empty();
        let path = match normalise(question.target.path()) {
            Ok(path) => path,
            Err(PathError::NotUtf8) => {
                explanation.refuse(Failure::NoRoute);
                return explanation;
            }
            Err(_) => {
                explanation.refuse(Failure::BadRequest);
                return explanation;
            }
        };
        explanation.path = path.clone().into_owned();
        let host = question.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let peer = Peer::new(question.client, question.listener, options);
        let client = peer.client(question.headers, options);
        let view = RequestView {
            method: question.method.as_str(),
            host,
            path: &path,
            query: question.target.query(),
            headers: question.headers,
            https: question.tls,
            sni: question.server_name.filter(|_| question.tls),
            source: Some(SocketAddr::new(client, question.client.port())),
            destination: Some(peer.listener),
            port: peer.port,
        };
        let found = self.router.explain(&view, limit);
        explanation.missed = self.rated(found.missed);
        explanation.beaten = self.rated(found.beaten);
        let Some(winner) = found.winner else {
            explanation.refuse(Failure::NoRoute);
            return explanation;
        };
        let Some(route) = self.routes.get(winner.route) else { return explanation };
        let spoken = Spoken {
            https: peer.forwards_https(question.headers, question.tls),
            http2: question.http2,
            content_type: question.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes),
        };
        if let Some(refusal) = route.demand.as_ref().and_then(|demand| demand.refusal(&spoken)) {
            explanation.refuse(refusal.into());
        }
        explanation.target = upstream_target(route, &path, &winner.prefix, question.target);
        explanation.host = upstream_host(route, host);
        explanation.winner = self.rated(vec![winner]).pop();
        explanation
    }

    fn rated(&self, candidates: Vec<Candidate>) -> Vec<Rated> {
        let rated = |candidate: Candidate| {
            let route = self.routes.get(candidate.route)?.matched.route_id.parse().ok()?;
            let unmet = candidate.unmet.iter().map(words).collect();
            Some(Rated { route, prefix: candidate.prefix, unmet })
        };
        candidates.into_iter().filter_map(rated).collect()
    }
}

impl Question<'_> {
    /// The head of such a request.
    fn head(&self) -> request::Parts {
        let mut request = http::Request::new(());
        *request.method_mut() = self.method.clone();
        *request.headers_mut() = self.headers.clone();
        *request.version_mut() = if self.http2 { Version::HTTP_2 } else { Version::HTTP_11 };
        request.into_parts().0
    }
}

impl Explanation {
    fn refuse(&mut self, failure: Failure) {
        self.refusal = Some((failure.status(), failure.message()));
    }
}

fn upstream_target<R: PluginRuntime>(
    route: &CompiledRoute<R>,
    path: &str,
    prefix: &str,
    asked: &Uri,
) -> Option<String> {
    let upstream = route.upstream.as_ref()?;
    let path = upstream_path(upstream.path.as_deref(), route.path_handling, route.strip_path, path, prefix);
    Some(target(asked, &path).ok()?.to_string())
}

fn upstream_host<R: PluginRuntime>(route: &CompiledRoute<R>, asked: Option<&str>) -> Option<String> {
    let upstream = route.upstream.as_ref()?;
    if route.preserve_host {
        return asked.map(str::to_owned);
    }
    match upstream.balancer {
        Some(_) => None,
        None => upstream.host_header.to_str().ok().map(str::to_owned),
    }
}

fn words(unmet: &Unmet) -> String {
    match unmet {
        Unmet::Protocol => "protocol".to_owned(),
        Unmet::Path => "path".to_owned(),
        Unmet::Host => "host".to_owned(),
        Unmet::Method => "method".to_owned(),
        Unmet::Sni => "server name".to_owned(),
        Unmet::Header(name) => format!("header {name}"),
        Unmet::Source => "client address".to_owned(),
        Unmet::Destination => "listener address".to_owned(),
        Unmet::Expression => "expression".to_owned(),
        _ => "another condition".to_owned(),
    }
}
