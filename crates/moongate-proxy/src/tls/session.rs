//! A client's TLS session, from its handshake on.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use moongate_hooks::TlsInfo;
use rustls::ProtocolVersion;
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
    /// What plugins can know of it.
    pub(crate) info: Arc<TlsInfo>,
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
    let sni = connection.server_name().map(str::to_ascii_lowercase);
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "",
    };
    let suite = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
    let info = TlsInfo {
        version: version.to_owned(),
        // TLS 1.3's have a prefix here that their IANA names have not.
        cipher: suite.unwrap_or_default().replace("TLS13_", "TLS_"),
        server_name: sni.clone(),
        client_certificates: connection
            .peer_certificates()
            .map(|chain| chain.iter().map(|certificate| certificate.to_vec()).collect())
            .unwrap_or_default(),
    };
    let session = TlsSession { sni, info: Arc::new(info), http2: connection.alpn_protocol() == Some(b"h2") };
    Ok((stream, session))
}
