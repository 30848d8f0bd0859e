//! Requests to upstreams that have targets.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderValue, Response, header, request};
use hyper::body::Incoming;
use moongate_balancer::{AddressId, Algorithm, Balancer, NoPeer, Outcome, Pick, Request as Wanted};
use moongate_hooks::{Exchange, PluginRuntime};
use moongate_router::Captures;
use smallvec::SmallVec;
use tokio::time::Instant;

use crate::body::RequestBody;
use crate::connection::{Connection, connect_to};
use crate::error::Failure;
use crate::handler::{DOUBTFUL_AFTER, Handler, is_idempotent, outgoing};
use crate::hash;
use crate::probe;
use crate::snapshot::Upstream;
use crate::tls::Secured;

/// How long a request waits for names that were not resolved before, although there are other targets: long
/// enough for a name server nearby, so that a new target takes its part from the start.
const PATIENCE: Duration = Duration::from_millis(100);

/// The target that a request goes to, and what is needed to choose another.
pub(crate) struct Chosen {
    pub(crate) pick: Pick,
    /// The cookie that leads the client to the same target the next time.
    pub(crate) cookie: Option<HeaderValue>,
    balancer: Arc<Balancer>,
    hash: Option<u32>,
    tried: SmallVec<[AddressId; 4]>,
}

/// Where a request goes to.
pub(crate) struct Balanced<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) chosen: &'a mut Chosen,
    /// Whether the Host header is the client's, not the target's.
    pub(crate) keeps_host: bool,
}

impl Chosen {
    /// Takes note of how a try ended.
    fn report(&self, outcome: Outcome) {
        if let Some(change) = self.balancer.report(&self.pick, outcome) {
            probe::log(&change);
        }
    }
}

impl<R: PluginRuntime> Handler<R> {
    /// Chooses the first target for a request.
    pub(crate) async fn choose(
        &self,
        balancer: &Arc<Balancer>,
        upstream: &Upstream,
        exchange: &Exchange,
        captures: Option<&Captures>,
    ) -> Result<Box<Chosen>, Failure> {
        let settings = balancer.settings();
        let hashed = match settings.algorithm {
            Algorithm::ConsistentHashing => hash::of(settings, exchange, captures, || self.worker.random()),
            _ => hash::Hashed::default(),
        };
        if balancer.is_pending() {
            // Boxed, as it is rarely needed and would make every request larger.
            Box::pin(self.settle(balancer, PATIENCE)).await;
        }
        let pick = match self.pick(balancer, hashed.hash, &[]) {
            Err(NoPeer::Pending) => {
                let patience = Duration::from_millis(upstream.connect_timeout);
                Box::pin(self.settle(balancer, patience)).await;
                self.pick(balancer, hashed.hash, &[])
            }
            pick => pick,
        };
        Ok(Box::new(Chosen {
            pick: pick.map_err(|_| Failure::NoPeer)?,
            cookie: hashed.cookie,
            balancer: Arc::clone(balancer),
            hash: hashed.hash,
            tried: SmallVec::new(),
        }))
    }

    /// Waits until the names of all targets were resolved, or could not be.
    async fn settle(&self, balancer: &Balancer, patience: Duration) {
        let mut resolved = self.worker.shared.resolved();
        self.worker.shared.dns.look();
        let settled = async { while balancer.is_pending() && resolved.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(patience, settled).await;
    }

    fn pick(&self, balancer: &Balancer, hash: Option<u32>, tried: &[AddressId]) -> Result<Pick, NoPeer> {
        let latency = balancer.settings().algorithm == Algorithm::Latency;
        balancer.pick(&Wanted {
            hash,
            tried,
            now: self.worker.shared.time(self.worker.clock.now()),
            random: if latency { self.worker.random() as u64 } else { 0 },
        })
    }

    /// Sends a request to its target, and to others where that fails and is safe.
    pub(crate) async fn send_balanced(
        &self,
        to: Balanced<'_>,
        head: &mut request::Parts,
        target: PathAndQuery,
        body: Incoming,
        now: Instant,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        let Balanced { upstream, chosen, keeps_host } = to;
        let (write, read) =
            (Duration::from_millis(upstream.write_timeout), Duration::from_millis(upstream.read_timeout));
        let body = RequestBody::new(body, &self.deadline, write, read);
        let repeatable = body.is_empty() && is_idempotent(&head.method);
        let wait = if body.is_empty() { read } else { write };
        let measures = chosen.balancer.settings().algorithm == Algorithm::Latency;
        let mut request = Some(outgoing(head, target, body));
        let mut tries_left = upstream.retries;
        loop {
            let begun = measures.then(Instant::now);
            let secured = match (&upstream.tls, &request) {
                (Some(client), Some(request)) => {
                    let host = request.headers().get(header::HOST);
                    Some(client.secure(chosen.pick.authority(), host).ok_or(Failure::BadGateway)?)
                }
                _ => None,
            };
            let pool = secured.as_ref().map_or(chosen.pick.authority(), |secured| &secured.pool);
            let pooled = self.worker.pool.take(pool, now);
            let is_new = pooled.is_none();
            let connection = match pooled {
                Some(connection) => Ok(connection),
                None => self.connect_to_target(upstream, &chosen.pick, secured.as_ref()).await,
            };
            let failure = match connection {
                Err(failure) => failure,
                Ok(mut connection) => {
                    let Some(sending) = request.take() else { return Err(Failure::BadGateway) };
                    let doubtful = !is_new && now.duration_since(connection.idle_since) >= DOUBTFUL_AFTER;
                    let spare =
                        (repeatable && (doubtful || tries_left > 0)).then(|| self.copy(&sending, read));
                    self.deadline.wait(self.worker.clock.now(), wait);
                    let answer = connection
                        .send(sending, |cx| {
                            self.deadline.wake(cx.waker());
                            !self.deadline.has_passed()
                        })
                        .await;
                    let failure = match answer {
                        Some(Ok(response)) => {
                            if let Some(begun) = begun {
                                let now = Instant::now();
                                chosen.pick.took(now.duration_since(begun), self.worker.shared.time(now));
                            }
                            chosen.report(Outcome::Status(response.status().as_u16()));
                            return Ok((response, connection));
                        }
                        Some(Err(mut error)) => {
                            request = error.take_message().or(spare);
                            tracing::debug!(
                                address = %chosen.pick.authority(), error = %error.error(), "no response"
                            );
                            Failure::BadGateway
                        }
                        None => {
                            request = spare;
                            Failure::GatewayTimeout
                        }
                    };
                    if self.deadline.is_clients_fault() {
                        return Err(Failure::BadRequest);
                    }
                    if failure == Failure::BadGateway && !is_new && request.is_some() {
                        // The target had closed a connection that was kept, which says nothing about it.
                        continue;
                    }
                    failure
                }
            };
            if tries_left == 0 || request.is_none() {
                chosen.report(match failure {
                    Failure::GatewayTimeout => Outcome::TimedOut,
                    _ => Outcome::Status(failure.status().as_u16()),
                });
                return Err(failure);
            }
            tries_left -= 1;
            chosen.report(match failure {
                Failure::GatewayTimeout => Outcome::TimedOut,
                _ => Outcome::Failed,
            });
            chosen.tried.push(chosen.pick.id());
            let next = self.pick(&chosen.balancer, chosen.hash, &chosen.tried);
            // The client learns why the last try failed, not that there is nobody left.
            chosen.pick = next.map_err(|_| failure)?;
            if let Some(request) = &mut request
                && !keeps_host
            {
                let host = chosen.pick.host_header(upstream.default_port);
                request.headers_mut().insert(header::HOST, host.clone());
            }
        }
    }

    async fn connect_to_target(
        &self,
        upstream: &Upstream,
        pick: &Pick,
        secured: Option<&Secured<'_>>,
    ) -> Result<Connection, Failure> {
        let opening = async {
            let stream = connect_to(pick.socket()).await?;
            match secured {
                None => Connection::plain(stream).await,
                Some(secured) => Connection::secured(stream, secured, &self.worker.shared.tls_clients).await,
            }
        };
        let timeout = Duration::from_millis(upstream.connect_timeout);
        let (failure, error) = match tokio::time::timeout(timeout, opening).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(error)) => (Failure::BadGateway, error),
            Err(elapsed) => (Failure::GatewayTimeout, elapsed.into()),
        };
        tracing::debug!(address = %pick.authority(), %error, "cannot connect");
        Err(failure)
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::gateway::declared;
