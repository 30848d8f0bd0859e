//! One request and its response, as hooks see and change them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, request, response};
use smallvec::SmallVec;

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
    /// What it matched; `None` where hooks run for a request that matched no route.
    pub matched: Option<Arc<Matched>>,
    /// The head of the response, once there is one.
    pub response: Option<response::Parts>,
    /// Changes of the response's headers that request hooks asked for, in order. They are applied when
    /// there is a response, wherever it comes from.
    pub response_edits: SmallVec<[HeaderEdit; 4]>,
    /// Values that plugins keep for the length of this request.
    pub context: Context,
}

impl Exchange {
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
