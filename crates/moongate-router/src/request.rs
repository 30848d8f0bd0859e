//! What the router is asked, and what it answers.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::host::split_port;
use crate::wire::Wire;

/// The parts of a request that routes are matched by.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'r> {
    /// The method, case sensitive.
    pub method: &'r str,
    /// The `Host` header as it was received, or HTTP/2's `:authority`.
    pub host: Option<&'r str>,
    /// The path in its normal form, without the query; see [`normalise`](crate::normalise).
    pub path: &'r str,
    /// The query as it was received, without the question mark.
    pub query: Option<&'r str>,
    /// The request's headers.
    pub headers: &'r HeaderMap,
    /// Whether the connection is a TLS connection.
    pub https: bool,
    /// The server name of the TLS handshake.
    pub sni: Option<&'r str>,
    /// The client's address.
    pub source: Option<SocketAddr>,
    /// The listener's address that accepted the connection.
    pub destination: Option<IpAddr>,
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
    /// It is `/` when the route matched without looking at the path.
    pub prefix: &'r str,
    /// Which of the route's conditions matched: the place of its matcher in the table.
    pub(crate) rank: u32,
}

/// A request or stream, taken apart once for all the routes that it is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'r> {
    pub(crate) wire: Wire,
    pub(crate) method: &'r str,
    /// Without the port.
    pub(crate) host: Option<&'r str>,
    /// The port in the `Host` header.
    pub(crate) host_port: Option<u16>,
    /// Stands for `host_port` where there is none, one or the other.
    pub(crate) implied_ports: [u16; 2],
    pub(crate) path: &'r str,
    pub(crate) query: Option<&'r str>,
    pub(crate) headers: Option<&'r HeaderMap>,
    pub(crate) sni: Option<&'r str>,
    pub(crate) source: Option<SocketAddr>,
    pub(crate) destination: Option<IpAddr>,
    /// The port of the listener.
    pub(crate) port: u16,
}

impl<'r> Facts<'r> {
    /// The facts of a request.
    ///
    /// A client leaves out the port that belongs to the scheme. Behind a mapped port that is not the
    /// listener's, so either one counts, unless `scheme_port_only` is set.
    pub(crate) fn new(request: &RequestView<'r>, scheme_port_only: bool) -> Self {
        let (host, host_port) = match request.host.map(split_port) {
            Some((host, port)) => (Some(host), port),
            None => (None, None),
        };
        let scheme_port = if request.https { 443 } else { 80 };
        Self {
            wire: if request.https { Wire::Https } else { Wire::Http },
            method: request.method,
            host,
            host_port,
            implied_ports: [scheme_port, if scheme_port_only { scheme_port } else { request.port }],
            path: request.path,
            query: request.query,
            headers: Some(request.headers),
            sni: request.sni,
            source: request.source,
            destination: request.destination,
            port: request.port,
        }
    }

    /// Whether the client asked for `port`.
    pub(crate) fn asks_for_port(&self, port: u16) -> bool {
        match self.host_port {
            Some(asked) => asked == port,
            None => self.implied_ports.contains(&port),
        }
    }

    /// The port that the client means to talk to.
    pub(crate) fn destination_port(&self) -> u16 {
        self.host_port.unwrap_or(self.port)
    }

    pub(crate) fn source_address(&self) -> Option<IpAddr> {
        self.source.map(|source| source.ip())
    }

    pub(crate) fn source_port(&self) -> Option<u16> {
        self.source.map(|source| source.port())
    }

    /// The first `length` bytes of the path, or `/` where they are no text.
    pub(crate) fn prefix(&self, length: usize) -> &'r str {
        self.path.get(..length).unwrap_or("/")
    }
}
