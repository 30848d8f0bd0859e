//! Connections to upstreams: where they lead to, and how they are opened.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use moongate_hooks::is_public;
use rustix::io::Errno;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::dns::Dns;
use crate::error::Failure;
use crate::http1::Http1;
use crate::snapshot::Upstream;
use crate::tls::{Secured, TlsClients};
use crate::tunnel::{Tunnel, UpstreamStream};

/// A connection to an upstream that speaks HTTP/1.
pub(crate) struct Connection {
    pub(crate) http: Http1,
    /// The pool of a TLS connection.
    pool: Option<Arc<str>>,
    /// When the connection was last given back.
    pub(crate) idle_since: Instant,
    resolved: Option<Box<Resolved>>,
}

/// Where a connection leads to that a name server named.
pub(crate) struct Resolved {
    address: SocketAddr,
    /// When to look whether it still does; for each request when absent.
    check: Option<Instant>,
}

impl Connection {
    /// Opens a connection to an upstream, a TLS connection if it is to be `secured`.
    pub(crate) async fn open(
        upstream: &Upstream,
        addresses: Vec<SocketAddr>,
        dns: &Dns,
        secured: Option<&Secured<'_>>,
        clients: &TlsClients,
    ) -> io::Result<Self> {
        let (stream, resolved) = connect(upstream, addresses, dns).await?;
        let connection = match secured {
            None => Self::plain(stream),
            Some(secured) => Self::secured(stream, secured, clients).await?,
        };
        Ok(Self { resolved, ..connection })
    }

    /// Speaks HTTP over `stream`.
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self::new(UpstreamStream::Left(stream), None)
    }

    /// Speaks HTTP over TLS over `stream`.
    pub(crate) async fn secured(
        stream: TcpStream,
        secured: &Secured<'_>,
        clients: &TlsClients,
    ) -> io::Result<Self> {
        let connector = clients.connector(secured.client).map_err(io::Error::other)?;
        let stream = connector.connect(secured.name.clone(), stream).await?;
        Ok(Self::new(UpstreamStream::Right(Box::new(stream)), Some(Arc::clone(&secured.pool))))
    }

    fn new(stream: UpstreamStream, pool: Option<Arc<str>>) -> Self {
        Self { http: Http1::new(stream), pool, idle_since: Instant::now(), resolved: None }
    }

    /// The name of its pool, where `plain` is that of a plain connection's.
    pub(crate) fn pool(&self, plain: &Arc<str>) -> Arc<str> {
        Arc::clone(self.pool.as_ref().unwrap_or(plain))
    }

    /// Whether the upstream's name still leads to where the connection does, as far as that is known. Looks
    /// at the table of names once in a while only, and asks name servers where their answers are good for one request.
    pub(crate) async fn is_current(&mut self, upstream: &Upstream, dns: &Dns, now: Instant) -> bool {
        let Some(resolved) = self.resolved.as_deref_mut() else { return true };
        match &mut resolved.check {
            // In a box, so that requests to others do not carry what it needs.
            None => Box::pin(dns.still_leads_to(&upstream.host, upstream.port, resolved.address)).await,
            Some(check) if now >= *check => {
                *check = now + CHECK;
                dns.leads_to(&upstream.host, upstream.port, resolved.address)
            }
            Some(_) => true,
        }
    }

    /// The connection after the upstream's answer that it goes on in another protocol.
    pub(crate) fn into_tunnel(self, timeout: Duration) -> Tunnel {
        let (upstream, early) = self.http.into_parts();
        Tunnel { upstream, early, timeout }
    }
}

/// How often to look whether an upstream has moved.
const CHECK: Duration = Duration::from_secs(1);

/// Tries the upstream's addresses one after the other. What comes with the stream is for
/// [`Connection::is_current`].
pub(crate) async fn connect(
    upstream: &Upstream,
    addresses: Vec<SocketAddr>,
    dns: &Dns,
) -> io::Result<(TcpStream, Option<Box<Resolved>>)> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        if upstream.public_only && !is_public(address.ip()) {
            last = io::Error::new(io::ErrorKind::PermissionDenied, "the address is not public");
            continue;
        }
        match connect_to(address).await {
            Ok(stream) => {
                let moves = dns.fixed(&upstream.host).is_none();
                let check = || Some(Instant::now() + CHECK).filter(|_| !dns.is_volatile(&upstream.host));
                return Ok((stream, moves.then(|| Box::new(Resolved { address, check: check() }))));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What a request fails with that gets no connection.
pub(crate) fn failure(error: &io::Error) -> Failure {
    // The gateway has no descriptor left, which no upstream is to blame for and no other could be reached with.
    let own = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    match error.raw_os_error() {
        Some(code) if own.contains(&code) => Failure::Internal,
        _ => Failure::BadGateway,
    }
}

/// Connects to an address.
pub(crate) async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
