//! What the router is asked, and what it answers.

use http::HeaderMap;

use crate::host::split_port;

/// The parts of a request that routes are matched by.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'r> {
    /// The method, case sensitive.
    pub method: &'r str,
    /// The `Host` header as it was received, or HTTP/2's `:authority`.
    pub host: Option<&'r str>,
    /// The path in its normal form, without the query; see [`normalise`](crate::normalise).
    pub path: &'r str,
    /// The request's headers.
    pub headers: &'r HeaderMap,
    /// Whether the connection is a TLS connection.
    pub https: bool,
    /// The server name of the TLS handshake.
    pub sni: Option<&'r str>,
    /// The port of the listener that accepted the connection.
    pub port: u16,
}

/// The route that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'r> {
    /// The route's position among the routes that the router was built from.
    pub route: usize,
    /// The part of the path that the route matched, which a route can ask to be removed.
    ///
    /// It is `/` when the route has no paths.
    pub prefix: &'r str,
}

/// A request with its host taken apart once, for all the routes that it is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'v, 'r> {
    pub(crate) request: &'v RequestView<'r>,
    pub(crate) host: Option<&'r str>,
    /// The port in the `Host` header.
    pub(crate) host_port: Option<u16>,
}

impl<'v, 'r> Facts<'v, 'r> {
    pub(crate) fn new(request: &'v RequestView<'r>) -> Self {
        let (host, host_port) = match request.host.map(split_port) {
            Some((host, port)) => (Some(host), port),
            None => (None, None),
        };
        Self { request, host, host_port }
    }

    /// Whether the client asked for `port`.
    ///
    /// A client leaves out the port that belongs to the scheme. Behind a mapped port that is not the
    /// listener's, so either one counts.
    pub(crate) fn asks_for_port(&self, port: u16) -> bool {
        let scheme_port = if self.request.https { 443 } else { 80 };
        match self.host_port {
            Some(asked) => asked == port,
            None => port == self.request.port || port == scheme_port,
        }
    }
}
