//! Datagrams: what comes from one client's port is a stream of its own, for as long as something comes or goes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use moongate_balancer::Outcome;
use moongate_hooks::PluginRuntime;
use moongate_router::{StreamKind, StreamView};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Destination;
use crate::access_log::StreamLogging;
use crate::balanced::Chosen;
use crate::tunnel::Traffic;
use crate::worker::Worker;

/// Streams that a worker has at a time. Datagrams of more clients are dropped.
const MAX_STREAMS: usize = 8192;

/// Datagrams of one client that wait to be sent on. More are dropped.
const WAITING: usize = 64;

/// Longest datagram.
const LONGEST: usize = 64 * 1024;

/// A socket that datagrams are received from, and the streams that they belong to.
pub(crate) struct Datagrams {
    socket: UdpSocket,
    streams: RefCell<HashMap<SocketAddr, mpsc::Sender<Bytes>>>,
    /// Room for one datagram of any length, which all streams use in turn.
    room: RefCell<Vec<u8>>,
}

impl Datagrams {
    pub(crate) fn new(socket: UdpSocket) -> Rc<Self> {
        Rc::new(Self { socket, streams: RefCell::default(), room: RefCell::new(vec![0; LONGEST]) })
    }

    /// Receives until the task is aborted.
    pub(crate) async fn run<R: PluginRuntime>(self: Rc<Self>, worker: Rc<Worker<R>>) {
        loop {
            if let Err(error) = self.socket.readable().await {
                tracing::warn!(%error, "cannot receive datagrams");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
            let received = {
                let mut room = self.room.borrow_mut();
                self.socket.try_recv_from(&mut room).map(|(length, source)| {
                    (Bytes::copy_from_slice(room.get(..length).unwrap_or_default()), source)
                })
            };
            match received {
                Ok((datagram, source)) => self.deliver(&worker, datagram, source),
                // Also tells that a client did not want an answer, which is for nobody here.
                Err(error) => tracing::trace!(%error, "no datagram"),
            }
        }
    }

    fn deliver<R: PluginRuntime>(
        self: &Rc<Self>,
        worker: &Rc<Worker<R>>,
        datagram: Bytes,
        source: SocketAddr,
    ) {
        let mut streams = self.streams.borrow_mut();
        if let Some(stream) = streams.get(&source)
            && !stream.is_closed()
        {
            // Datagrams may be lost on any way.
            let _ = stream.try_send(datagram);
            return;
        }
        if streams.len() >= MAX_STREAMS {
            tracing::debug!(%source, "a datagram was dropped, there are too many clients");
            return;
        }
        let (sender, datagrams) = mpsc::channel(WAITING);
        let _ = sender.try_send(datagram);
        streams.insert(source, sender);
        let (all, worker) = (Rc::clone(self), Rc::clone(worker));
        tokio::task::spawn_local(async move {
            let mut logging = worker.stream_log.as_ref().map(StreamLogging::new);
            if let Some(logging) = &mut logging {
                logging.begin(source, "UDP");
            }
            let mut traffic = Traffic::default();
            let result = all.carry(&worker, source, datagrams, &mut traffic).await;
            if let Some(logging) = &mut logging {
                let status = match &result {
                    Ok(true) => 200,
                    Ok(false) => 503,
                    Err(_) => 502,
                };
                logging.ended(traffic, status);
            }
            if let Err(error) = result {
                tracing::debug!(%source, %error, "a stream of datagrams ended with an error");
            }
            all.streams.borrow_mut().remove(&source);
        });
    }

    /// Sends datagrams on and answers back until none came for some time. Says whether there was a route.
    async fn carry<R: PluginRuntime>(
        &self,
        worker: &Worker<R>,
        source: SocketAddr,
        mut datagrams: mpsc::Receiver<Bytes>,
        traffic: &mut Traffic,
    ) -> io::Result<bool> {
        let destination = self.socket.local_addr()?;
        let view = StreamView { kind: StreamKind::Udp, source, destination, sni: None };
        let Some(destination) = worker.find_stream(&view) else {
            tracing::debug!(%source, "no Route found with those values");
            return Ok(false);
        };
        let Opened { socket, chosen } = worker.open_datagrams(&destination, source).await?;
        let timeout = Duration::from_millis(destination.upstream.read_timeout);
        let result = self.exchange(&socket, source, &mut datagrams, timeout, traffic).await;
        if let (Err(_), Some(chosen)) = (&result, &chosen) {
            // Nobody listens there, most likely; the client's next datagram begins another stream.
            chosen.report(Outcome::Failed);
        }
        result.map(|()| true)
    }

    async fn exchange(
        &self,
        upstream: &UdpSocket,
        client: SocketAddr,
        datagrams: &mut mpsc::Receiver<Bytes>,
        timeout: Duration,
        traffic: &mut Traffic,
    ) -> io::Result<()> {
        let mut rest = std::pin::pin!(tokio::time::sleep(timeout));
        loop {
            tokio::select! {
                datagram = datagrams.recv() => {
                    let Some(datagram) = datagram else { return Ok(()) };
                    upstream.send(&datagram).await?;
                    traffic.to_upstream += datagram.len() as u64;
                }
                // An error by itself makes nothing readable.
                ready = upstream.ready(Interest::READABLE | Interest::ERROR) => {
                    if ready?.is_error()
                        && let Some(error) = upstream.take_error()?
                    {
                        return Err(error);
                    }
                    let answer = {
                        let mut room = self.room.borrow_mut();
                        upstream
                            .try_recv(&mut room)
                            .map(|length| Bytes::copy_from_slice(room.get(..length).unwrap_or_default()))
                    };
                    match answer {
                        Ok(answer) => {
                            self.socket.send_to(&answer, client).await?;
                            traffic.from_upstream += answer.len() as u64;
                        }
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                        Err(error) => return Err(error),
                    }
                }
                () = &mut rest => return Ok(()),
            }
            rest.as_mut().reset(Instant::now() + timeout);
        }
    }
}

/// A socket to an upstream.
struct Opened {
    socket: UdpSocket,
    chosen: Option<Box<Chosen>>,
}

impl<R: PluginRuntime> Worker<R> {
    async fn open_datagrams(&self, destination: &Destination, source: SocketAddr) -> io::Result<Opened> {
        let upstream = &destination.upstream;
        let chosen = self.choose_for_stream(upstream, source).await?;
        let address = match &chosen {
            Some(chosen) => chosen.pick.socket(),
            None => {
                let random = self.random() as usize;
                let addresses = self.shared.dns.addresses(&upstream.host, upstream.port, random).await;
                let first = addresses.map_err(io::Error::other)?.into_iter().next();
                first.ok_or_else(|| io::Error::other("name resolution failed"))?
            }
        };
        let any = if address.is_ipv4() {
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))
        } else {
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0))
        };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(address).await?;
        Ok(Opened { socket, chosen })
    }
}
