//! Requests on their way to an upstream: over a kept connection or a new one, and again where that is safe.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Method, StatusCode, request, response};
use http_body::Body;
use moongate_balancer::{Algorithm, Outcome};
use moongate_hooks::{Origin, PluginRuntime};
use tokio::time::Instant;

use crate::balanced::Chosen;
use crate::body::{RequestBody, Source, Timeouts};
use crate::connection::{Connection, connect_to, failure};
use crate::error::Failure;
use crate::forwarded::{BodyLength, Forwarding};
use crate::handler::Handler;
use crate::kept::{Kept, Replay};
use crate::received::Received;
use crate::snapshot::Upstream;
use crate::tls::Secured;
use crate::trailers;

/// A request for an upstream, and what is needed to send it again.
pub(crate) struct Outgoing<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) head: &'a request::Parts,
    pub(crate) forwarding: Forwarding<'a>,
    pub(crate) target: PathAndQuery,
    pub(crate) body: Source,
    /// Whether the Host header is the client's, not the target's.
    pub(crate) keeps_host: bool,
    pub(crate) now: Instant,
}

impl Outgoing<'_> {
    /// Writes the head as HTTP/1 has it.
    fn write(&self, length: BodyLength, text: &mut Vec<u8>) {
        for part in [self.head.method.as_str(), " ", self.target.as_str(), " HTTP/1.1\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
        self.forwarding.write(self.head, length, text);
        text.extend_from_slice(b"\r\n");
    }
}

impl<R: PluginRuntime> Handler<R> {
    /// The body to send: as it comes from the client, or whole where its length is not known or it may have to be sent
    /// again.
    ///
    /// # Errors
    /// When the rest of the body does not come.
    pub(crate) async fn body_for(
        &self,
        upstream: &Upstream,
        head: &request::Parts,
        body: Received,
    ) -> Result<Source, Failure> {
        let wanted = match body.size_hint().exact() {
            Some(0) => false,
            Some(_) => upstream.retries > 0 && is_idempotent(&head.method),
            None => !body.is_end_stream(),
        };
        if !wanted {
            return Ok(body.into());
        }
        let options = &self.worker.options;
        let patience = options.client_body_timeout;
        let announced = match body.size_hint().exact() {
            Some(_) => Box::default(),
            None => trailers::announced(&head.headers),
        };
        let directory = &options.body_directory;
        let kept = Kept::read(body, &announced, &self.deadline, patience, directory).await?;
        Ok(Source::Kept(Replay::new(Rc::new(kept))))
    }

    /// Sends a request to its upstream, to other targets where that fails and is safe, and waits for the head of its
    /// response.
    pub(crate) async fn send(
        &self,
        mut outgoing: Outgoing<'_>,
        mut chosen: Option<&mut Chosen>,
    ) -> Result<(response::Parts, Box<Connection>), Failure> {
        let (upstream, now) = (outgoing.upstream, outgoing.now);
        let timeouts = self.timeouts(upstream);
        let source = std::mem::replace(&mut outgoing.body, Source::Nothing);
        let body = RequestBody::new(source, &outgoing.head.headers, &self.deadline, timeouts);
        let wait = if body.is_empty() { timeouts.read } else { timeouts.write };
        let length = body.length();
        let is_idempotent = is_idempotent(&outgoing.head.method);
        let measures = chosen.as_ref().is_some_and(|chosen| chosen.algorithm() == Algorithm::Latency);
        let mut body = Some(body);
        let mut tries_left = upstream.retries;
        loop {
            let begun = measures.then(Instant::now);
            let authority = chosen.as_ref().map_or(&upstream.authority, |chosen| chosen.pick.authority());
            let secured = match &upstream.tls {
                Some(client) => {
                    let host = Some(&outgoing.forwarding.host);
                    Some(client.secure(authority, host).ok_or(Failure::BadGateway)?)
                }
                None => None,
            };
            let pool = secured.as_ref().map_or(authority, |secured| &secured.pool);
            let mut pooled = self.worker.pool.take(pool, now);
            if chosen.is_none()
                && let Some(old) = &mut pooled
                && !old.is_current(upstream, &self.worker.shared.dns, now).await
            {
                continue;
            }
            let is_new = pooled.is_none();
            let connection = match pooled {
                Some(connection) => Ok(connection),
                // In a box, so that requests over kept connections do not carry what it needs.
                None => Box::pin(self.connect(upstream, chosen.as_deref(), secured.as_ref())).await,
            };
            let failure = match connection {
                // Another try would end the same way.
                Err(failure) if failure.origin() == Origin::Gateway => return Err(failure),
                Err(failure) => failure,
                Ok(mut connection) => {
                    let Some(sending) = body.take() else { return Err(Failure::BadGateway) };
                    self.worker.gather().await;
                    let is_head = outgoing.head.method == Method::HEAD;
                    connection.http.begin(sending, length, is_head, |text| outgoing.write(length, text));
                    self.deadline.set_unanswered(true);
                    self.deadline.wait(self.worker.clock.now(), wait);
                    let answer = std::future::poll_fn(|cx| match connection.http.poll_head(cx) {
                        Poll::Ready(answer) => Poll::Ready(Some(answer)),
                        Poll::Pending => {
                            self.deadline.wake(cx.waker());
                            if self.deadline.has_passed() { Poll::Ready(None) } else { Poll::Pending }
                        }
                    })
                    .await;
                    self.deadline.set_unanswered(false);
                    let failure = match answer {
                        Some(Ok(head)) => {
                            self.report_answer(chosen, head.status, begun);
                            return Ok((head, connection));
                        }
                        Some(Err(error)) => {
                            tracing::debug!(upstream = %pool, %error, "no response");
                            Failure::BadGateway
                        }
                        None if self.deadline.has_waited_for_client() => return Err(Failure::RequestTimeout),
                        None => Failure::GatewayTimeout,
                    };
                    let unanswered = connection.http.give_up();
                    if let Some(failure) = self.deadline.clients_fault() {
                        return Err(failure);
                    }
                    body = match unanswered.is_begun {
                        // The upstream has seen nothing of it.
                        false => unanswered.body,
                        true if is_idempotent => unanswered.body.and_then(|body| body.again()),
                        true => None,
                    };
                    if failure == Failure::BadGateway && !is_new && body.is_some() {
                        // A connection that was kept had been closed meanwhile, which says nothing about the upstream.
                        continue;
                    }
                    failure
                }
            };
            let may_repeat = body.is_some();
            self.try_again(&mut outgoing, &mut chosen, failure, &mut tries_left, may_repeat)?;
        }
    }

    /// Tells the balancer of an answer, and for how long it was waited if that was measured.
    pub(crate) fn report_answer(
        &self,
        chosen: Option<&mut Chosen>,
        status: StatusCode,
        begun: Option<Instant>,
    ) {
        let Some(chosen) = chosen else { return };
        if let Some(begun) = begun {
            let now = Instant::now();
            chosen.pick.took(now.duration_since(begun), self.worker.shared.time(now));
        }
        chosen.report(Outcome::Status(status.as_u16()));
    }

    /// Tells the balancer of a failure, and chooses where the request is sent next.
    ///
    /// # Errors
    /// The failure, where there is no other try.
    pub(crate) fn try_again(
        &self,
        outgoing: &mut Outgoing<'_>,
        chosen: &mut Option<&mut Chosen>,
        failure: Failure,
        tries_left: &mut u16,
        may_repeat: bool,
    ) -> Result<(), Failure> {
        let is_last = *tries_left == 0 || !may_repeat;
        if let Some(chosen) = chosen {
            chosen.report(match failure {
                Failure::GatewayTimeout => Outcome::TimedOut,
                _ if is_last => Outcome::Status(failure.status().as_u16()),
                _ => Outcome::Failed,
            });
        }
        if is_last {
            return Err(failure);
        }
        *tries_left -= 1;
        if let Some(chosen) = chosen {
            // The client learns why the last try failed, not that there is nobody left.
            self.worker.choose_next(chosen).map_err(|_| failure)?;
            if !outgoing.keeps_host {
                let default_port = outgoing.upstream.default_port;
                outgoing.forwarding.host = chosen.pick.host_header(default_port).clone();
            }
        }
        Ok(())
    }

    /// How long a request to `upstream` may make no progress.
    pub(crate) fn timeouts(&self, upstream: &Upstream) -> Timeouts {
        Timeouts {
            client: self.worker.options.client_body_timeout,
            write: Duration::from_millis(upstream.write_timeout),
            read: Duration::from_millis(upstream.read_timeout),
        }
    }

    async fn connect(
        &self,
        upstream: &Upstream,
        chosen: Option<&Chosen>,
        secured: Option<&Secured<'_>>,
    ) -> Result<Box<Connection>, Failure> {
        let clients = &self.worker.shared.tls_clients;
        let addresses = match chosen {
            Some(_) => Vec::new(),
            None => self.addresses(upstream).await?,
        };
        let opening = async {
            let Some(chosen) = chosen else {
                return Connection::open(upstream, addresses, &self.worker.shared.dns, secured, clients)
                    .await;
            };
            let stream = connect_to(chosen.pick.socket()).await?;
            match secured {
                None => Ok(Connection::plain(stream)),
                Some(secured) => Connection::secured(stream, secured, clients).await,
            }
        };
        let timeout = Duration::from_millis(upstream.connect_timeout);
        let (failure, error) = match tokio::time::timeout(timeout, opening).await {
            Ok(Ok(connection)) => return Ok(Box::new(connection)),
            Ok(Err(error)) => (failure(&error), error),
            Err(elapsed) => (Failure::GatewayTimeout, elapsed.into()),
        };
        let authority: &Arc<str> = chosen.map_or(&upstream.authority, |chosen| chosen.pick.authority());
        match failure {
            Failure::Internal => tracing::error!(upstream = %authority, %error, "cannot connect"),
            _ => tracing::debug!(upstream = %authority, %error, "cannot connect"),
        }
        Err(failure)
    }

    /// The addresses of an upstream without targets. Name servers have a patience of their own.
    pub(crate) async fn addresses(&self, upstream: &Upstream) -> Result<Vec<SocketAddr>, Failure> {
        let random = self.worker.random() as usize;
        let addresses = self.worker.shared.dns.addresses(&upstream.host, upstream.port, random).await;
        addresses.map_err(|error| {
            tracing::debug!(host = %upstream.host, %error, "no address");
            error.into()
        })
    }
}

/// Whether sending a request twice does no more than sending it once.
fn is_idempotent(method: &Method) -> bool {
    !matches!(method.as_str(), "POST" | "PATCH" | "LOCK" | "CONNECT")
}
