//! The proxy as a whole: its listeners, its workers, and what they serve.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use moongate_hooks::PluginRuntime;
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::dns::Dns;
use crate::options::{ListenAddress, ProxyOptions};
use crate::snapshot::Snapshot;
use crate::tls::{TlsClients, TlsListeners};
use crate::upkeep::{self, Shared};
use crate::worker::{Listener, Order, Worker, WorkerCounters};

/// Running workers.
pub struct Proxy<R: PluginRuntime> {
    published: Arc<Published<R>>,
    addresses: Vec<SocketAddr>,
    orders: watch::Sender<Order>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    upkeep: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
    counters: Vec<Arc<WorkerCounters>>,
}

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// TLS cannot be spoken as the options say.
    #[error("cannot accept TLS connections")]
    Tls(#[source] rustls::Error),
    /// A worker's thread or event loop cannot be made.
    #[error("cannot start a worker")]
    Worker(#[source] io::Error),
}

/// What the proxy has counted since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now.
    pub active: u64,
    /// Requests received.
    pub requests: u64,
}

impl<R: PluginRuntime> Proxy<R> {
    /// Listens, and serves `snapshot` on `options.workers` threads.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing runs then.
    pub fn start(options: ProxyOptions, runtime: Arc<R>, snapshot: Snapshot<R>) -> Result<Self, StartError> {
        let mut addresses = Vec::with_capacity(options.listen.len());
        let published = Arc::new(Published::new(snapshot));
        let tls = match options.listen.iter().any(|listen| listen.tls) {
            true => Some(TlsListeners::new(&options.tls, &published).map_err(StartError::Tls)?),
            false => None,
        };
        let mut sockets: Vec<Vec<Bound>> = (0..options.workers).map(|_| Vec::new()).collect();
        for listen in &options.listen {
            let mut listen = *listen;
            for worker in &mut sockets {
                let failed = |source| StartError::Listen { address: listen.address, source };
                let socket = bind(&listen).map_err(failed)?;
                // The first socket's port is everybody's, also where the system chose it.
                listen.address = socket.local_addr().map_err(failed)?;
                let tls = tls.as_ref().filter(|_| listen.tls);
                let tls = tls.map(|tls| tls.acceptor(listen.http2).clone());
                worker.push(Bound { socket, tls, http2: listen.http2 });
            }
            addresses.push(listen.address);
        }

        let tls_clients = TlsClients::new(options.upstream_tls.clone());
        let (dns, questions) = Dns::new(options.resolver.clone());
        let shared = Arc::new(Shared::new(dns, tls_clients));
        shared.balancers.store(Arc::clone(&published.load().1.balancers));
        let options = Arc::new(options);
        let (orders, _) = watch::channel(Order::Serve);
        let counters: Vec<_> = sockets.iter().map(|_| Arc::new(WorkerCounters::default())).collect();
        let mut threads = Vec::with_capacity(sockets.len());
        for (number, (sockets, counters)) in sockets.into_iter().zip(&counters).enumerate() {
            let (options, runtime) = (Arc::clone(&options), Arc::clone(&runtime));
            let (published, counters) = (Arc::clone(&published), Arc::clone(counters));
            let shared = Arc::clone(&shared);
            let orders = orders.subscribe();
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || {
                    let worker = Worker::new(number, runtime, options, published, counters, shared);
                    if let Err(error) = serve(worker, sockets, orders) {
                        tracing::error!(worker = number, %error, "a worker could not start");
                    }
                })
                .map_err(StartError::Worker)?;
            threads.push(thread);
        }
        let upkeep = {
            let (shared, orders) = (Arc::clone(&shared), orders.subscribe());
            std::thread::Builder::new()
                .name("upkeep".to_owned())
                .spawn(move || upkeep::run(shared, questions, orders))
                .map_err(StartError::Worker)?
        };
        let (threads, upkeep) = (Mutex::new(threads), Mutex::new(Some(upkeep)));
        Ok(Self { published, addresses, orders, threads, upkeep, shared, counters })
    }

    /// Makes `next` what new requests are served from. Requests under way end on the snapshot that they began on.
    ///
    /// Never blocks and never fails: everything that can fail happens while building a [`Snapshot`].
    pub fn publish(&self, next: Snapshot<R>) {
        let now = self.shared.time(Instant::now());
        next.balancers.inherit(&self.shared.balancers.load(), now);
        self.shared.balancers.store(Arc::clone(&next.balancers));
        self.published.publish(next);
        self.shared.dns.look();
    }

    /// What new requests are served from.
    pub fn snapshot(&self) -> Arc<Snapshot<R>> {
        self.published.load().1
    }

    /// The addresses that clients can connect to, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What all workers counted.
    pub fn counters(&self) -> Counters {
        let sum = |field: fn(&WorkerCounters) -> &AtomicU64| {
            self.counters.iter().map(|counters| field(counters).load(Ordering::Relaxed)).sum()
        };
        Counters {
            accepted: sum(|c| &c.accepted),
            active: sum(|c| &c.active),
            requests: sum(|c| &c.requests),
        }
    }

    /// Accepts no more connections and lets requests finish, for up to `timeout`. Says whether all did.
    ///
    /// Blocks; not for asynchronous code.
    pub fn shutdown(&self, timeout: Duration) -> bool {
        self.orders.send_replace(Order::Drain);
        let threads = std::mem::take(&mut *self.threads.lock());
        let patience = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while waited < timeout && !threads.iter().all(JoinHandle::is_finished) {
            std::thread::sleep(patience);
            waited += patience;
        }
        let finished = threads.iter().all(JoinHandle::is_finished);
        self.orders.send_replace(Order::Stop);
        for thread in threads.into_iter().chain(self.upkeep.lock().take()) {
            let _ = thread.join();
        }
        finished
    }
}

impl<R: PluginRuntime> std::fmt::Debug for Proxy<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// The snapshot in use, and a number that tells whether it is still the one that somebody knows.
pub(crate) struct Published<R: PluginRuntime> {
    version: AtomicU64,
    snapshot: ArcSwap<Snapshot<R>>,
}

impl<R: PluginRuntime> Published<R> {
    fn new(snapshot: Snapshot<R>) -> Self {
        Self { version: AtomicU64::new(0), snapshot: ArcSwap::from_pointee(snapshot) }
    }

    fn publish(&self, snapshot: Snapshot<R>) {
        self.snapshot.store(Arc::new(snapshot));
        self.version.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The number is read first: whoever gets a newer snapshot with it only looks once more than needed.
    pub(crate) fn load(&self) -> (u64, Arc<Snapshot<R>>) {
        (self.version(), self.snapshot.load_full())
    }
}

/// A listening socket on its way to its worker.
struct Bound {
    socket: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    http2: bool,
}

/// Runs a worker on the current thread until it has ended.
fn serve<R: PluginRuntime>(
    worker: Worker<R>,
    sockets: Vec<Bound>,
    orders: watch::Receiver<Order>,
) -> io::Result<()> {
    let runtime = tokio::runtime::LocalRuntime::new()?;
    runtime.block_on(async {
        let listeners = sockets
            .into_iter()
            .map(|Bound { socket, tls, http2 }| {
                Ok(Listener { socket: TcpListener::from_std(socket)?, tls, http2 })
            })
            .collect::<io::Result<_>>()?;
        Rc::new(worker).run(listeners, orders).await;
        Ok(())
    })
}

/// A listening socket that other workers can open beside this one.
fn bind(listen: &ListenAddress) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(listen.address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&listen.address.into())?;
    socket.listen(i32::try_from(listen.backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}
