//! The proxy as a whole: its listeners, its workers, and what they serve.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender};
use moongate_hooks::{Metrics, PluginRuntime};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::access_log::AccessLogs;
use crate::dns::Dns;
use crate::metrics;
use crate::options::ProxyOptions;
use crate::snapshot::Snapshot;
use crate::tls::{TlsClients, TlsListeners};
use crate::upkeep::{self, Shared};
use crate::worker::{Listener, Order, Serves, Worker, WorkerCounters};

/// Snapshots that may wait to be taken apart; each worker gives every one.
const MOST_OLD: usize = 8;

/// Running workers.
pub struct Proxy<R: PluginRuntime> {
    published: Arc<Published<R>>,
    /// What no worker uses any more, and nobody has taken apart yet.
    old: Receiver<Arc<Snapshot<R>>>,
    options: Arc<ProxyOptions>,
    addresses: Vec<SocketAddr>,
    orders: watch::Sender<Order>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    upkeep: Mutex<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
    counters: Vec<Arc<WorkerCounters>>,
    access_logs: AccessLogs,
    stream_addresses: Vec<SocketAddr>,
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
    /// The access log cannot be written.
    #[error("cannot write the access log")]
    AccessLog(#[source] io::Error),
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
        let (published, old) = Published::new(snapshot);
        let published = Arc::new(published);
        let speaks_tls = options.listen.iter().map(|listen| listen.tls);
        let tls = match speaks_tls.chain(options.stream_listen.iter().map(|listen| listen.tls)).any(|tls| tls)
        {
            true => Some(TlsListeners::new(&options.tls, &published).map_err(StartError::Tls)?),
            false => None,
        };
        let mut sockets: Vec<Sockets> = (0..options.workers).map(|_| Sockets::default()).collect();
        let mut addresses = Vec::with_capacity(options.listen.len());
        for listen in &options.listen {
            let tls = tls.as_ref().filter(|_| listen.tls).map(|tls| tls.acceptor(listen.http2));
            let serves = if listen.http2 { Serves::Http2 } else { Serves::Http1 };
            addresses.push(bind_all(&mut sockets, listen.address, |sockets, address| {
                let socket = bind(address, listen.backlog)?;
                let local = socket.local_addr()?;
                let (tls, proxy_protocol) = (tls.cloned(), listen.proxy_protocol);
                sockets.listeners.push(Bound { socket, serves, tls, proxy_protocol });
                Ok(local)
            })?);
        }
        let mut stream_addresses = Vec::with_capacity(options.stream_listen.len());
        for listen in &options.stream_listen {
            let tls = tls.as_ref().filter(|_| listen.tls).map(TlsListeners::stream_acceptor);
            stream_addresses.push(bind_all(&mut sockets, listen.address, |sockets, address| {
                if listen.udp {
                    let socket = bind_datagrams(address)?;
                    let local = socket.local_addr()?;
                    sockets.datagrams.push(socket);
                    return Ok(local);
                }
                let socket = bind(address, listen.backlog)?;
                let local = socket.local_addr()?;
                let (tls, proxy_protocol) = (tls.cloned(), listen.proxy_protocol);
                sockets.listeners.push(Bound { socket, serves: Serves::Streams, tls, proxy_protocol });
                Ok(local)
            })?);
        }

        let (requests, streams) = (options.access_log.as_ref(), options.stream_access_log.as_ref());
        let streams = streams.filter(|_| !options.stream_listen.is_empty());
        let access_logs = AccessLogs::start(requests, streams).map_err(StartError::AccessLog)?;
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
            let (shared, logs) = (Arc::clone(&shared), access_logs.clone());
            let orders = orders.subscribe();
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || {
                    let worker = Worker::new(number, runtime, options, published, counters, shared, &logs);
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
        // Ends with the last one who could give it something.
        let unused = old.clone();
        std::thread::Builder::new()
            .name("old-snapshots".to_owned())
            .spawn(move || {
                // Behind the workers: nobody waits for it.
                let _ = rustix::process::nice(10);
                unused.into_iter().for_each(Snapshot::let_go);
            })
            .map_err(StartError::Worker)?;
        let (threads, upkeep) = (Mutex::new(threads), Mutex::new(Some(upkeep)));
        Ok(Self {
            published,
            old,
            options,
            addresses,
            orders,
            threads,
            upkeep,
            shared,
            counters,
            access_logs,
            stream_addresses,
        })
    }

    /// Makes `next` what new requests are served from. Requests under way end on the snapshot that they began on.
    ///
    /// Never waits and never fails: everything that can fail happens while building a [`Snapshot`]. Whoever publishes faster than
    /// old snapshots are taken apart helps with it, so that no more than a few of them take memory.
    pub fn publish(&self, next: Snapshot<R>) {
        let now = self.shared.time(Instant::now());
        let before = self.shared.balancers.load();
        if !Arc::ptr_eq(&before, &next.balancers) {
            next.balancers.inherit(&before, now);
            self.shared.balancers.store(Arc::clone(&next.balancers));
        }
        self.published.publish(next);
        self.shared.dns.look();
        while self.old.len() > MOST_OLD {
            self.old.try_iter().take(1).for_each(Snapshot::let_go);
        }
    }

    /// How requests are served.
    pub fn options(&self) -> &ProxyOptions {
        &self.options
    }

    /// What new requests are served from.
    pub fn snapshot(&self) -> Arc<Snapshot<R>> {
        self.published.load().1
    }

    /// The addresses that clients can connect to, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The addresses that clients whose streams are carried can connect to, with the ports that the system chose.
    pub fn stream_addresses(&self) -> &[SocketAddr] {
        &self.stream_addresses
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

    /// What all workers measured.
    pub fn metrics(&self) -> Metrics {
        metrics::read(self.counters.iter().map(|counters| &**counters))
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
        self.access_logs.stop();
        finished
    }

    /// Begins the files of logs anew, for whoever has moved them away.
    pub fn reopen_logs(&self) {
        self.access_logs.reopen();
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
    /// Where workers give what they use no more.
    old: Sender<Arc<Snapshot<R>>>,
}

impl<R: PluginRuntime> Published<R> {
    /// Also gives the other end of where workers give what they use no more.
    pub(crate) fn new(snapshot: Snapshot<R>) -> (Self, Receiver<Arc<Snapshot<R>>>) {
        let (old, receiver) = crossbeam_channel::unbounded();
        (Self { version: AtomicU64::new(0), snapshot: ArcSwap::from_pointee(snapshot), old }, receiver)
    }

    /// Where a worker gives a snapshot that it uses no more.
    pub(crate) fn old(&self) -> Sender<Arc<Snapshot<R>>> {
        self.old.clone()
    }

    pub(crate) fn publish(&self, snapshot: Snapshot<R>) {
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

/// The sockets of a worker, on their way to it.
#[derive(Default)]
struct Sockets {
    listeners: Vec<Bound>,
    datagrams: Vec<std::net::UdpSocket>,
}

struct Bound {
    socket: std::net::TcpListener,
    serves: Serves,
    tls: Option<TlsAcceptor>,
    proxy_protocol: bool,
}

/// Runs a worker on the current thread until it has ended.
fn serve<R: PluginRuntime>(
    worker: Worker<R>,
    sockets: Sockets,
    orders: watch::Receiver<Order>,
) -> io::Result<()> {
    let runtime = tokio::runtime::LocalRuntime::new()?;
    runtime.block_on(async {
        let listeners = sockets
            .listeners
            .into_iter()
            .map(|Bound { socket, serves, tls, proxy_protocol }| {
                Ok(Listener { socket: TcpListener::from_std(socket)?, serves, tls, proxy_protocol })
            })
            .collect::<io::Result<_>>()?;
        let datagrams = sockets.datagrams.into_iter().map(UdpSocket::from_std).collect::<io::Result<_>>()?;
        Rc::new(worker).run(listeners, datagrams, orders).await;
        Ok(())
    })
}

/// Binds an address for each worker. The first socket's port is everybody's, also where the system chose it.
fn bind_all(
    workers: &mut [Sockets],
    mut address: SocketAddr,
    mut bind: impl FnMut(&mut Sockets, SocketAddr) -> io::Result<SocketAddr>,
) -> Result<SocketAddr, StartError> {
    for sockets in workers {
        address = bind(sockets, address).map_err(|source| StartError::Listen { address, source })?;
    }
    Ok(address)
}

/// A listening socket that other workers can open beside this one.
fn bind(address: SocketAddr, backlog: u32) -> io::Result<std::net::TcpListener> {
    let socket = shared_socket(address, Type::STREAM, Protocol::TCP)?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    Ok(socket.into())
}

/// A socket for datagrams that other workers can open beside this one. The system gives the datagrams of one client to one
/// of them.
fn bind_datagrams(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    Ok(shared_socket(address, Type::DGRAM, Protocol::UDP)?.into())
}

fn shared_socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
