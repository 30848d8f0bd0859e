//! The request of a test.

mod hosted;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::headers::Headers;
use super::{clock, context};
use crate::{BodyError, Captures, Consumer, Credential, Forwarded, Met, Request, TlsInfo};

/// A request that lives in the test. Clones are the same request.
#[derive(Debug, Clone)]
pub struct RawRequest(Rc<RefCell<State>>);

#[derive(Debug)]
struct State {
    method: String,
    scheme: String,
    version: String,
    port: u16,
    path: String,
    query: Option<String>,
    headers: Headers,
    body: Result<Vec<u8>, BodyError>,
    client_address: String,
    peer: (String, u16),
    forwarded: Option<Forwarded>,
    tls: Option<TlsInfo>,
    started: u64,
    route: Option<String>,
    service: Option<String>,
    entities: Vec<(Met, String)>,
    captures: Captures,
    consumer: Option<Consumer>,
    credential: Option<Credential>,
    upstreams: Vec<String>,
    response_headers: Headers,
    outcome: Outcome,
}

/// What hooks have decided of the request that goes upstream.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// Another method.
    pub method: Option<String>,
    /// Another path.
    pub path: Option<String>,
    /// Another body.
    pub body: Option<Vec<u8>>,
    /// The upstream that was chosen.
    pub upstream: Option<String>,
    /// The host and port that were chosen.
    pub target: Option<(String, u16)>,
    /// Scheme of the connection to the upstream.
    pub scheme: Option<String>,
    /// Milliseconds to connect, write and read.
    pub timeouts: Option<(u32, u32, u32)>,
    /// Attempts after the first.
    pub retries: Option<u16>,
    /// Fields of the log record, by their keys as given.
    pub log_fields: BTreeMap<String, Value>,
    /// Whether a plugin said who the client is, and be it nobody.
    pub authenticated: bool,
}

impl RawRequest {
    /// A GET request for a path, with or without a query.
    pub fn get(uri: &str) -> Self {
        Self::new("GET", uri)
    }

    /// A request with any method. It begins a new [`context`](crate::context).
    pub fn new(method: &str, uri: &str) -> Self {
        context::clear();
        let (path, query) = match uri.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (uri, None),
        };
        Self(Rc::new(RefCell::new(State {
            method: method.into(),
            scheme: "http".into(),
            version: "1.1".into(),
            port: 8000,
            path: path.into(),
            query,
            headers: Headers::default(),
            body: Ok(Vec::new()),
            client_address: "127.0.0.1".into(),
            peer: ("127.0.0.1".into(), 50_000),
            forwarded: None,
            tls: None,
            started: clock::milliseconds(),
            route: Some("test-route".into()),
            service: Some("test-service".into()),
            entities: Vec::new(),
            captures: Captures::default(),
            consumer: None,
            credential: None,
            upstreams: Vec::new(),
            response_headers: Headers::default(),
            outcome: Outcome::default(),
        })))
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.with(|state| state.headers.receive(name, value.as_ref()))
    }

    /// Gives it a body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        self.with(|state| state.body = Ok(body.into()))
    }

    /// Lets the body fail.
    #[must_use]
    pub fn with_body_error(self, error: BodyError) -> Self {
        self.with(|state| state.body = Err(error))
    }

    /// Lets it come from another address.
    #[must_use]
    pub fn with_client_address(self, address: &str) -> Self {
        self.with(|state| state.client_address = address.into())
    }

    /// Lets it come over another scheme, version of HTTP and port.
    #[must_use]
    pub fn with_connection(self, scheme: &str, version: &str, port: u16) -> Self {
        self.with(|state| {
            state.scheme = scheme.into();
            state.version = version.into();
            state.port = port;
        })
    }

    /// What a trusted peer says of where the client sent it.
    #[must_use]
    pub fn with_forwarded(self, forwarded: Forwarded) -> Self {
        self.with(|state| state.forwarded = Some(forwarded))
    }

    /// Lets it come over TLS.
    #[must_use]
    pub fn with_tls(self, tls: TlsInfo) -> Self {
        self.with(|state| {
            state.scheme = "https".into();
            state.tls = Some(tls);
        })
    }

    /// When it began, in milliseconds since 1970.
    #[must_use]
    pub fn with_started(self, milliseconds: u64) -> Self {
        self.with(|state| state.started = milliseconds)
    }

    /// Names of the route and service that it matched.
    #[must_use]
    pub fn with_route(self, route: Option<&str>, service: Option<&str>) -> Self {
        self.with(|state| {
            state.route = route.map(str::to_owned);
            state.service = service.map(str::to_owned);
        })
    }

    /// An entity that it met.
    #[must_use]
    pub fn with_entity(self, which: Met, entity: &Value) -> Self {
        self.with(|state| state.entities.push((which, entity.to_string())))
    }

    /// What the route's path expression captured.
    #[must_use]
    pub fn with_captures(self, captures: Captures) -> Self {
        self.with(|state| state.captures = captures)
    }

    /// What an earlier plugin found out of the client.
    #[must_use]
    pub fn with_client(self, consumer: Option<Consumer>, credential: Option<Credential>) -> Self {
        self.with(|state| {
            state.consumer = consumer;
            state.credential = credential;
        })
    }

    /// The name of an upstream that there is.
    #[must_use]
    pub fn with_upstream(self, name: &str) -> Self {
        self.with(|state| state.upstreams.push(name.into()))
    }

    /// The request as a hook gets it. Its functions also tell what became of headers, query, consumer and
    /// credential.
    pub fn as_request(&self) -> Request<'_> {
        Request::from_raw(self)
    }

    /// First value of a header that the hook put on the response.
    pub fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.borrow().response_headers.first(name)
    }

    /// All values of a header that the hook put on the response.
    pub fn response_header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.borrow().response_headers.all(name)
    }

    /// What hooks have decided besides.
    pub fn outcome(&self) -> Outcome {
        self.0.borrow().outcome.clone()
    }

    fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.0.borrow_mut());
        self
    }
}
