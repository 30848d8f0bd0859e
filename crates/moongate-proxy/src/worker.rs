//! One thread with its own event loop, listeners, connections and plugin instances.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use crossbeam_channel::Sender;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use moongate_hooks::PluginRuntime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::access_log::{AccessLogs, LogBuffer, LogEntry};
use crate::client::{ClientStream, Guard};
use crate::deadline::{Clock, Deadline, Deadlines, LOOK};
use crate::forwarded::Peer;
use crate::handler::Handler;
use crate::metrics::Measured;
use crate::options::ProxyOptions;
use crate::pool::Pool;
use crate::proxy::Published;
use crate::proxy_protocol;
use crate::snapshot::Snapshot;
use crate::stream::{Accepted, Datagrams, within};
use crate::tls::handshake;
use crate::unreadable::Explain;
use crate::upkeep::Shared;

/// Up to so many requests at a time are sent on as they come.
const ONE_BY_ONE: u32 = 4;

/// While a worker drains, a connection without a request stays open so long: the client's next request may be on
/// its way already, and closing the connection would lose it.
const LINGER: Duration = Duration::from_millis(500);

/// Bytes that are buffered for each direction of a connection: enough to stream at full speed, little enough for
/// thousands of connections.
pub(crate) const BUFFER: usize = 64 * 1024;

/// A worker's state, used by its thread alone.
pub(crate) struct Worker<R: PluginRuntime> {
    /// Position among the workers.
    pub(crate) number: usize,
    pub(crate) runtime: Arc<R>,
    pub(crate) options: Arc<ProxyOptions>,
    pub(crate) pool: Rc<Pool>,
    pub(crate) counters: Arc<WorkerCounters>,
    pub(crate) shared: Arc<Shared>,
    published: Arc<Published<R>>,
    /// The snapshot in use, and its number.
    snapshot: RefCell<(u64, Rc<Held<R>>)>,
    /// Where snapshots go that are used no more.
    old: Sender<Arc<Snapshot<R>>>,
    deadlines: Deadlines,
    pub(crate) clock: Rc<Clock>,
    pub(crate) log: Option<Rc<LogBuffer>>,
    pub(crate) stream_log: Option<Rc<LogBuffer>>,
    draining: Cell<bool>,
    /// Requests that are being handled.
    handled: Cell<u32>,
    random: RefCell<fastrand::Rng>,
}

/// A snapshot as a worker holds it: its requests share it by a count that no other thread touches.
pub(crate) struct Held<R: PluginRuntime> {
    snapshot: Arc<Snapshot<R>>,
    old: Sender<Arc<Snapshot<R>>>,
}

impl<R: PluginRuntime> std::ops::Deref for Held<R> {
    type Target = Snapshot<R>;

    fn deref(&self) -> &Snapshot<R> {
        &self.snapshot
    }
}

impl<R: PluginRuntime> Drop for Held<R> {
    fn drop(&mut self) {
        // To take thousands of routes apart would keep requests waiting.
        let _ = self.old.send(Arc::clone(&self.snapshot));
    }
}

/// A request is being handled.
pub(crate) struct Handling<'w>(&'w Cell<u32>);

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Where a worker accepts connections.
pub(crate) struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) serves: Serves,
    /// Where clients speak TLS.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether a load balancer tells about each client first.
    pub(crate) proxy_protocol: bool,
}

/// What connections of a listener carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    Http1,
    /// HTTP/2 or HTTP/1, as the client likes.
    Http2,
    Streams,
}

/// What a worker has counted; written by its thread alone.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct WorkerCounters {
    pub(crate) accepted: AtomicU64,
    pub(crate) active: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) measured: Measured,
}

impl WorkerCounters {
    pub(crate) fn request(&self) {
        // One writer, so no read-modify-write is needed.
        self.requests.store(self.requests.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// What a worker is told: go on, finish, or end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Serve,
    Drain,
    Stop,
}

impl<R: PluginRuntime> Worker<R> {
    pub(crate) fn new(
        number: usize,
        runtime: Arc<R>,
        options: Arc<ProxyOptions>,
        published: Arc<Published<R>>,
        counters: Arc<WorkerCounters>,
        shared: Arc<Shared>,
        logs: &AccessLogs,
    ) -> Self {
        let (version, snapshot) = published.load();
        let old = published.old();
        Self {
            number,
            runtime,
            pool: Rc::new(Pool::new(options.keepalive_pool_size, options.keepalive_idle_timeout)),
            options,
            counters,
            shared,
            published,
            snapshot: RefCell::new((version, Rc::new(Held { snapshot, old: old.clone() }))),
            old,
            deadlines: Deadlines::default(),
            clock: Rc::new(Clock::new()),
            log: logs.requests.clone().map(LogBuffer::new),
            stream_log: logs.streams.clone().map(LogBuffer::new),
            draining: Cell::new(false),
            handled: Cell::new(0),
            random: RefCell::new(fastrand::Rng::new()),
        }
    }

    /// The snapshot to serve a request from.
    pub(crate) fn snapshot(&self) -> Rc<Held<R>> {
        let mut known = self.snapshot.borrow_mut();
        if known.0 != self.published.version() {
            #[cfg(test)]
            let _measured = tests::Takeover::begin();
            let (version, snapshot) = self.published.load();
            *known = (version, Rc::new(Held { snapshot, old: self.old.clone() }));
        }
        Rc::clone(&known.1)
    }

    /// A deadline that the worker looks at.
    pub(crate) fn register_deadline(&self) -> Rc<Deadline> {
        self.deadlines.register()
    }

    /// Takes note that a request is being handled, until the answer is dropped.
    pub(crate) fn handling(&self) -> Handling<'_> {
        self.handled.set(self.handled.get() + 1);
        Handling(&self.handled)
    }

    /// Lets whatever is ready go on before something is sent, where several requests are being handled: what is sent in
    /// one go wakes its receiver once, and waking somebody costs the kernel as much as a good part of a request.
    pub(crate) async fn gather(&self) {
        if self.handled.get() > ONE_BY_ONE {
            tokio::task::yield_now().await;
        }
    }

    /// A new id for a request.
    pub(crate) fn request_id(&self) -> u128 {
        self.random()
    }

    /// A random number; not a secret one.
    pub(crate) fn random(&self) -> u128 {
        self.random.borrow_mut().u128(..)
    }

    /// Whether connections are to be closed after their current request.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.get()
    }

    /// Serves until it is told to drain, and then until the last connection has ended.
    pub(crate) async fn run(
        self: Rc<Self>,
        listeners: Vec<Listener>,
        datagrams: Vec<UdpSocket>,
        mut orders: watch::Receiver<Order>,
    ) {
        let open = Rc::new(Cell::new(0_usize));
        let housekeeping = tokio::task::spawn_local(Rc::clone(&self).keep_house());
        let receiving: Vec<_> = datagrams
            .into_iter()
            .map(|socket| tokio::task::spawn_local(Datagrams::new(socket).run(Rc::clone(&self))))
            .collect();
        let mut accepting: Vec<_> = listeners
            .into_iter()
            .map(|listener| {
                tokio::task::spawn_local(Rc::clone(&self).accept(listener, Rc::clone(&open), orders.clone()))
            })
            .collect();
        let _ = orders.wait_for(|order| *order != Order::Serve).await;
        self.draining.set(true);
        self.deadlines.shorten_rest(Instant::now(), LINGER);
        // The last connections are accepted within the time that they would be kept for.
        let _ = tokio::time::timeout(LINGER, async {
            for task in &mut accepting {
                let _ = task.await;
            }
        })
        .await;
        for task in accepting {
            task.abort();
        }
        for task in receiving {
            task.abort();
        }
        while open.get() > 0 && *orders.borrow() != Order::Stop {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        housekeeping.abort();
    }

    async fn keep_house(self: Rc<Self>) {
        let mut looks = 0_u32;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.clock.look();
            if self.is_draining() {
                self.deadlines.shorten_rest(now, LINGER);
            }
            self.deadlines.look(now);
            for log in self.log.iter().chain(&self.stream_log) {
                log.look();
            }
            looks = looks.wrapping_add(1);
            if looks.is_multiple_of(20) {
                self.pool.sweep(now);
                // An idle worker must not keep an old snapshot, and the plugins in it, alive.
                drop(self.snapshot());
            }
        }
    }

    async fn accept(
        self: Rc<Self>,
        listener: Listener,
        open: Rc<Cell<usize>>,
        mut orders: watch::Receiver<Order>,
    ) {
        let Ok(local) = listener.socket.local_addr() else { return };
        let mut told = pin!(orders.wait_for(|order| *order != Order::Serve));
        loop {
            let accepted = std::future::poll_fn(|cx| {
                // Connections that wait to be accepted come before the order to stop: their clients would
                // otherwise see them reset.
                match listener.socket.poll_accept(cx) {
                    Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                    Poll::Pending => told.as_mut().poll(cx).map(|_| None),
                }
            })
            .await;
            match accepted {
                Some(Ok((stream, address))) => self.spawn(stream, address, local, &listener, &open),
                Some(Err(_)) if self.is_draining() => return,
                Some(Err(error)) => {
                    // Out of descriptors, most likely; the next connection that ends frees one.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                None => return,
            }
        }
    }

    fn spawn(
        self: &Rc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        local: SocketAddr,
        listener: &Listener,
        open: &Rc<Cell<usize>>,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was accepted");
            return;
        }
        let counted = OpenConnection::new(open, &self.counters);
        let deadline = self.deadlines.register();
        let guard = Rc::new(Guard::new(&deadline, self.options.max_header_size));
        let now = Instant::now();
        deadline.rest(now, if self.is_draining() { LINGER } else { self.options.client_header_timeout });
        if listener.serves == Serves::Streams {
            let (tls, proxy_protocol) = (listener.tls.clone(), listener.proxy_protocol);
            let accepted = Accepted { stream, address, tls, proxy_protocol, deadline };
            let worker = Rc::clone(self);
            tokio::task::spawn_local(async move {
                let _counted = counted;
                worker.serve_stream(accepted).await;
            });
            return;
        }
        let peer = Peer::new(address, local, &self.options);
        let log = self.log.as_ref().map(|buffer| LogEntry::new(buffer, peer.text().clone()));
        let handler = Handler { worker: Rc::clone(self), peer, deadline, guard, log, left: Cell::default() };
        // Several tasks, so that plain connections do not carry what only others need.
        match &listener.tls {
            None if !listener.proxy_protocol && listener.serves == Serves::Http1 => {
                tokio::task::spawn_local(async move {
                    let _counted = counted;
                    handler.serve_http1(stream).await;
                });
            }
            tls => {
                let (tls, serves, proxied) = (tls.clone(), listener.serves, listener.proxy_protocol);
                tokio::task::spawn_local(async move {
                    let _counted = counted;
                    handler.serve(stream, tls, serves, proxied).await;
                });
            }
        }
    }
}

impl<R: PluginRuntime> Handler<R> {
    /// Finds out what a connection speaks, and serves it until it ends.
    async fn serve(
        mut self,
        mut stream: TcpStream,
        tls: Option<TlsAcceptor>,
        serves: Serves,
        is_proxied: bool,
    ) {
        let address = self.peer.address;
        if is_proxied {
            let told = within(&self.deadline, proxy_protocol::receive(&mut stream)).await;
            match told.and_then(|told| told) {
                Ok(client) => self.peer.proxied = client.map(|client| client.ip().to_canonical()),
                Err(error) => {
                    tracing::debug!(%address, %error, "a connection did not begin with the PROXY protocol");
                    return;
                }
            }
        }
        match tls {
            None if serves == Serves::Http2 && self.begins_with_http2(&stream).await => {
                self.serve_http2(stream).await;
            }
            None => self.serve_http1(stream).await,
            Some(acceptor) => match handshake(acceptor, stream, &self.deadline, &self.guard).await {
                Ok((stream, session)) => {
                    let http2 = session.http2;
                    self.peer.tls = Some(Rc::new(session));
                    match http2 {
                        true => self.serve_http2(stream).await,
                        false => self.serve_http1(stream).await,
                    }
                }
                Err(error) => tracing::debug!(%address, %error, "a TLS handshake failed"),
            },
        }
    }

    /// Serves HTTP/1 on a connection until it ends.
    async fn serve_http1<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) {
        let max_head = self.worker.options.max_header_size;
        let (address, deadline, guard) =
            (self.peer.address, Rc::clone(&self.deadline), Rc::clone(&self.guard));
        let explain: Rc<dyn Explain> = Rc::clone(&self.worker) as Rc<dyn Explain>;
        let log = self.log.clone();
        let handler = Rc::new(self);
        let service = {
            let handler = Rc::clone(&handler);
            service_fn(move |request| Rc::clone(&handler).handle(request))
        };
        let mut connection = Builder::new()
            // A client that closes its side is gone, and so is the reason to go on with its request.
            .half_close(false)
            .max_header_size(max_head)
            .allow_multiple_spaces_in_request_line_delimiters(true)
            .max_buf_size(BUFFER.max(max_head))
            .serve_connection(
                TokioIo::new(ClientStream::new(stream, Rc::clone(&guard), explain, log)),
                service,
            );
        let mut result = std::future::poll_fn(|cx| {
            let result = Pin::new(&mut connection).poll(cx);
            if result.is_pending() {
                deadline.wake(cx.waker());
                if guard.has_waited_too_long() {
                    return Poll::Ready(Ok(()));
                }
            }
            result
        })
        .await
        .map_err(io::Error::other);
        if let Some(left) = handler.left.take() {
            let parts = connection.into_parts();
            // In a box, so that connections that stay with HTTP do not carry what it needs.
            result = Box::pin(left.run(parts.io.into_inner(), parts.read_buf, &deadline)).await;
        }
        if let Err(error) = result {
            tracing::debug!(%address, %error, "a connection ended with an error");
        }
    }
}

/// Counts a connection for as long as it is open.
struct OpenConnection {
    open: Rc<Cell<usize>>,
    counters: Arc<WorkerCounters>,
}

impl OpenConnection {
    fn new(open: &Rc<Cell<usize>>, counters: &Arc<WorkerCounters>) -> Self {
        open.set(open.get() + 1);
        counters.accepted.fetch_add(1, Ordering::Relaxed);
        counters.active.fetch_add(1, Ordering::Relaxed);
        Self { open: Rc::clone(open), counters: Arc::clone(counters) }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
        self.counters.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
