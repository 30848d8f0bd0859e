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
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, Uri, Version, header, request};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use moongate_balancer::Pick;
use moongate_hooks::{Origin, PluginRuntime};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::body::{BodyError, RequestBody, Source};
use crate::connection::{connect, connect_to, failure};
use crate::deadline::{Clock, Deadline};
use crate::error::Failure;
use crate::forwarded::Forwarding;
use crate::handler::Handler;
use crate::http2::Local;
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
    /// Sends a request over a shared connection, a new one if need be, and waits for the head of its response.
    pub(crate) async fn send_http2(
        &self,
        upstream: &Upstream,
        pick: Option<&Pick>,
        head: &request::Parts,
        forwarding: &Forwarding<'_>,
        target: PathAndQuery,
        body: Source,
    ) -> Result<Response<Incoming>, Failure> {
        let host = &forwarding.host;
        let authority = pick.map_or(&upstream.authority, |pick| pick.authority());
        let secured = match &upstream.tls {
            None => None,
            Some(client) => Some(client.secure(authority, Some(host)).ok_or(Failure::BadGateway)?),
        };
        let pool = secured.as_ref().map_or(authority, |secured| &secured.pool);
        let timeouts = self.timeouts(upstream);
        let body = RequestBody::new(body, &head.headers, &self.deadline, timeouts);
        let wait = if body.is_empty() { timeouts.read } else { timeouts.write };
        let length = body.length();
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = Uri::from(target);
        forwarding.write(head, length, request.headers_mut());
        speak_http2(&mut request, host, secured.is_some()).ok_or(Failure::BadGateway)?;
        let mut tries_left = upstream.retries;
        loop {
            let known = self.worker.pool.shared(pool);
            let is_new = known.is_none();
            let opened = match known {
                Some(sender) => Ok(sender),
                None => self.open_http2(upstream, pick, secured.as_ref(), pool).await,
            };
            let mut sender = match opened {
                Ok(sender) => sender,
                Err(failure) if tries_left == 0 || failure.origin() == Origin::Gateway => {
                    return Err(failure);
                }
                Err(_) => {
                    tries_left -= 1;
                    continue;
                }
            };
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
            let mut error = match answer {
                Some(Ok(response)) => return Ok(response),
                Some(Err(error)) => error,
                None if self.deadline.has_waited_for_client() => return Err(Failure::RequestTimeout),
                None => return Err(Failure::GatewayTimeout),
            };
            if let Some(failure) = self.deadline.clients_fault() {
                return Err(failure);
            }
            tracing::debug!(upstream = %authority, error = %error.error(), "no response");
            self.worker.pool.forget_shared(pool);
            // What was not sent went into a connection that was closed just then.
            match error.take_message() {
                Some(unsent) if !is_new => request = unsent,
                _ => return Err(Failure::BadGateway),
            }
        }
    }

    async fn open_http2(
        &self,
        upstream: &Upstream,
        pick: Option<&Pick>,
        secured: Option<&Secured<'_>>,
        pool: &Arc<str>,
    ) -> Result<Sender, Failure> {
        let addresses = match pick {
            Some(_) => Vec::new(),
            None => self.addresses(upstream).await?,
        };
        let opening = async {
            let stream = match pick {
                Some(pick) => connect_to(pick.socket()).await?,
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

/// Makes of an HTTP/1 request what HTTP/2 has in its place.
fn speak_http2(request: &mut Request<RequestBody>, host: &HeaderValue, tls: bool) -> Option<()> {
    let headers = request.headers_mut();
    headers.remove(header::HOST);
    headers.remove(header::CONNECTION);
    headers.remove(header::TRANSFER_ENCODING);
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme = Some(if tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(host.to_str().ok()?.parse().ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    *request.version_mut() = Version::HTTP_2;
    Some(())
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
