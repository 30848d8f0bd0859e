//! Connections that go on in another protocol than HTTP: WebSocket.
//!
//! The upstream's answer to the handshake goes to the client like any other, with its plugins. From then on bytes go both
//! ways as they come, and nobody looks at them.

use std::cell::Cell;
use std::io::{self};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::response;
use moongate_hooks::PluginRuntime;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use crate::access_log::Logging;
use crate::body::Tail;
use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::handler::Handler;

/// An upstream that has left HTTP.
pub(crate) struct Tunnel {
    pub(crate) upstream: UpstreamStream,
    /// What it sent right behind its answer.
    pub(crate) early: Bytes,
    /// How long both sides may be silent.
    pub(crate) timeout: Duration,
}

/// Bytes that were carried.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    pub(crate) to_upstream: u64,
    pub(crate) from_upstream: u64,
}

/// The connection of an upstream: plain, or TLS.
pub(crate) type UpstreamStream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Tunnel {
    /// Carries bytes both ways until both sides have ended or were silent for too long, and counts them in `traffic`. `early`
    /// is what the client sent already, such as what came right behind its request.
    pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        mut client: S,
        early: Bytes,
        deadline: &Deadline,
        traffic: &Cell<Traffic>,
    ) -> io::Result<()> {
        let timeout = self.timeout;
        let from_upstream = self.early.len() as u64;
        traffic.set(Traffic { from_upstream, ..Traffic::default() });
        let mut upstream = Watched { stream: self.upstream, deadline, timeout, traffic };
        deadline.wait(Instant::now(), timeout);
        let mut carrying = pin!(async {
            upstream.write_all(&early).await?;
            upstream.flush().await?;
            client.write_all(&self.early).await?;
            tokio::io::copy_bidirectional(&mut client, &mut upstream).await.map(drop)
        });
        std::future::poll_fn(|cx| {
            let result = carrying.as_mut().poll(cx);
            if result.is_pending() {
                deadline.wake(cx.waker());
                if deadline.has_passed() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
            result
        })
        .await
    }
}

/// A request whose connection goes on in a tunnel, and which ends with it, however that ends.
pub(crate) struct Left {
    tunnel: Tunnel,
    /// See [`Left::take_over`].
    ending: Ending,
}

impl Left {
    /// Takes over what is to be logged at the request's end.
    pub(crate) fn take_over(&mut self, logging: Option<Logging>, record: Option<Box<dyn Tail>>) {
        (self.ending.logging, self.ending.record) = (logging, record);
    }

    /// See [`Tunnel::run`].
    pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        client: S,
        early: Bytes,
        deadline: &Deadline,
    ) -> io::Result<()> {
        self.tunnel.run(client, early, deadline, &self.ending.traffic).await
    }
}

/// Tells when it is dropped what went through a tunnel.
#[derive(Default)]
struct Ending {
    logging: Option<Logging>,
    record: Option<Box<dyn Tail>>,
    traffic: Cell<Traffic>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let sent = self.traffic.get().from_upstream as usize;
        if let Some(logging) = &mut self.logging {
            logging.sent(sent);
        }
        if let Some(record) = &mut self.record {
            record.sent(sent);
        }
    }
}

impl<R: PluginRuntime> Handler<R> {
    /// Prepares to go on as the upstream answered. The head is what the client is told; `None` when it asked for nothing of the
    /// kind, which is when there is no `timeout`.
    pub(crate) fn leave_http(
        &self,
        mut head: response::Parts,
        connection: Connection,
        timeout: Option<Duration>,
    ) -> Option<response::Parts> {
        let tunnel = connection.into_tunnel(timeout?);
        agree(&mut head.headers);
        self.left.set(Some(Box::new(Left { tunnel, ending: Ending::default() })));
        Some(head)
    }
}

/// Whether a request asks to go on in WebSocket.
pub(crate) fn is_websocket(headers: &HeaderMap) -> bool {
    let has = |name, token: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|listed| listed.trim().eq_ignore_ascii_case(token)))
    };
    has(UPGRADE, "websocket") && has(CONNECTION, "upgrade")
}

/// Tells a client that its connection goes on in WebSocket.
fn agree(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// The upstream's side; everything goes over it, so what passes here shows that the tunnel is in use.
struct Watched<'d> {
    stream: UpstreamStream,
    deadline: &'d Deadline,
    timeout: Duration,
    traffic: &'d Cell<Traffic>,
}

impl Watched<'_> {
    fn used(&self, count: impl FnOnce(&mut Traffic)) {
        self.deadline.wait(Instant::now(), self.timeout);
        let mut traffic = self.traffic.get();
        count(&mut traffic);
        self.traffic.set(traffic);
    }
}

impl AsyncRead for Watched<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer));
        let read = buffer.filled().len() - before;
        self.used(|traffic| traffic.from_upstream += read as u64);
        Poll::Ready(result)
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.stream).poll_write(cx, bytes));
        let written = result.as_ref().map_or(0, |written| *written);
        self.used(|traffic| traffic.to_upstream += written as u64);
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(connection: &'static str, upgrade: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static(connection));
        headers.insert(UPGRADE, HeaderValue::from_static(upgrade));
        is_websocket(&headers)
    }

    #[test]
    fn only_websocket_is_asked_for() {
        assert!(asks("Upgrade", "websocket"));
        assert!(asks("keep-alive, upgrade", "WebSocket"));
        assert!(!asks("Upgrade", "h2c"));
        assert!(!asks("keep-alive", "websocket"));
        assert!(!is_websocket(&HeaderMap::new()));
    }
}
