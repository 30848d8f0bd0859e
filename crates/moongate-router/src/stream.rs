//! Streams: connections and datagrams that are not HTTP.

use std::net::SocketAddr;

use crate::request::Facts;
use crate::wire::Wire;

/// The parts of a stream that routes are matched by.
#[derive(Debug, Clone, Copy)]
pub struct StreamView<'r> {
    /// What the first bytes look like.
    pub kind: StreamKind,
    /// The client's address.
    pub source: SocketAddr,
    /// The listener's address, or that which the PROXY protocol tells.
    pub destination: SocketAddr,
    /// The server name of the TLS handshake, whether it is done here or only looked at.
    pub sni: Option<&'r str>,
}

/// What a stream looks like when a route is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// A connection that does not begin with a TLS handshake.
    Tcp,
    /// A connection that begins with a TLS handshake, which may be passed through.
    Tls,
    /// Datagrams.
    Udp,
}

impl<'r> Facts<'r> {
    pub(crate) fn of_stream(stream: &StreamView<'r>) -> Self {
        Self {
            wire: match stream.kind {
                StreamKind::Tcp => Wire::Tcp,
                StreamKind::Tls => Wire::Tls,
                StreamKind::Udp => Wire::Udp,
            },
            method: "",
            host: None,
            host_port: None,
            implied_ports: [stream.destination.port(); 2],
            path: "",
            query: None,
            headers: None,
            sni: stream.sni,
            source: Some(stream.source),
            destination: Some(stream.destination.ip()),
            port: stream.destination.port(),
        }
    }
}
