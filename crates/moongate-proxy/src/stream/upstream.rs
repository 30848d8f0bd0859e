//! The other end of a stream.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::HeaderValue;
use moongate_balancer::{Outcome, Pick};
use moongate_hooks::PluginRuntime;

use super::Destination;
use crate::access_log::StreamLogging;
use crate::balanced::Chosen;
use crate::connection::{connect, connect_to};
use crate::hash;
use crate::snapshot::Upstream;
use crate::tunnel::UpstreamStream;
use crate::worker::Worker;

/// A connection to an upstream.
pub(super) struct Opened {
    pub(super) stream: UpstreamStream,
    /// Counted as in use until the stream has ended.
    _pick: Option<Pick>,
}

impl<R: PluginRuntime> Worker<R> {
    /// Opens the connection that a stream goes on with, to other targets where that fails.
    pub(super) async fn open_stream(
        &self,
        destination: &Destination,
        source: SocketAddr,
        sni: Option<String>,
        logging: Option<&mut StreamLogging>,
    ) -> io::Result<Opened> {
        let result = self.try_to_open(destination, source, sni.as_deref()).await;
        if let (Err(_), Some(logging)) = (&result, logging) {
            logging.failed(502);
        }
        result
    }

    async fn try_to_open(
        &self,
        destination: &Destination,
        source: SocketAddr,
        sni: Option<&str>,
    ) -> io::Result<Opened> {
        let upstream = &*destination.upstream;
        let name = destination.name(sni);
        let mut chosen = self.choose_for_stream(upstream, source).await?;
        let mut tries_left = upstream.retries;
        loop {
            let begun = tokio::time::Instant::now();
            let opening = self.open_once(destination, chosen.as_deref(), name.as_ref());
            let timeout = Duration::from_millis(upstream.connect_timeout);
            let error = match tokio::time::timeout(timeout, opening).await {
                Ok(Ok(stream)) => {
                    let pick = chosen.map(|chosen| chosen.pick);
                    if let Some(pick) = &pick {
                        let now = tokio::time::Instant::now();
                        pick.took(now.duration_since(begun), self.shared.time(now));
                    }
                    return Ok(Opened { stream, _pick: pick });
                }
                Ok(Err(error)) => error,
                Err(elapsed) => elapsed.into(),
            };
            tracing::debug!(upstream = %upstream.authority, %error, "cannot connect");
            if tries_left == 0 {
                return Err(error);
            }
            tries_left -= 1;
            if let Some(chosen) = &mut chosen {
                chosen.report(match error.kind() {
                    io::ErrorKind::TimedOut => Outcome::TimedOut,
                    _ => Outcome::Failed,
                });
                self.choose_next(chosen).map_err(|_| error)?;
            }
        }
    }

    /// Chooses a target for a stream, where its upstream has targets.
    pub(super) async fn choose_for_stream(
        &self,
        upstream: &Upstream,
        source: SocketAddr,
    ) -> io::Result<Option<Box<Chosen>>> {
        let Some(balancer) = &upstream.balancer else { return Ok(None) };
        let hashed = hash::of_stream(balancer.settings(), source.ip().to_canonical());
        let chosen = self.choose(balancer, upstream, hashed).await;
        chosen.map(Some).map_err(|_| io::Error::other("failure to get a peer from the ring-balancer"))
    }

    async fn open_once(
        &self,
        destination: &Destination,
        chosen: Option<&Chosen>,
        name: Option<&HeaderValue>,
    ) -> io::Result<UpstreamStream> {
        let upstream = &*destination.upstream;
        let (stream, authority, own_name) = match chosen {
            None => {
                let (dns, random) = (&self.shared.dns, self.random() as usize);
                let addresses = dns.addresses(&upstream.host, upstream.port, random).await;
                let (stream, _) = connect(upstream, addresses.map_err(io::Error::other)?, dns).await?;
                (stream, &upstream.authority, &upstream.host_header)
            }
            Some(chosen) => {
                let pick = &chosen.pick;
                let stream = connect_to(pick.socket()).await?;
                (stream, pick.authority(), pick.host_header(upstream.default_port))
            }
        };
        let client = match &upstream.tls {
            Some(client) if !destination.passes_through => client,
            _ => return Ok(UpstreamStream::Left(stream)),
        };
        let secured = client.secure(authority, Some(name.unwrap_or(own_name)));
        let secured = secured.ok_or_else(|| io::Error::other("the upstream has no name for TLS"))?;
        let connector = self.shared.tls_clients.connector(secured.client).map_err(io::Error::other)?;
        let stream = connector.connect(secured.name, stream).await?;
        Ok(UpstreamStream::Right(Box::new(stream)))
    }
}
