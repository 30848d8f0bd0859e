//! Requests on their way to an upstream: over a kept connection or a new one, and again where that is safe.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, Uri, header, request};
use http_body::Body;
use hyper::body::Incoming;
use moongate_balancer::{Algorithm, Outcome};
use moongate_hooks::PluginRuntime;
use tokio::time::Instant;

use crate::balanced::Chosen;
use crate::body::{RequestBody, Source};
use crate::connection::{ConnectError, Connection, Names, connect_to};
use crate::error::Failure;
use crate::handler::Handler;
use crate::kept::{Kept, Replay};
use crate::snapshot::Upstream;
use crate::tls::Secured;

/// A connection that has rested so long may have been closed by the upstream just now. What is sent over it is
/// kept until there is a response, to be sent again over another one.
const DOUBTFUL_AFTER: Duration = Duration::from_millis(500);

/// Largest body of known length that is kept to be sent again.
const SMALL: u64 = 64 * 1024;

/// A request for an upstream, and what is needed to send it again.
pub(crate) struct Outgoing<'a> {
    pub(crate) upstream: &'a Upstream,
    /// Takes its headers.
    pub(crate) head: &'a mut request::Parts,
    pub(crate) target: PathAndQuery,
    pub(crate) body: Source,
    /// Whether the Host header is the client's, not the target's.
    pub(crate) keeps_host: bool,
    pub(crate) now: Instant,
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
        method: &Method,
        body: Incoming,
    ) -> Result<Source, Failure> {
        let wanted = match body.size_hint().exact() {
            Some(0) => false,
            Some(length) => length <= SMALL && upstream.retries > 0 && is_idempotent(method),
            None => !body.is_end_stream(),
        };
        if !wanted {
            return Ok(body.into());
        }
        let kept = Kept::read(body, &self.deadline, &self.worker.options.body_directory).await?;
        Ok(Source::Kept(Replay::new(Rc::new(kept))))
    }

    /// Sends a request to its upstream, to other targets where that fails and is safe, and waits for the head of its
    /// response.
    pub(crate) async fn send(
        &self,
        outgoing: Outgoing<'_>,
        mut chosen: Option<&mut Chosen>,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        let Outgoing { upstream, head, target, body, keeps_host, now } = outgoing;
        let (write, read) =
            (Duration::from_millis(upstream.write_timeout), Duration::from_millis(upstream.read_timeout));
        let body = RequestBody::new(body, &self.deadline, write, read);
        let wait = if body.is_empty() { read } else { write };
        let is_idempotent = is_idempotent(&head.method);
        let measures = chosen.as_ref().is_some_and(|chosen| chosen.algorithm() == Algorithm::Latency);
        let mut request = Some(request_of(head, target, body));
        let mut tries_left = upstream.retries;
        loop {
            let begun = measures.then(Instant::now);
            let authority = chosen.as_ref().map_or(&upstream.authority, |chosen| chosen.pick.authority());
            let secured = match (&upstream.tls, &request) {
                (Some(client), Some(request)) => {
                    let host = request.headers().get(header::HOST);
                    Some(client.secure(authority, host).ok_or(Failure::BadGateway)?)
                }
                _ => None,
            };
            let pool = secured.as_ref().map_or(authority, |secured| &secured.pool);
            let mut pooled = self.worker.pool.take(pool, now);
            if chosen.is_none()
                && pooled.as_mut().is_some_and(|old| !old.is_current(upstream, &self.worker.shared.dns, now))
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
                Err(Failure::NameResolution) => return Err(Failure::NameResolution),
                Err(failure) => failure,
                Ok(mut connection) => {
                    let Some(sending) = request.take() else { return Err(Failure::BadGateway) };
                    let is_doubtful = !is_new && now.duration_since(connection.idle_since) >= DOUBTFUL_AFTER;
                    // A copy costs more than all else here, and over a connection that has just served a request, to
                    // an upstream that has no other target, it is hardly ever needed.
                    let is_wanted = is_doubtful || (tries_left > 0 && (is_new || chosen.is_some()));
                    let spare = (is_idempotent && is_wanted).then(|| copy(&sending)).flatten();
                    self.deadline.wait(self.worker.clock.now(), wait);
                    let answer = connection
                        .send(sending, |cx| {
                            self.deadline.wake(cx.waker());
                            !self.deadline.has_passed()
                        })
                        .await;
                    let failure = match answer {
                        Some(Ok(response)) => {
                            if let Some(chosen) = chosen {
                                if let Some(begun) = begun {
                                    let now = Instant::now();
                                    chosen.pick.took(now.duration_since(begun), self.worker.shared.time(now));
                                }
                                chosen.report(Outcome::Status(response.status().as_u16()));
                            }
                            return Ok((response, connection));
                        }
                        Some(Err(mut error)) => {
                            // What was not sent comes back.
                            request = error.take_message().or(spare);
                            tracing::debug!(upstream = %pool, error = %error.error(), "no response");
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
                        // A connection that was kept had been closed meanwhile, which says nothing about the upstream.
                        continue;
                    }
                    failure
                }
            };
            let is_last = tries_left == 0 || request.is_none();
            if let Some(chosen) = &mut chosen {
                chosen.report(match failure {
                    Failure::GatewayTimeout => Outcome::TimedOut,
                    _ if is_last => Outcome::Status(failure.status().as_u16()),
                    _ => Outcome::Failed,
                });
            }
            if is_last {
                return Err(failure);
            }
            tries_left -= 1;
            if let Some(chosen) = &mut chosen {
                // The client learns why the last try failed, not that there is nobody left.
                self.worker.choose_next(chosen).map_err(|_| failure)?;
                if let Some(request) = &mut request
                    && !keeps_host
                {
                    let host = chosen.pick.host_header(upstream.default_port);
                    request.headers_mut().insert(header::HOST, host.clone());
                }
            }
        }
    }

    async fn connect(
        &self,
        upstream: &Upstream,
        chosen: Option<&Chosen>,
        secured: Option<&Secured<'_>>,
    ) -> Result<Connection, Failure> {
        let clients = &self.worker.shared.tls_clients;
        let opening = async {
            let Some(chosen) = chosen else {
                let random = self.worker.random() as usize;
                let names = Names { dns: &self.worker.shared.dns, random };
                return Connection::open(upstream, names, secured, clients).await;
            };
            let opened = async {
                let stream = connect_to(chosen.pick.socket()).await?;
                match secured {
                    None => Connection::plain(stream).await,
                    Some(secured) => Connection::secured(stream, secured, clients).await,
                }
            };
            opened.await.map_err(ConnectError::Connect)
        };
        let timeout = Duration::from_millis(upstream.connect_timeout);
        let (failure, error) = match tokio::time::timeout(timeout, opening).await {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(ConnectError::Resolve(error))) => (Failure::NameResolution, io::Error::other(error)),
            Ok(Err(ConnectError::Connect(error))) => (Failure::BadGateway, error),
            Err(elapsed) => (Failure::GatewayTimeout, elapsed.into()),
        };
        let authority: &Arc<str> = chosen.map_or(&upstream.authority, |chosen| chosen.pick.authority());
        tracing::debug!(upstream = %authority, %error, "cannot connect");
        Err(failure)
    }
}

/// The request for the upstream. Takes the headers out of `head`.
pub(crate) fn request_of(
    head: &mut request::Parts,
    target: PathAndQuery,
    body: RequestBody,
) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = std::mem::take(&mut head.headers);
    if let Some(length) = request.body().kept() {
        request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    } else if !request.body().is_empty() && request.body().size_hint().exact().is_none() {
        // For methods that usually have no body, hyper would leave it out.
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

/// A copy of a request whose body can be sent again.
fn copy(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let mut copy = Request::new(request.body().again()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    Some(copy)
}

/// Whether sending a request twice does no more than sending it once.
fn is_idempotent(method: &Method) -> bool {
    !matches!(method.as_str(), "POST" | "PATCH" | "LOCK" | "CONNECT")
}
