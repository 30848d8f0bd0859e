//! Routes and requests for tests.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use moongate_model::{Protocol, SourceOrDestination};
use serde::Deserialize;
use uuid::Uuid;

use crate::{Flavour, RequestView, RouteFields, Router};

/// A route in the short notation of tests.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sample {
    pub(crate) id: Uuid,
    pub(crate) created_at: i64,
    pub(crate) protocols: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) headers: BTreeMap<String, Vec<String>>,
    pub(crate) snis: Vec<String>,
    pub(crate) sources: Vec<Address>,
    pub(crate) destinations: Vec<Address>,
    pub(crate) regex_priority: i64,
    pub(crate) expression: Option<String>,
    pub(crate) priority: u64,
    #[serde(skip)]
    pub(crate) made: Made,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Address {
    ip: Option<String>,
    port: Option<u16>,
}

/// What `RouteFields` wants to borrow in another form.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    protocols: Vec<Protocol>,
    sources: Vec<SourceOrDestination>,
    destinations: Vec<SourceOrDestination>,
}

impl Sample {
    pub(crate) fn with_protocols(mut self, protocols: &[&str]) -> Self {
        self.protocols = protocols.iter().map(|name| (*name).to_owned()).collect();
        self.make()
    }

    fn make(mut self) -> Self {
        let addresses = |list: &[Address]| {
            let made = list.iter().map(|one| SourceOrDestination { ip: one.ip.clone(), port: one.port });
            made.collect()
        };
        self.made = Made {
            protocols: self.protocols.iter().map(|name| Protocol::from_name(name).unwrap()).collect(),
            sources: addresses(&self.sources),
            destinations: addresses(&self.destinations),
        };
        if self.made.protocols.is_empty() {
            self.made.protocols = vec![Protocol::Http, Protocol::Https];
        }
        self
    }
}

impl<'a> From<&'a Sample> for RouteFields<'a> {
    fn from(sample: &'a Sample) -> Self {
        RouteFields {
            id: sample.id,
            created_at: sample.created_at,
            protocols: &sample.made.protocols,
            methods: &sample.methods,
            hosts: &sample.hosts,
            paths: &sample.paths,
            headers: Some(&sample.headers),
            snis: &sample.snis,
            sources: &sample.made.sources,
            destinations: &sample.made.destinations,
            regex_priority: sample.regex_priority,
            expression: sample.expression.as_deref(),
            priority: sample.priority,
        }
    }
}

/// Routes in YAML's short notation, without the braces. Ids grow unless they are given.
pub(crate) fn routes(items: &[&str]) -> Vec<Sample> {
    let samples = items.iter().zip(1..).map(|(item, number)| {
        let mut sample: Sample = serde_yaml::from_str(&format!("{{{item}}}")).unwrap();
        if sample.id.is_nil() {
            sample.id = Uuid::from_u128(number);
        }
        sample.make()
    });
    samples.collect()
}

/// A plain-HTTP GET request for `host` and `path`.
pub(crate) fn get<'r>(host: &'r str, path: &'r str, headers: &'r HeaderMap) -> RequestView<'r> {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    RequestView {
        method: "GET",
        host: Some(host),
        path,
        query,
        headers,
        https: false,
        sni: None,
        source: Some("127.0.0.1:40000".parse().unwrap()),
        destination: Some("127.0.0.1".parse().unwrap()),
        port: 8000,
    }
}

pub(crate) fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    map
}

/// A router of one flavour for routes in short notation.
pub(crate) fn router(flavour: Flavour, items: &[&str]) -> Router {
    Router::build_after(&Router::default(), flavour, &routes(items)).unwrap()
}

/// The position of the route that a GET request without headers belongs to.
pub(crate) fn found(router: &Router, host: &str, path: &str) -> Option<usize> {
    router.find(&get(host, path, &HeaderMap::new())).map(|found| found.route)
}
