//! The Admin API's listeners, on a thread of their own.
//!
//! Apart from the workers, so that it answers while they are busy, and cannot make them so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use moongate_admin::Node;
use moongate_hooks::PluginCatalog;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::properties::Listener;

/// Listening sockets that are not answered yet.
pub(crate) struct AdminListeners {
    runtime: Runtime,
    sockets: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

/// The running server.
#[derive(Debug)]
pub(crate) struct AdminServer {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl AdminListeners {
    /// Listens on all addresses, or says on which it cannot.
    pub(crate) fn bind(listeners: &[Listener]) -> Result<Self, (SocketAddr, io::Error)> {
        let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| (listeners.first().map_or(unspecified, |listener| listener.address), error))?;
        let mut sockets = Vec::with_capacity(listeners.len());
        let mut addresses = Vec::with_capacity(listeners.len());
        for listener in listeners {
            let failed = |error| (listener.address, error);
            let socket = runtime.block_on(listen(listener)).map_err(failed)?;
            addresses.push(socket.local_addr().map_err(failed)?);
            sockets.push(socket);
        }
        Ok(Self { runtime, sockets, addresses })
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Begins to answer.
    pub(crate) fn serve(
        self,
        node: Arc<dyn Node>,
        catalog: Arc<dyn PluginCatalog>,
    ) -> io::Result<AdminServer> {
        let (stop, stopped) = watch::channel(false);
        let Self { runtime, sockets, .. } = self;
        let thread = std::thread::Builder::new().name("admin".into()).spawn(move || {
            let router = moongate_admin::router(node, catalog);
            runtime.block_on(async {
                let mut servers = tokio::task::JoinSet::new();
                for socket in sockets {
                    servers.spawn(moongate_admin::serve(socket, router.clone(), until(stopped.clone())));
                }
                drop(router);
                until(stopped).await;
                // A client that does not read its answer must not keep the gateway from stopping.
                let _ = tokio::time::timeout(PATIENCE, servers.join_all()).await;
            });
        })?;
        Ok(AdminServer { stop, thread })
    }
}

impl AdminServer {
    /// Accepts no more connections and ends when what runs is answered, or after a second.
    pub(crate) fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.thread.join();
    }
}

async fn listen(listener: &Listener) -> io::Result<TcpListener> {
    let socket = if listener.address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port that the gateway before this one used is free at once.
    socket.set_reuseaddr(true)?;
    socket.bind(listener.address)?;
    socket.listen(listener.backlog)
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the gateway is gone, which is a stop as well.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

const PATIENCE: Duration = Duration::from_secs(1);
