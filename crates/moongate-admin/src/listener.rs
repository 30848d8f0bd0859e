//! Listeners of the API, plain and over TLS.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::{Listener, ListenerExt};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Answers `router` on `listener` until `shutdown` resolves.
///
/// Then no connection is accepted any more and idle ones are closed; this returns when the last running
/// request has its answer. A caller that cannot wait for a slow client bounds it with a timeout.
///
/// # Errors
/// Currently none: a failed `accept` is repeated.
pub async fn serve(
    listener: TcpListener,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = listener.tap_io(|stream| without_delay(stream));
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

/// As [`serve`], for clients that speak TLS. One that does not finish its handshake in ten seconds is let go.
///
/// # Errors
/// The listener has no address.
pub async fn serve_tls(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    router: axum::Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = TlsListener::start(listener, tls)?;
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

/// Connections after their handshakes. These happen beside each other: a slow client must not hold up the next one.
struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    /// Ends with this.
    _accepting: JoinSet<()>,
}

impl TlsListener {
    fn start(listener: TcpListener, tls: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(1);
        let mut accepting = JoinSet::new();
        accepting.spawn(accept_all(listener, TlsAcceptor::from(tls), sender));
        Ok(Self { ready, address, _accepting: accepting })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Nobody accepts any more, which is only so when the runtime ends.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept_all(
    mut listener: TcpListener,
    tls: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    let mut handshakes = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        // Waits by itself after an error that lasts, such as too many open files.
        let (stream, address) = Listener::accept(&mut listener).await;
        while handshakes.try_join_next().is_some() {}
        without_delay(&stream);
        let (tls, ready) = (tls.clone(), ready.clone());
        handshakes.spawn(async move {
            match tokio::time::timeout(PATIENCE, tls.accept(stream)).await {
                Ok(Ok(stream)) => drop(ready.send((stream, address)).await),
                Ok(Err(error)) => tracing::debug!(%address, %error, "no TLS on an Admin API connection"),
                Err(_) => tracing::debug!(%address, "no TLS on an Admin API connection in time"),
            }
            drop(place);
        });
    }
}

fn without_delay(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY on an Admin API connection");
    }
}

/// Clients that may be in their handshakes at a time.
const HANDSHAKES: usize = 256;

const PATIENCE: Duration = Duration::from_secs(10);
