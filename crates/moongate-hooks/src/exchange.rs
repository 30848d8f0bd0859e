//! One request and its response, as hooks see and change them.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request, response};
use serde_json::Value;
use smallvec::SmallVec;

use crate::body::RequestBody;
use crate::identity::Identity;

/// A request on its way through the gateway.
///
/// Boxed and passed by value to a hook and back, so that a runtime can keep it beside the guest while the
/// guest asks for parts of it, without copying a header.
#[derive(Debug)]
pub struct Exchange {
    /// Unique number of this request; shown as 32 hex digits.
    pub id: u128,
    /// The head of the request. Edits of a request hook go upstream.
    pub request: request::Parts,
    /// Who sent it.
    pub client: Client,
    /// When it began.
    pub started: Instant,
    /// What it matched; `None` where hooks run for a request that matched no route.
    pub matched: Option<Arc<Matched>>,
    /// The head of the response, once there is one.
    pub response: Option<response::Parts>,
    /// Changes of the response's headers that request hooks asked for, in order. They are applied when
    /// there is a response, wherever it comes from.
    pub response_edits: SmallVec<[HeaderEdit; 4]>,
    /// Values that plugins keep for the length of this request.
    pub context: Context,
    /// Who sent the request, once a plugin has found out.
    pub identity: Option<Box<Identity>>,
    /// What request hooks want to be other than route and service say.
    pub edits: Option<Box<UpstreamEdits>>,
    /// The body of the request, as far as hooks can have it.
    pub body: RequestBody,
    /// What less than every plugin asks for.
    pub details: Option<Box<Details>>,
    /// Where the response came from.
    pub source: Source,
    /// How the hook that was called last wants to see the body of the response.
    pub body_view: Option<BodyView>,
    /// A body that takes the place of the response's.
    pub response_body: Option<Bytes>,
    /// What plugins add to the log record, in order. Without a value the field is removed.
    pub log_fields: Vec<(String, Option<Value>)>,
    /// What whoever runs the hooks keeps with the exchange. Nobody else touches it.
    pub kept: Option<Box<dyn Any + Send + Sync>>,
}

impl Exchange {
    /// An exchange for a request of which only the head is known yet.
    pub fn new(id: u128, request: request::Parts, client: Client, started: Instant) -> Self {
        Self {
            id,
            request,
            client,
            started,
            matched: None,
            response: None,
            response_edits: SmallVec::new(),
            context: Context::default(),
            identity: None,
            edits: None,
            body: RequestBody::default(),
            details: None,
            source: Source::Gateway,
            body_view: None,
            response_body: None,
            log_fields: Vec::new(),
            kept: None,
        }
    }

    /// The edits of what goes upstream.
    pub fn edits(&mut self) -> &mut UpstreamEdits {
        self.edits.get_or_insert_default()
    }

    /// Scheme, host and port that the client used: those of the connection, or what a trusted peer says.
    pub fn forwarded(&self) -> (String, String, u16) {
        let told = |name: &str| {
            let value = if self.client.trusted { self.request.headers.get(name) } else { None };
            value.and_then(|value| value.to_str().ok())
        };
        let scheme = told("x-forwarded-proto").unwrap_or(if self.client.tls { "https" } else { "http" });
        let own = self.request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok());
        let own = own.or_else(|| self.request.uri.authority().map(|authority| authority.as_str()));
        let host = told("x-forwarded-host").or(own).unwrap_or_default();
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let port = told("x-forwarded-port").and_then(|port| port.parse().ok()).unwrap_or(self.client.port);
        (scheme.to_owned(), host.to_owned(), port)
    }

    /// Applies the collected [`Exchange::response_edits`] to `headers`, once.
    pub fn apply_response_edits(&mut self, headers: &mut HeaderMap) {
        for edit in self.response_edits.drain(..) {
            edit.apply(headers);
        }
    }
}

/// The sender of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The other end of the connection.
    pub peer: SocketAddr,
    /// The client's address: the peer's, or what a trusted peer said in its headers.
    pub address: IpAddr,
    /// Whether the request came over TLS.
    pub tls: bool,
    /// Whether the peer's forwarding headers are believed.
    pub trusted: bool,
    /// Port of the gateway that the client connected to.
    pub port: u16,
}

/// What less than every plugin asks for.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The path in its normal form, where it came in another.
    pub normal_path: Option<String>,
    /// The TLS session of the client.
    pub tls: Option<Arc<TlsInfo>>,
    /// What the groups of the route's path expression matched, by position from the first group on.
    pub positional: Vec<String>,
    /// The same, for groups with a name.
    pub named: Vec<(String, String)>,
}

/// The TLS session of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsInfo {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// Cipher suite by its IANA name.
    pub cipher: String,
    /// Server name that the client asked for.
    pub server_name: Option<String>,
    /// Certificates that the client showed, the leaf first, in DER.
    pub client_certificates: Vec<Vec<u8>>,
}

/// What request hooks want to be other than route and service say.
///
/// Method and query are edited in the request itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamEdits {
    /// Path that the upstream is asked for, without the query.
    pub path: Option<String>,
    /// Whether the query was changed.
    pub query: bool,
    /// The Host header that the upstream gets.
    pub host: Option<HeaderValue>,
    /// Whether TLS is spoken with the upstream.
    pub tls: Option<bool>,
    /// Name of an upstream entity.
    pub upstream: Option<String>,
    /// Host and port, instead of balancing.
    pub target: Option<(String, u16)>,
    /// Whether the target may have no address of a private network or of this machine.
    pub public_only: bool,
    /// Milliseconds to connect, between two writes and between two reads.
    pub timeouts: Option<[u32; 3]>,
    /// Attempts after the first.
    pub retries: Option<u16>,
}

/// Where the head of a response came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The upstream.
    Upstream,
    /// A plugin that answered.
    Plugin,
    /// The gateway itself.
    Gateway,
}

/// How a plugin wants to see the body of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyView {
    /// Chunk by chunk, as it comes.
    Chunks,
    /// In one piece, if it has at most so many bytes.
    Whole(u64),
}

/// The route that a request matched, and its service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// Id of the route.
    pub route_id: String,
    /// Name of the route.
    pub route_name: Option<String>,
    /// Id of the service, where the route has one.
    pub service_id: Option<String>,
    /// Name of the service.
    pub service_name: Option<String>,
}

/// What a request hook decided.
#[derive(Debug)]
pub enum Decision {
    /// The request goes on to the next plugin, and then upstream.
    Continue,
    /// The request is answered with this; nothing is sent upstream.
    Respond(Reply),
    /// The request is answered as the gateway answers its own errors, with this status and message.
    Fail(Refusal),
}

/// An answer in the form of the gateway's own errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Status.
    pub status: StatusCode,
    /// What the client is told.
    pub message: String,
    /// Headers that are added.
    pub headers: HeaderMap,
}

/// A response made by a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers, without those that frame the message.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// One change of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderEdit {
    /// Replaces all values of the name.
    Set(HeaderName, HeaderValue),
    /// Adds a value to those that are there.
    Add(HeaderName, HeaderValue),
    /// Removes all values of the name.
    Remove(HeaderName),
}

impl HeaderEdit {
    /// Makes the change.
    pub fn apply(self, headers: &mut HeaderMap) {
        match self {
            Self::Set(name, value) => {
                headers.insert(name, value);
            }
            Self::Add(name, value) => {
                headers.append(name, value);
            }
            Self::Remove(name) => {
                headers.remove(name);
            }
        }
    }
}

/// Values that plugins keep for the length of one request.
///
/// Held as a short list: requests carry a handful of values, for which a scan beats hashing.
#[derive(Debug, Default)]
pub struct Context {
    values: Vec<(Option<u64>, Box<str>, Bytes)>,
    bytes: usize,
}

impl Context {
    /// Bytes that keys and values of one request may take together.
    pub const CAPACITY: usize = 64 * 1024;

    /// The value under `key`, in the drawer of one plugin or, with `None`, the one that all share.
    pub fn value(&self, scope: Option<u64>, key: &str) -> Option<&Bytes> {
        self.values.iter().find(|(s, k, _)| *s == scope && **k == *key).map(|(_, _, value)| value)
    }

    /// Stores `value`, or removes the key when there is none. Says whether there was room; without room
    /// nothing changes.
    pub fn store(&mut self, scope: Option<u64>, key: &str, value: Option<Bytes>) -> bool {
        let at = self.values.iter().position(|(s, k, _)| *s == scope && **k == *key);
        let freed =
            at.and_then(|at| self.values.get(at)).map_or(0, |(_, key, value)| key.len() + value.len());
        let wanted = value.as_ref().map_or(0, |value| key.len() + value.len());
        let bytes = self.bytes - freed + wanted;
        if bytes > Self::CAPACITY {
            return false;
        }
        self.bytes = bytes;
        if let Some(at) = at {
            self.values.swap_remove(at);
        }
        if let Some(value) = value {
            self.values.push((scope, key.into(), value));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_plugin_has_a_drawer_of_its_own_and_all_share_one() {
        let mut context = Context::default();
        assert!(context.store(Some(1), "k", Some(Bytes::from_static(b"one"))));
        assert!(context.store(None, "k", Some(Bytes::from_static(b"all"))));
        assert_eq!(context.value(Some(1), "k").unwrap(), "one");
        assert_eq!(context.value(None, "k").unwrap(), "all");
        assert_eq!(context.value(Some(2), "k"), None);
    }

    #[test]
    fn a_full_context_refuses_a_value_and_keeps_what_it_has() {
        let mut context = Context::default();
        assert!(context.store(None, "k", Some(Bytes::from_static(b"small"))));
        assert!(!context.store(None, "k", Some(Bytes::from(vec![0; Context::CAPACITY]))));
        assert_eq!(context.value(None, "k").unwrap(), "small");
        assert!(context.store(None, "k", Some(Bytes::from(vec![0; Context::CAPACITY - 1]))));
        assert!(context.store(None, "k", None));
        assert!(context.store(Some(9), "other", Some(Bytes::from(vec![0; Context::CAPACITY - 5]))));
    }
}
