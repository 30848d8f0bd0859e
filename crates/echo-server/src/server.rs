//! Listener, connections, and the way out.
//!
//! Shutdown closes the listener and idle connections at once and lets requests in flight finish, because a gateway
//! under test counts a reset connection as a failed request.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::echo::Echo;
use crate::files::FileRoot;
use crate::options::Options;

/// A server that listens and has not begun to answer yet.
///
/// Connections that arrive between [`Server::bind`] and [`Server::serve`] wait in the listener's backlog, so the
/// address may be handed to clients at once.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    echo: Arc<Echo>,
    drain_timeout: Duration,
}

impl Server {
    /// Listens as `options` say.
    ///
    /// Must be called inside a tokio runtime with I/O and time enabled. Fails when the address cannot be listened
    /// on and when the file root is not a directory.
    pub async fn bind(options: Options) -> Result<Self, BindError> {
        let files = match options.file_root {
            Some(path) => Some(
                FileRoot::open(&path, options.max_body)
                    .map_err(|source| BindError::FileRoot { path, source })?,
            ),
            None => None,
        };
        let (host, port) = (options.host, options.port);
        let (listener, address) = match listen(&host, port).await {
            Ok(listening) => listening,
            Err(source) if source.kind() == io::ErrorKind::AddrInUse => {
                return Err(BindError::AddressInUse { host, port });
            }
            Err(source) => return Err(BindError::Listen { host, port, source }),
        };
        let echo = Echo {
            environment: options.environment,
            files: files.map(Arc::new),
            max_delay: options.max_delay,
            max_body: options.max_body,
            log: options.log,
        };
        Ok(Self { listener, address, echo: Arc::new(echo), drain_timeout: options.drain_timeout })
    }

    /// The address that the server listens on, with the port that was chosen when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests until `shutdown` resolves and the requests in flight then are over.
    ///
    /// Returns how many connections were still busy at the end of [`Options::drain_timeout`] and were cut off.
    /// Dropping the future cuts all of them off.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> usize {
        let Self { listener, echo, drain_timeout, .. } = self;
        let (stop, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        connections.spawn(converse(stream, peer, Arc::clone(&echo), stopping.clone()));
                    }
                    // Out of descriptors, mostly: the queue stays readable, so retrying at once would spin.
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        drop(stop);
        let all_over = async { while connections.join_next().await.is_some() {} };
        match tokio::time::timeout(drain_timeout, all_over).await {
            Ok(()) => 0,
            Err(_) => connections.len(),
        }
    }
}

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another process listens there already.
    #[error("cannot listen on {host}:{port}: another process is using that port")]
    AddressInUse {
        /// As asked for.
        host: String,
        /// As asked for.
        port: u16,
    },

    /// The address cannot be listened on for another reason, such as missing privileges or an unknown host.
    #[error("cannot listen on {host}:{port}")]
    Listen {
        /// As asked for.
        host: String,
        /// As asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },

    /// The file root does not exist or is not a directory.
    #[error("cannot use {} as the file root", path.display())]
    FileRoot {
        /// As asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

async fn listen(host: &str, port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((host, port)).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Serves one connection until either side has had enough of it.
async fn converse(stream: TcpStream, peer: SocketAddr, echo: Arc<Echo>, mut stopping: watch::Receiver<()>) {
    // Answers are written whole, so waiting to fill a segment only delays them. A socket that refuses is dead.
    drop(stream.set_nodelay(true));
    let service = service_fn(|request| {
        let echo = Arc::clone(&echo);
        async move { Ok::<_, Infallible>(echo.answer(request, peer).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(IDLE_LIMIT)
            .serve_connection(TokioIo::new(stream), service)
    );
    // An error here is a client that left or broke the protocol; hyper has answered it where that was possible.
    tokio::select! {
        over = connection.as_mut() => drop(over),
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            drop(connection.await);
        }
    }
}

/// How long a connection may wait for a complete request head, idle time included. Longer than the 60 s after which
/// the gateway gives up an idle upstream connection: the side that reuses connections has to be the one that closes
/// them, or a request may meet a connection that is just going away.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
