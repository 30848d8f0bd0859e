//! The listeners of the Admin API, of its part for probes, and of the console, on a thread of their own.
//!
//! Apart from the workers, so that it answers while they are busy, and cannot make them so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use moongate_admin::{ConsoleOptions, Node};
use moongate_hooks::PluginCatalog;
use moongate_proxy::TlsOptions;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::priority;
use crate::properties::Listener;

/// Listening sockets that are not answered yet.
pub(crate) struct AdminListeners {
    runtime: Runtime,
    sockets: Vec<Socket>,
}

/// What is answered on a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Everything.
    Admin,
    /// What tells how the node is.
    Status,
    /// The pages for a browser.
    Console,
}

struct Socket {
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<rustls::ServerConfig>>,
    api: Api,
}

/// The running server.
#[derive(Debug)]
pub(crate) struct AdminServer {
    stop: watch::Sender<bool>,
    thread: JoinHandle<()>,
}

impl AdminListeners {
    /// Listens nowhere yet.
    pub(crate) fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, sockets: Vec::new() })
    }

    /// Listens on all addresses, or says on which it cannot. `tls` is for those where TLS is asked for.
    pub(crate) fn bind(
        &mut self,
        api: Api,
        listeners: &[Listener],
        tls: &TlsOptions,
    ) -> Result<(), (SocketAddr, io::Error)> {
        for asked in listeners {
            let failed = |error| (asked.address, error);
            let tls = asked.tls.then(|| tls.server_config(asked.http2)).transpose();
            let tls = tls.map_err(|error| failed(io::Error::other(error)))?;
            let listener = self.runtime.block_on(listen(asked)).map_err(failed)?;
            let address = listener.local_addr().map_err(failed)?;
            self.sockets.push(Socket { listener, address, tls, api });
        }
        Ok(())
    }

    /// Where `api` is answered.
    pub(crate) fn addresses(&self, api: Api) -> Vec<SocketAddr> {
        self.sockets.iter().filter(|socket| socket.api == api).map(|socket| socket.address).collect()
    }

    /// Begins to answer.
    pub(crate) fn serve(
        self,
        node: Arc<dyn Node>,
        catalog: Arc<dyn PluginCatalog>,
        console: ConsoleOptions,
    ) -> io::Result<AdminServer> {
        let (stop, stopped) = watch::channel(false);
        let Self { runtime, sockets } = self;
        let thread = std::thread::Builder::new().name("admin".into()).spawn(move || {
            priority::stand_back();
            let (admin, observer) = moongate_admin::observed_router(Arc::clone(&node), Arc::clone(&catalog));
            let status = moongate_admin::status_router(node, catalog);
            let console = moongate_admin::console(console);
            runtime.block_on(async {
                observer.watch();
                let mut servers = tokio::task::JoinSet::new();
                for Socket { listener, tls, api, .. } in sockets {
                    let router = match api {
                        Api::Admin => admin.clone(),
                        Api::Status => status.clone(),
                        Api::Console => console.clone(),
                    };
                    let stopped = until(stopped.clone());
                    match tls {
                        Some(tls) => servers.spawn(moongate_admin::serve_tls(listener, tls, router, stopped)),
                        None => servers.spawn(moongate_admin::serve(listener, router, stopped)),
                    };
                }
                drop((admin, status));
                until(stopped).await;
                // Streams of events have no end of their own.
                observer.stop();
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
