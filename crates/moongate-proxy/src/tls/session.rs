//! A client's TLS session, from its handshake on.

use std::io;
use std::pin::pin;
use std::task::Poll;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::client::Guard;
use crate::deadline::Deadline;

/// What is known of a TLS session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsSession {
    /// The server name that the client asked for, in lower case.
    pub(crate) sni: Option<String>,
    /// Whether client and gateway agreed on HTTP/2.
    pub(crate) http2: bool,
}

/// Shakes hands with a client, for as long as it may take to send its first request.
///
/// # Errors
/// The session's or the connection's.
pub(crate) async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
    acceptor: TlsAcceptor,
    stream: S,
    deadline: &Deadline,
    guard: &Guard,
) -> io::Result<(TlsStream<S>, TlsSession)> {
    let mut accepting = pin!(acceptor.accept(stream));
    let stream = std::future::poll_fn(|cx| {
        let accepted = accepting.as_mut().poll(cx);
        if accepted.is_pending() {
            deadline.wake(cx.waker());
            if guard.has_waited_too_long() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        accepted
    })
    .await?;
    let (_, connection) = stream.get_ref();
    let session = TlsSession {
        sni: connection.server_name().map(str::to_ascii_lowercase),
        http2: connection.alpn_protocol() == Some(b"h2"),
    };
    Ok((stream, session))
}
