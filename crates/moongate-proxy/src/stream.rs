//! Streams: connections that are not HTTP, and datagrams.
//!
//! A connection finds its route by its addresses and, where it begins with TLS, by the server name. From then on bytes go both
//! ways as they come. Plugins have no part in it.

mod datagrams;
pub(crate) mod hello;
mod rewound;
mod upstream;

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use moongate_hooks::PluginRuntime;
use moongate_router::{StreamKind, StreamView};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use self::hello::Hello;
use self::rewound::Rewound;
use crate::access_log::StreamLogging;
use crate::client::Guard;
use crate::deadline::Deadline;
use crate::proxy_protocol;
use crate::snapshot::Upstream;
use crate::tls::handshake;
use crate::tunnel::Tunnel;
use crate::worker::Worker;

pub(crate) use self::datagrams::Datagrams;

/// A connection that was accepted to carry a stream.
pub(crate) struct Accepted {
    pub(crate) stream: TcpStream,
    pub(crate) address: SocketAddr,
    /// Where the listener speaks TLS.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether a load balancer tells about the client first.
    pub(crate) proxy_protocol: bool,
    pub(crate) deadline: Rc<Deadline>,
}

/// Where a stream goes.
struct Destination {
    upstream: Arc<Upstream>,
    /// Whether TLS is left to the upstream.
    passes_through: bool,
    /// Whether an upstream that speaks TLS is told the name that the client gave.
    keeps_name: bool,
}

impl<R: PluginRuntime> Worker<R> {
    /// Serves a connection until it ends.
    pub(crate) async fn serve_stream(self: Rc<Self>, accepted: Accepted) {
        let address = accepted.address;
        let mut logging = self.stream_log.as_ref().map(StreamLogging::new);
        let result = self.carry(accepted, logging.as_mut()).await;
        if let Err(error) = result {
            tracing::debug!(%address, %error, "a stream ended with an error");
        }
    }

    async fn carry(&self, accepted: Accepted, mut logging: Option<&mut StreamLogging>) -> io::Result<()> {
        let Accepted { mut stream, address, tls, proxy_protocol, deadline } = accepted;
        let mut source = address;
        if proxy_protocol {
            let told = within(&deadline, proxy_protocol::receive(&mut stream)).await??;
            if let Some(told) = told.filter(|_| self.options.trusts(address.ip())) {
                source = told;
            }
        }
        let kind = if tls.is_some() { StreamKind::Tls } else { StreamKind::Tcp };
        let protocol = if tls.is_some() { "TLS" } else { "TCP" };
        if let Some(logging) = &mut logging {
            logging.begin(source, protocol);
        }
        let (early, sni) = match tls {
            None => (Bytes::new(), None),
            Some(_) => within(&deadline, read_hello(&mut stream)).await??,
        };
        let view = StreamView { kind, source, destination: stream.local_addr()?, sni: sni.as_deref() };
        let Some(destination) = self.find_stream(&view) else {
            tracing::debug!(%source, ?sni, "no Route found with those values");
            if let Some(logging) = &mut logging {
                logging.failed(503);
            }
            return Ok(());
        };
        match tls.filter(|_| !destination.passes_through) {
            None => {
                let upstream = self.open_stream(&destination, source, sni, logging.as_deref_mut()).await?;
                self.join(stream, early, upstream, &destination.upstream, &deadline, logging).await
            }
            Some(acceptor) => {
                let guard = Guard::new(&deadline, self.options.max_header_size);
                let client = Rewound::new(early, stream);
                let (client, _) = handshake(acceptor, client, &deadline, &guard).await?;
                let upstream = self.open_stream(&destination, source, sni, logging.as_deref_mut()).await?;
                self.join(client, Bytes::new(), upstream, &destination.upstream, &deadline, logging).await
            }
        }
    }

    /// Carries bytes both ways until both sides have ended.
    async fn join<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        client: S,
        early: Bytes,
        opened: upstream::Opened,
        upstream: &Upstream,
        deadline: &Deadline,
        logging: Option<&mut StreamLogging>,
    ) -> io::Result<()> {
        let timeout = Duration::from_millis(upstream.read_timeout);
        let tunnel = Tunnel { upstream: opened.stream, early: Bytes::new(), timeout };
        let traffic = Cell::default();
        let result = tunnel.run(client, early, deadline, &traffic).await;
        if let Some(logging) = logging {
            logging.ended(traffic.get(), 200);
        }
        result
    }

    /// The route of a stream. Nothing of the snapshot stays in use, as a stream may last for days.
    fn find_stream(&self, view: &StreamView<'_>) -> Option<Destination> {
        let snapshot = self.snapshot();
        let route = snapshot.routes.get(snapshot.router.find_stream(view)?)?;
        let upstream = Arc::clone(route.upstream.as_ref()?);
        Some(Destination { upstream, passes_through: route.passes_through, keeps_name: route.preserve_host })
    }
}

impl Destination {
    /// The name that an upstream is told which speaks TLS.
    fn name(&self, sni: Option<&str>) -> Option<HeaderValue> {
        sni.filter(|_| self.keeps_name).and_then(|sni| HeaderValue::from_str(sni).ok())
    }
}

/// Does something within the time that a deadline allows.
///
/// # Errors
/// When it takes longer.
pub(crate) async fn within<T>(deadline: &Deadline, doing: impl Future<Output = T>) -> io::Result<T> {
    let mut doing = pin!(doing);
    std::future::poll_fn(|cx| match doing.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Ok(done)),
        Poll::Pending if deadline.has_passed() => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
        Poll::Pending => {
            deadline.wake(cx.waker());
            Poll::Pending
        }
    })
    .await
}

/// Reads the first message of a TLS client, and what else came with it, and finds the server name in it.
async fn read_hello(stream: &mut TcpStream) -> io::Result<(Bytes, Option<String>)> {
    let mut bytes = BytesMut::with_capacity(2048);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match hello::read(&bytes) {
            Hello::Incomplete => {}
            Hello::Complete(name) => return Ok((bytes.freeze(), name)),
            Hello::Invalid => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the client does not speak TLS"));
            }
        }
    }
}
