//! Requests to upstreams over HTTP/2, which gRPC services speak.
//!
//! One connection serves many requests at a time, so it belongs to none of them: it has a task of its own, and requests share
//! the handle to send with.

use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response, Uri, Version, header};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use moongate_balancer::{Algorithm, Pick};
use moongate_hooks::{Origin, PluginRuntime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::balanced::Chosen;
use crate::body::{BodyError, RequestBody, Source};
use crate::connection::{connect, connect_to, failure};
use crate::deadline::{Clock, Deadline};
use crate::error::Failure;
use crate::forwarded::BodyLength;
use crate::handler::Handler;
use crate::http2::Local;
use crate::send::Outgoing;
use crate::snapshot::Upstream;
use crate::tls::Secured;

/// The handle to send requests with over a connection that is shared.
pub(crate) type Sender = SendRequest<RequestBody>;

/// The body of a response that came over a shared connection.
pub(crate) struct SharedBody {
    pub(crate) incoming: Incoming,
    pub(crate) authority: Arc<str>,
    /// The request's.
    pub(crate) id: u128,
    pub(crate) deadline: Rc<Deadline>,
    pub(crate) clock: Rc<Clock>,
    pub(crate) read_timeout: Duration,
    /// How long the client may then take to send another request.
    pub(crate) idle_timeout: Duration,
    /// Counted as under way until the body has ended.
    pub(crate) _pick: Option<Pick>,
}

impl<R: PluginRuntime> Handler<R> {
    /// Sends a request over a shared connection, a new one if need be, to other targets where that fails and is safe, and waits
    /// for the head of its response.
    ///
    /// Bodies are passed on as they come, so a request of which something was sent is not sent again.
    pub(crate) async fn send_http2(
        &self,
        mut outgoing: Outgoing<'_>,
        mut chosen: Option<&mut Chosen>,
    ) -> Result<Response<Incoming>, Failure> {
        let upstream = outgoing.upstream;
        let timeouts = self.timeouts(upstream);
        let source = std::mem::replace(&mut outgoing.body, Source::Nothing);
        let body = RequestBody::new(source, &outgoing.head.headers, &self.deadline, timeouts);
        let wait = if body.is_empty() { timeouts.read } else { timeouts.write };
        let length = body.length();
        let measures = chosen.as_ref().is_some_and(|chosen| chosen.algorithm() == Algorithm::Latency);
        let mut body = Some(body);
        let mut tries_left = upstream.retries;
        loop {
            let begun = measures.then(Instant::now);
            let authority = chosen.as_ref().map_or(&upstream.authority, |chosen| chosen.pick.authority());
            let secured = match &upstream.tls {
                None => None,
                Some(client) => {
                    let host = Some(&outgoing.forwarding.host);
                    Some(client.secure(authority, host).ok_or(Failure::BadGateway)?)
                }
            };
            let pool = secured.as_ref().map_or(authority, |secured| &secured.pool);
            let known = self.worker.pool.shared(pool);
            let is_new = known.is_none();
            let opened = match known {
                Some(sender) => Ok(sender),
                None => self.open_http2(upstream, chosen.as_deref(), secured.as_ref(), pool).await,
            };
            let failure = match opened {
                // Another try would end the same way.
                Err(failure) if failure.origin() == Origin::Gateway => return Err(failure),
                Err(failure) => failure,
                Ok(mut sender) => {
                    let Some(sending) = body.take() else { return Err(Failure::BadGateway) };
                    let request = outgoing.over_http2(sending, length, secured.is_some());
                    let request = request.ok_or(Failure::BadGateway)?;
                    self.deadline.set_unanswered(true);
                    self.deadline.wait(self.worker.clock.now(), wait);
                    let mut sending = pin!(sender.try_send_request(request));
                    let answer = std::future::poll_fn(|cx| match sending.as_mut().poll(cx) {
                        Poll::Ready(answer) => Poll::Ready(Some(answer)),
                        Poll::Pending => {
                            self.deadline.wake(cx.waker());
                            if self.deadline.has_passed() { Poll::Ready(None) } else { Poll::Pending }
                        }
                    })
                    .await;
                    self.deadline.set_unanswered(false);
                    match answer {
                        Some(Ok(response)) => {
                            self.report_answer(chosen, response.status(), begun);
                            return Ok(response);
                        }
                        Some(Err(mut error)) => {
                            if let Some(failure) = self.deadline.clients_fault() {
                                return Err(failure);
                            }
                            tracing::debug!(upstream = %authority, error = %error.error(), "no response");
                            self.worker.pool.forget_shared(pool);
                            body = error.take_message().map(Request::into_body);
                            if !is_new && body.is_some() {
                                // The connection was closed just then, which says nothing about the upstream.
                                continue;
                            }
                            Failure::BadGateway
                        }
                        None if self.deadline.has_waited_for_client() => return Err(Failure::RequestTimeout),
                        None => Failure::GatewayTimeout,
                    }
                }
            };
            let may_repeat = body.is_some();
            self.try_again(&mut outgoing, &mut chosen, failure, &mut tries_left, may_repeat)?;
        }
    }

    async fn open_http2(
        &self,
        upstream: &Upstream,
        chosen: Option<&Chosen>,
        secured: Option<&Secured<'_>>,
        pool: &Arc<str>,
    ) -> Result<Sender, Failure> {
        let addresses = match chosen {
            Some(_) => Vec::new(),
            None => self.addresses(upstream).await?,
        };
        let opening = async {
            let stream = match chosen {
                Some(chosen) => connect_to(chosen.pick.socket()).await?,
                None => connect(upstream, addresses, &self.worker.shared.dns).await?.0,
            };
            match secured {
                None => handshake(stream).await,
                Some(secured) => {
                    let connector = self.worker.shared.tls_clients.connector(secured.client);
                    let connector = connector.map_err(io::Error::other)?;
                    handshake(connector.connect(secured.name.clone(), stream).await?).await
                }
            }
        };
        let timeout = Duration::from_millis(upstream.connect_timeout);
        let (failure, error) = match tokio::time::timeout(timeout, opening).await {
            Ok(Ok(sender)) => {
                self.worker.pool.share(pool, sender.clone());
                return Ok(sender);
            }
            Ok(Err(error)) => (failure(&error), error),
            Err(elapsed) => (Failure::GatewayTimeout, elapsed.into()),
        };
        tracing::debug!(upstream = %pool, %error, "cannot connect");
        Err(failure)
    }
}

impl SharedBody {
    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    pub(crate) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                self.deadline.wait(self.clock.now(), self.read_timeout);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(self.tell(BodyError::Shared(error))))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.deadline.has_passed() => {
                Poll::Ready(Some(Err(self.tell(BodyError::Timeout))))
            }
            Poll::Pending => {
                self.deadline.wake(cx.waker());
                Poll::Pending
            }
        }
    }
}

impl SharedBody {
    fn tell(&self, error: BodyError) -> BodyError {
        error.tell(&self.authority, self.id, &self.deadline);
        error
    }
}

impl Drop for SharedBody {
    fn drop(&mut self) {
        self.deadline.rest(self.clock.now(), self.idle_timeout);
    }
}

impl Outgoing<'_> {
    /// The request as HTTP/2 has it.
    fn over_http2(&self, body: RequestBody, length: BodyLength, tls: bool) -> Option<Request<RequestBody>> {
        let mut request = Request::new(body);
        *request.method_mut() = self.head.method.clone();
        let headers = request.headers_mut();
        self.forwarding.write(self.head, length, headers);
        headers.remove(header::HOST);
        headers.remove(header::CONNECTION);
        headers.remove(header::TRANSFER_ENCODING);
        let mut parts = Uri::from(self.target.clone()).into_parts();
        parts.scheme = Some(if tls { Scheme::HTTPS } else { Scheme::HTTP });
        parts.authority = Some(self.forwarding.host.to_str().ok()?.parse().ok()?);
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        *request.version_mut() = Version::HTTP_2;
        Some(request)
    }
}

async fn handshake<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S) -> io::Result<Sender> {
    let (sender, connection) = Builder::new(Local)
        .timer(TokioTimer::new())
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "an HTTP/2 connection to an upstream ended with an error");
        }
    });
    Ok(sender)
}
