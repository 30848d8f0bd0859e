//! The request that a hook was called for.
#![cfg_attr(
    not(target_family = "wasm"),
    expect(
        clippy::useless_conversion,
        reason = "the bindings have a type of their own, the fakes have the SDK's"
    )
)]

#[cfg(target_family = "wasm")]
use crate::bindings::moongate::plugin::http::Request as Raw;
use crate::error::HeaderError;
#[cfg(not(target_family = "wasm"))]
use crate::testing::RawRequest as Raw;

/// A request on its way to the upstream.
///
/// It lives in the gateway. Each function fetches or changes just what it names, for about a quarter of a
/// microsecond; [`Request::headers`] is cheaper than [`Request::header`] from six names on.
#[derive(Debug)]
pub struct Request<'a>(&'a Raw);

impl<'a> Request<'a> {
    #[doc(hidden)]
    pub fn from_raw(raw: &'a Raw) -> Self {
        Self(raw)
    }

    /// Method, in capitals.
    pub fn method(&self) -> String {
        self.0.method()
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> String {
        self.0.scheme()
    }

    /// The Host header, with the port where the client sent one.
    pub fn host(&self) -> Option<String> {
        self.0.host()
    }

    /// Path as received, without the query.
    pub fn path(&self) -> String {
        self.0.path()
    }

    /// Text behind the `?`, as received.
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

    /// Address of the client.
    pub fn client_address(&self) -> String {
        self.0.client_address()
    }

    /// Id of the request: 32 hex digits, as in the log and in the X-Kong-Request-Id header.
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// Name or else id of the matched route.
    pub fn route(&self) -> Option<String> {
        self.0.route()
    }

    /// Name or else id of the route's service.
    pub fn service(&self) -> Option<String> {
        self.0.service()
    }

    /// Replaces all values of a header that goes upstream.
    ///
    /// # Errors
    /// See [`HeaderError`], also for the other functions that change headers.
    pub fn set_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.set_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Adds a value to a header that goes upstream.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn add_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.add_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Removes a header, so that the upstream does not see it.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn remove_header(&self, name: &str) -> Result<(), HeaderError> {
        self.0.remove_header(name).map_err(Into::into)
    }

    /// Replaces all values of a header of the response that this request will get, whoever makes it.
    ///
    /// Cheaper than a response hook, which would be another call.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn set_response_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.set_response_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Adds a value to a header of the response that this request will get.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn add_response_header(&self, name: &str, value: impl AsRef<[u8]>) -> Result<(), HeaderError> {
        self.0.add_response_header(name, value.as_ref()).map_err(Into::into)
    }

    /// Removes a header from the response that this request will get.
    ///
    /// # Errors
    /// See [`HeaderError`].
    pub fn remove_response_header(&self, name: &str) -> Result<(), HeaderError> {
        self.0.remove_response_header(name).map_err(Into::into)
    }
}
