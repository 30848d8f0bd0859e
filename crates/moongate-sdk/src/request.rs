//! The request that a hook was called for.

mod body;
mod edits;
mod parts;

use std::ops::Deref;

pub use body::ParseError;

use crate::raw::http::Request as Raw;
use crate::{Captures, Consumer, Credential, Forwarded, Met, TlsInfo};

/// A request on its way to the upstream.
///
/// It lives in the gateway. Each function fetches or changes just what it names, for about a quarter of a
/// microsecond; [`Request::headers`] is cheaper than [`Request::header`] from six names on.
#[derive(Debug)]
pub struct Request<'a>(Handle<'a>);

impl<'a> Request<'a> {
    #[doc(hidden)]
    pub fn from_raw(raw: &'a Raw) -> Self {
        Self(Handle::Borrowed(raw))
    }

    pub(crate) fn from_owned(raw: Raw) -> Self {
        Self(Handle::Owned(raw))
    }

    pub(crate) fn raw(&self) -> &Raw {
        &self.0
    }

    /// Method, in capitals.
    pub fn method(&self) -> String {
        self.0.method()
    }

    /// Scheme of the connection, `http` or `https`.
    pub fn scheme(&self) -> String {
        self.0.scheme()
    }

    /// Version of HTTP that the client speaks: `1.0`, `1.1` or `2`.
    pub fn version(&self) -> String {
        self.0.version()
    }

    /// The Host header or, over HTTP/2, the authority; with the port where the client sent one.
    pub fn host(&self) -> Option<String> {
        self.0.host()
    }

    /// Port of the gateway that the client connected to.
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Path as received, without the query.
    pub fn path(&self) -> String {
        self.0.path()
    }

    /// Path in its normal form, as routes are matched against it.
    pub fn normalised_path(&self) -> String {
        self.0.normalised_path()
    }

    /// Text behind the `?`, as received or as edited. [`Request::query_pairs`] reads it.
    pub fn query(&self) -> Option<String> {
        self.0.query()
    }

    /// First value of a header.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.0.header(name)
    }

    /// First value of a header as text; `None` also when it is not UTF-8.
    pub fn header_text(&self, name: &str) -> Option<String> {
        self.header(name).and_then(|value| String::from_utf8(value).ok())
    }

    /// All values of a header, in the order received.
    pub fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.0.header_values(name)
    }

    /// All headers, with lower-case names.
    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        self.0.headers().into_iter().map(|header| (header.name, header.value)).collect()
    }

    /// Address of the client: the peer's, or what a trusted peer said.
    pub fn client_address(&self) -> String {
        self.0.client_address()
    }

    /// Address and port of the other end of the connection.
    pub fn peer(&self) -> (String, u16) {
        self.0.peer()
    }

    /// Scheme, host and port that the client used, as far as a trusted peer says.
    pub fn forwarded(&self) -> Forwarded {
        let (scheme, host, port) = self.0.forwarded();
        Forwarded { scheme, host, port }
    }

    /// The TLS session, where there is one.
    pub fn tls(&self) -> Option<TlsInfo> {
        self.0.tls().map(Into::into)
    }

    /// Id of the request: 32 hex digits, as in the log and in the X-Kong-Request-Id header.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// When the request began, in milliseconds since 1970.
    pub fn started(&self) -> u64 {
        self.0.started()
    }

    /// Name or else id of the matched route.
    pub fn route(&self) -> Option<String> {
        self.0.route()
    }

    /// Name or else id of the route's service.
    pub fn service(&self) -> Option<String> {
        self.0.service()
    }

    /// What is set of an entity that the request met, as JSON text, with the names of the Admin API. Costs about a
    /// microsecond.
    pub fn entity(&self, which: Met) -> Option<String> {
        self.0.entity(which.into())
    }

    /// What the route's path expression captured.
    pub fn captures(&self) -> Captures {
        self.0.captures().into()
    }

    /// Who sent the request, as far as plugins have found out.
    pub fn consumer(&self) -> Option<Consumer> {
        self.0.consumer().map(Into::into)
    }

    /// What the client proved it with.
    pub fn credential(&self) -> Option<Credential> {
        self.0.credential().map(Into::into)
    }

    /// Id of the consumer, for plugins that need no more.
    pub fn consumer_id(&self) -> Option<String> {
        self.0.consumer_id()
    }

    /// Id of the credential, for plugins that need no more.
    pub fn credential_id(&self) -> Option<String> {
        self.0.credential_id()
    }
}

/// The request of a call belongs to the gateway, the one that a response answers to who asked for it.
#[derive(Debug)]
enum Handle<'a> {
    Borrowed(&'a Raw),
    Owned(Raw),
}

impl Deref for Handle<'_> {
    type Target = Raw;

    fn deref(&self) -> &Raw {
        match self {
            Self::Borrowed(raw) => raw,
            Self::Owned(raw) => raw,
        }
    }
}
