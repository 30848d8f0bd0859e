//! A connection to an upstream, driven by whoever uses it.
//!
//! hyper splits a connection into a handle to send requests with and a driver that does the work, made to run
//! as a task of its own. Here the request that has borrowed the connection polls the driver itself, so a request
//! costs no hand-over between tasks. A connection at rest is not polled; whether it was closed meanwhile is found
//! out when it is taken up again.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{Builder, Connection as Driver, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;

use crate::body::RequestBody;
use crate::dns::{Dns, DnsError};
use crate::snapshot::Upstream;
use crate::tls::{Secured, TlsClients};
use crate::tunnel::{Tunnel, UpstreamStream};
use crate::worker::BUFFER;

/// How long the HTTP side of a connection may take to let go of it.
const LEAVING: Duration = Duration::from_secs(1);

type HttpDriver<S> = Pin<Box<Driver<TokioIo<S>, RequestBody>>>;

/// What does the work of a connection.
enum AnyDriver {
    Plain(HttpDriver<TcpStream>),
    Tls(HttpDriver<TlsStream<TcpStream>>),
}

impl AnyDriver {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        match self {
            Self::Plain(driver) => driver.as_mut().poll(cx),
            Self::Tls(driver) => driver.as_mut().poll(cx),
        }
    }

    /// The connection as it is below HTTP, and what was read of it already.
    fn into_parts(self) -> (UpstreamStream, Bytes) {
        match self {
            Self::Plain(driver) => {
                let parts = Pin::into_inner(driver).into_parts();
                (UpstreamStream::Plain(parts.io.into_inner()), parts.read_buf)
            }
            Self::Tls(driver) => {
                let parts = Pin::into_inner(driver).into_parts();
                (UpstreamStream::Tls(Box::new(parts.io.into_inner())), parts.read_buf)
            }
        }
    }
}

/// See the module's description.
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    driver: AnyDriver,
    /// Whether the connection is closed, or has left HTTP.
    is_done: bool,
    /// The pool of a TLS connection.
    pool: Option<Arc<str>>,
    /// Whether the request at hand is the last one.
    is_last: bool,
    /// When the connection was last given back.
    pub(crate) idle_since: Instant,
    /// Where it leads to, if a name server said so, and when to ask whether it still says so.
    resolved: Option<Box<(SocketAddr, Instant)>>,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum ConnectError {
    /// The upstream's name has no address.
    Resolve(DnsError),
    /// Nobody answers at the address.
    Connect(io::Error),
}

impl Connection {
    /// Opens a connection to an upstream, a TLS connection if it is to be `secured`.
    pub(crate) async fn open(
        upstream: &Upstream,
        names: Names<'_>,
        secured: Option<&Secured<'_>>,
        clients: &TlsClients,
    ) -> Result<Self, ConnectError> {
        let (stream, resolved) = connect(upstream, names).await?;
        let connection = match secured {
            None => Self::plain(stream).await,
            Some(secured) => Self::secured(stream, secured, clients).await,
        };
        Ok(Self { resolved, ..connection.map_err(ConnectError::Connect)? })
    }

    /// Speaks HTTP over `stream`.
    pub(crate) async fn plain(stream: TcpStream) -> io::Result<Self> {
        let (sender, driver) = handshake(stream).await?;
        Ok(Self::new(sender, AnyDriver::Plain(driver), None))
    }

    /// Speaks HTTP over TLS over `stream`.
    pub(crate) async fn secured(
        stream: TcpStream,
        secured: &Secured<'_>,
        clients: &TlsClients,
    ) -> io::Result<Self> {
        let connector = clients.connector(secured.client).map_err(io::Error::other)?;
        let stream = connector.connect(secured.name.clone(), stream).await?;
        let (sender, driver) = handshake(stream).await?;
        Ok(Self::new(sender, AnyDriver::Tls(driver), Some(Arc::clone(&secured.pool))))
    }

    fn new(sender: SendRequest<RequestBody>, driver: AnyDriver, pool: Option<Arc<str>>) -> Self {
        let idle_since = Instant::now();
        Self { sender, driver, is_done: false, pool, is_last: false, idle_since, resolved: None }
    }

    /// The name of its pool, where `plain` is that of a plain connection's.
    pub(crate) fn pool(&self, plain: &Arc<str>) -> Arc<str> {
        Arc::clone(self.pool.as_ref().unwrap_or(plain))
    }

    /// Whether the upstream's name still leads to where the connection does, as far as that is known. Looks
    /// at the table of names once in a while only.
    pub(crate) fn is_current(&mut self, upstream: &Upstream, dns: &Dns, now: Instant) -> bool {
        match self.resolved.as_deref_mut() {
            Some((address, check)) if now >= *check => {
                *check = now + CHECK;
                dns.leads_to(&upstream.host, upstream.port, *address)
            }
            _ => true,
        }
    }

    /// Lets the connection make progress.
    pub(crate) fn drive(&mut self, cx: &mut Context<'_>) {
        self.is_done = self.is_done || self.driver.poll(cx).is_ready();
    }

    /// The connection after the upstream's answer that it goes on in another protocol.
    pub(crate) async fn into_tunnel(mut self, timeout: Duration) -> Option<Tunnel> {
        let left = std::future::poll_fn(|cx| {
            self.drive(cx);
            if self.is_done { Poll::Ready(()) } else { Poll::Pending }
        });
        tokio::time::timeout(LEAVING, left).await.ok()?;
        let (upstream, early) = self.driver.into_parts();
        Some(Tunnel { upstream, early, timeout })
    }

    /// Closes the connection once its current response is through.
    pub(crate) fn retire(&mut self) {
        self.is_last = true;
    }

    /// Whether another request can be sent.
    pub(crate) fn is_reusable(&self) -> bool {
        !self.is_last && !self.is_done && self.sender.is_ready()
    }

    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    /// hyper's; it holds the request where nothing of it was sent.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
        mut while_waiting: impl FnMut(&mut Context<'_>) -> bool,
    ) -> Option<Result<Response<Incoming>, TrySendError<Request<RequestBody>>>> {
        let mut sending = pin!(self.sender.try_send_request(request));
        let (driver, is_done) = (&mut self.driver, &mut self.is_done);
        std::future::poll_fn(|cx| {
            *is_done = *is_done || driver.poll(cx).is_ready();
            // Only the driver, polled just now, answers; so the answer need not wake us.
            match sending.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(answer) => Poll::Ready(Some(answer)),
                Poll::Pending if while_waiting(cx) => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            }
        })
        .await
    }
}

type Halves<S> = (SendRequest<RequestBody>, HttpDriver<S>);

async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(stream: S) -> io::Result<Halves<S>> {
    let (sender, driver) = Builder::new()
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    Ok((sender, Box::pin(driver)))
}

/// What is needed to find the addresses of an upstream.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) dns: &'a Dns,
    /// Says which of several addresses is tried first.
    pub(crate) random: usize,
}

/// How often to look whether an upstream has moved.
const CHECK: Duration = Duration::from_secs(1);

/// Tries the upstream's addresses one after the other. What comes with the stream is for
/// [`Connection::is_current`].
pub(crate) async fn connect(
    upstream: &Upstream,
    names: Names<'_>,
) -> Result<(TcpStream, Option<Box<(SocketAddr, Instant)>>), ConnectError> {
    let addresses = names.dns.addresses(&upstream.host, upstream.port, names.random).await;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses.map_err(ConnectError::Resolve)? {
        match connect_to(address).await {
            Ok(stream) => {
                let moves = names.dns.fixed(&upstream.host).is_none();
                return Ok((stream, moves.then(|| Box::new((address, Instant::now() + CHECK)))));
            }
            Err(error) => last = error,
        }
    }
    Err(ConnectError::Connect(last))
}

/// Connects to an address.
pub(crate) async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
