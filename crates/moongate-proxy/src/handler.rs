//! The way of a request through the gateway.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, Version, header, request};
use http_body::Body;
use hyper::body::Incoming;
use moongate_hooks::{Client, Exchange, PluginRuntime};
use moongate_router::{Captures, PathError, RequestView, Spoken, normalise, upstream_path};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::balanced::Balanced;
use crate::body::{Lease, RequestBody, ResponseBody};
use crate::client::Guard;
use crate::connection::{ConnectError, Connection, Names};
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::forwarded::{self, Forwarding, Peer, is_ambiguous};
use crate::hash;
use crate::hooks::{self, Outcome};
use crate::http2_upstream::SharedBody;
use crate::leftover::Rest;
use crate::refusal;
use crate::response::{self, Timing};
use crate::snapshot::{CompiledRoute, Snapshot, Speaks, Upstream};
use crate::tls::Secured;
use crate::tunnel::{self, Tunnel};
use crate::worker::Worker;

/// A connection that has rested so long may have been closed by the upstream just now. What is sent over it is
/// kept until there is a response, to be sent again over another one.
pub(crate) const DOUBTFUL_AFTER: Duration = Duration::from_millis(500);

/// What handles the requests of one client connection.
pub(crate) struct Handler<R: PluginRuntime> {
    pub(crate) worker: Rc<Worker<R>>,
    pub(crate) peer: Peer,
    pub(crate) deadline: Rc<Deadline>,
    pub(crate) guard: Rc<Guard>,
    /// What the connection goes on with, once it has left HTTP.
    pub(crate) tunnel: Cell<Option<Box<Tunnel>>>,
}

/// A request that found its route.
struct Found<'s, R: PluginRuntime> {
    route: &'s CompiledRoute<R>,
    /// What the upstream is asked for.
    target: PathAndQuery,
    /// The removed prefix.
    prefix: Option<HeaderValue>,
    /// What the route's expressions captured, where targets are chosen by it.
    captures: Option<Box<Captures>>,
    /// Whether the client wants to go on in WebSocket.
    websocket: bool,
}

impl<R: PluginRuntime> Handler<R> {
    /// Answers a request. Whatever goes wrong becomes a response.
    pub(crate) async fn handle(
        self: Rc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let started = self.worker.clock.look();
        self.deadline.work();
        self.guard.found_request();
        self.worker.counters.request();
        let options = &self.worker.options;
        let snapshot = self.worker.snapshot();

        let (mut head, body) = request.into_parts();
        let client = self.peer.client(&head.headers, options);
        let id = self.worker.request_id();
        let mut found = self.find(&snapshot, &head);
        let unread = !body.is_end_stream();
        // Who waits to be told to send a body is not told to when nobody wants it.
        if unread && !head.headers.contains_key(header::EXPECT) {
            self.deadline.leftover.want();
        }
        // Before plugins run: the client must not be able to name headers that they set.
        let websocket = forwarded::remove_hop_by_hop(&mut head.headers);
        if let Ok(found) = &mut found {
            found.websocket = websocket;
        }
        let mut exchange = Box::new(Exchange {
            id,
            request: head,
            client: Client { peer: self.peer.address, address: client, tls: self.peer.tls.is_some() },
            matched: found.as_ref().ok().map(|found| Arc::clone(&found.route.matched)),
            response: None,
            response_edits: Default::default(),
            context: Default::default(),
        });
        let chain = found.as_ref().map_or(&snapshot.global, |found| &found.route.chain);
        let id_value = options.headers.request_id.then(|| id_value(id));

        let mut answer = match found {
            Err(failure) => {
                self.deadline.leftover.put(Some(body));
                let mut answer = Answer::from_failure(failure, &exchange, options.error_default_type);
                match failure {
                    // Where this request ends is not certain, so nothing may follow it.
                    Failure::BadRequest => close(&mut answer),
                    _ => refusal::explain(&mut answer, failure, &self.peer, &exchange.request),
                }
                answer
            }
            Ok(found) => {
                let outcome;
                if chain.request.is_empty() {
                    outcome = Outcome::Continue;
                } else {
                    (exchange, outcome) =
                        hooks::on_request(&*self.worker.runtime, self.worker.number, chain, exchange).await;
                }
                match outcome {
                    Outcome::Continue => {
                        self.forward(&mut exchange, body, found, started, id_value.as_ref()).await
                    }
                    Outcome::Respond(reply) => {
                        self.deadline.leftover.put(Some(body));
                        Answer::from_plugin(reply)
                    }
                    Outcome::Failed => {
                        self.deadline.leftover.put(Some(body));
                        Answer::from_failure(Failure::Internal, &exchange, options.error_default_type)
                    }
                }
            }
        };
        if unread {
            let rest = self.deadline.leftover.take();
            if matches!(answer.body, ResponseBody::Full(_)) && !self.is_at_end(rest, &answer).await {
                close(&mut answer);
            }
        }

        exchange.apply_response_edits(&mut answer.head.headers);
        if !chain.response.is_empty() {
            exchange.response = Some(answer.head);
            let sound;
            (exchange, sound) =
                hooks::on_response(&*self.worker.runtime, self.worker.number, chain, exchange).await;
            let head = exchange.response.take();
            answer = match (head, sound) {
                (Some(head), true) => Answer { head, ..answer },
                _ => Answer::from_failure(Failure::Internal, &exchange, options.error_default_type),
            };
        }
        let timing = answer.timing.unwrap_or_else(|| Timing::Own(started.elapsed()));
        response::name_charset(&mut answer.head);
        response::annotate(&mut answer.head.headers, &options.headers, timing, id_value);
        if self.worker.is_draining() && answer.head.status != StatusCode::SWITCHING_PROTOCOLS {
            close(&mut answer);
        }
        if let ResponseBody::Full(_) = answer.body {
            self.deadline.rest(self.worker.clock.now(), options.client_idle_timeout);
        }
        Ok(Response::from_parts(answer.head, answer.body))
    }

    /// Whether the request's body came to its end, so that another request can follow it.
    async fn is_at_end(&self, rest: Option<Rest>, answer: &Answer) -> bool {
        let ends = answer.head.headers.get(header::CONNECTION).is_some_and(|value| value == "close")
            || answer.head.status == StatusCode::SWITCHING_PROTOCOLS
            || self.deadline.is_clients_fault();
        match rest {
            Some(rest) if !ends => Box::pin(rest.read()).await,
            _ => false,
        }
    }

    /// Finds the route of a request, and what its upstream is asked for.
    fn find<'s>(&self, snapshot: &'s Snapshot<R>, head: &request::Parts) -> Result<Found<'s, R>, Failure> {
        if self.guard.take_suspicion() || is_ambiguous(head) || head.method == Method::CONNECT {
            return Err(Failure::BadRequest);
        }
        if head.method == Method::TRACE {
            return Err(Failure::MethodNotAllowed);
        }
        let path = normalise(head.uri.path()).map_err(|error| match error {
            PathError::NotUtf8 => Failure::NoRoute,
            _ => Failure::BadRequest,
        })?;
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let view = RequestView {
            method: head.method.as_str(),
            host: host.or_else(|| head.uri.authority().map(|authority| authority.as_str())),
            path: &path,
            query: head.uri.query(),
            headers: &head.headers,
            https: self.peer.tls.is_some(),
            sni: self.peer.sni(),
            source: Some(self.peer.address),
            destination: Some(self.peer.listener),
            port: self.peer.port,
        };
        let matched = snapshot.router.find(&view).ok_or(Failure::NoRoute)?;
        let route = snapshot.routes.get(matched.route).ok_or(Failure::NoRoute)?;
        if let Some(demand) = &route.demand {
            let spoken = Spoken {
                https: self.peer.forwarded_scheme(&head.headers) == b"https",
                http2: head.version == Version::HTTP_2,
                content_type: head.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes),
            };
            if let Some(refusal) = demand.refusal(&spoken) {
                return Err(refusal.into());
            }
        }
        let service_path = route.upstream.as_ref().and_then(|upstream| upstream.path.as_deref());
        let upstream =
            upstream_path(service_path, route.path_handling, route.strip_path, &path, matched.prefix);
        let prefix = (route.strip_path && matched.prefix != "/")
            .then(|| HeaderValue::from_str(matched.prefix).ok())
            .flatten();
        let balancer = route.upstream.as_ref().and_then(|upstream| upstream.balancer.as_ref());
        let captures = balancer
            .filter(|balancer| hash::needs_captures(balancer.settings()))
            .map(|_| Box::new(snapshot.router.captures(&matched, &view)));
        Ok(Found { target: target(&head.uri, &upstream)?, prefix, captures, route, websocket: false })
    }

    /// Sends a request to its upstream, trying again where that is safe.
    async fn forward(
        &self,
        exchange: &mut Exchange,
        body: Incoming,
        found: Found<'_, R>,
        started: Instant,
        request_id: Option<&HeaderValue>,
    ) -> Answer {
        let options = &self.worker.options;
        let Some(upstream) = &found.route.upstream else {
            self.deadline.leftover.put(Some(body));
            return Answer::from_failure(Failure::NoService, exchange, options.error_default_type);
        };
        if upstream.speaks == Speaks::Nothing {
            self.deadline.leftover.put(Some(body));
            tracing::warn!(upstream = %upstream.authority, "requests cannot be forwarded in the service's protocol");
            return Answer::from_failure(Failure::Internal, exchange, options.error_default_type);
        }
        let host = match found.route.preserve_host {
            true => exchange.request.headers.get(header::HOST).cloned(),
            false => None,
        };
        let mut chosen = match &upstream.balancer {
            None => None,
            Some(balancer) => {
                match self.choose(balancer, upstream, exchange, found.captures.as_deref()).await {
                    Ok(chosen) => Some(chosen),
                    Err(failure) => {
                        self.deadline.leftover.put(Some(body));
                        return Answer::from_failure(failure, exchange, options.error_default_type);
                    }
                }
            }
        };
        let keeps_host = host.is_some();
        // The head is handed over to the connection, and an error would have to follow the client's wishes.
        let wishes = Wishes::of(&exchange.request.headers);
        let forwarding = Forwarding {
            peer: &self.peer,
            client: exchange.client.address,
            host: host.unwrap_or_else(|| match &chosen {
                Some(chosen) => chosen.pick.host_header(upstream.default_port).clone(),
                None => upstream.host_header.clone(),
            }),
            prefix: found.prefix,
            request_id,
        };
        forwarding.apply(&mut exchange.request);
        if found.websocket {
            tunnel::ask(&mut exchange.request.headers);
        }

        // Without plugins no time has passed that a millisecond shows.
        let sent = if found.route.chain.request.is_empty() { started } else { self.worker.clock.look() };
        let gateway = sent.duration_since(started);
        let head = &mut exchange.request;
        if upstream.speaks == Speaks::Http2 {
            let pick = chosen.as_ref().map(|chosen| &chosen.pick);
            let result = Box::pin(self.send_http2(upstream, pick, head, found.target, body)).await;
            let now = self.worker.clock.look();
            let timing = Some(Timing::Proxied { gateway, upstream: now.duration_since(sent) });
            return match result {
                Ok(response) => {
                    let (mut head, incoming) = response.into_parts();
                    head.version = Version::HTTP_11;
                    response::drop_repeated(&mut head.headers);
                    if options.headers.upstream_status {
                        response::tell_upstream_status(&mut head);
                    }
                    let read_timeout = Duration::from_millis(upstream.read_timeout);
                    self.deadline.wait(now, read_timeout);
                    let body = SharedBody {
                        incoming,
                        deadline: Rc::clone(&self.deadline),
                        clock: Rc::clone(&self.worker.clock),
                        read_timeout,
                        idle_timeout: options.client_idle_timeout,
                        _pick: chosen.map(|chosen| chosen.pick),
                    };
                    Answer { head, body: ResponseBody::Shared(body), timing }
                }
                Err(failure) => {
                    self.deadline.work();
                    let wishes = wishes.into_headers();
                    let answer = Answer::failure(failure, &wishes, options.error_default_type, exchange.id);
                    Answer { timing: timing.filter(|_| failure.is_proxied()), ..answer }
                }
            };
        }
        let result = match &mut chosen {
            None => self.send(upstream, head, found.target, body, sent).await,
            // Boxed, to keep what every request needs small.
            Some(chosen) => {
                let to = Balanced { upstream, chosen, keeps_host };
                Box::pin(self.send_balanced(to, head, found.target, body, sent)).await
            }
        };
        let cookie = chosen.as_mut().and_then(|chosen| chosen.cookie.take());
        let mut answer = match result {
            Ok((response, connection)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let elapsed = self.worker.clock.look().duration_since(sent);
                let timing = Some(Timing::Proxied { gateway, upstream: elapsed });
                let timeout = found.websocket.then_some(Duration::from_millis(upstream.read_timeout));
                match Box::pin(self.leave_http(response, connection, timeout)).await {
                    Some(head) => Answer { head, body: ResponseBody::Full(Bytes::new()), timing },
                    None => {
                        let wishes = wishes.into_headers();
                        let (failure, form) = (Failure::BadGateway, options.error_default_type);
                        Answer { timing, ..Answer::failure(failure, &wishes, form, exchange.id) }
                    }
                }
            }
            Ok((response, mut connection)) => {
                let now = self.worker.clock.look();
                let timing = Timing::Proxied { gateway, upstream: now.duration_since(sent) };
                let (mut head, incoming) = response.into_parts();
                if head.version == Version::HTTP_10 {
                    // Would be spoken to in HTTP/1.0 from now on, which knows no chunked bodies.
                    connection.retire();
                    head.version = Version::HTTP_11;
                }
                response::remove_hop_by_hop(&mut head.headers);
                response::drop_repeated(&mut head.headers);
                if options.headers.upstream_status {
                    response::tell_upstream_status(&mut head);
                }
                let read_timeout = Duration::from_millis(upstream.read_timeout);
                self.deadline.wait(now, read_timeout);
                let authority = connection.pool(match &chosen {
                    Some(chosen) => chosen.pick.authority(),
                    None => &upstream.authority,
                });
                let lease = Lease {
                    connection,
                    authority,
                    _pick: chosen.map(|chosen| chosen.pick),
                    pool: Rc::clone(&self.worker.pool),
                    deadline: Rc::clone(&self.deadline),
                    clock: Rc::clone(&self.worker.clock),
                    read_timeout,
                    idle_timeout: options.client_idle_timeout,
                };
                Answer { head, body: ResponseBody::upstream(incoming, lease).await, timing: Some(timing) }
            }
            Err(failure) => {
                self.deadline.work();
                let waited = self.worker.clock.look().duration_since(sent);
                let timing = Timing::Proxied { gateway, upstream: waited };
                let wishes = wishes.into_headers();
                let answer = Answer::failure(failure, &wishes, options.error_default_type, exchange.id);
                Answer { timing: failure.is_proxied().then_some(timing), ..answer }
            }
        };
        if let Some(cookie) = cookie {
            answer.head.headers.append(header::SET_COOKIE, cookie);
        }
        answer
    }

    /// Sends a request over a pooled or a new connection, and waits for the head of its response.
    async fn send(
        &self,
        upstream: &Upstream,
        head: &mut request::Parts,
        target: PathAndQuery,
        body: Incoming,
        now: Instant,
    ) -> Result<(Response<Incoming>, Connection), Failure> {
        let secured = match &upstream.tls {
            None => None,
            Some(client) => {
                let host = head.headers.get(header::HOST);
                Some(client.secure(&upstream.authority, host).ok_or(Failure::BadGateway)?)
            }
        };
        let pool = secured.as_ref().map_or(&upstream.authority, |secured| &secured.pool);
        let (write, read) =
            (Duration::from_millis(upstream.write_timeout), Duration::from_millis(upstream.read_timeout));
        let body = RequestBody::new(body, &self.deadline, write, read);
        let repeatable = body.is_empty() && is_idempotent(&head.method);
        let wait = if body.is_empty() { read } else { write };
        let mut request = Some(outgoing(head, target, body));
        let mut tries_left = upstream.retries;
        loop {
            let mut pooled = self.worker.pool.take(pool, now);
            if pooled.as_mut().is_some_and(|old| !old.is_current(upstream, &self.worker.shared.dns, now)) {
                continue;
            }
            let is_new = pooled.is_none();
            let mut connection = match pooled {
                Some(connection) => connection,
                None => match self.connect(upstream, secured.as_ref()).await {
                    Ok(connection) => connection,
                    Err(Failure::NameResolution) => return Err(Failure::NameResolution),
                    Err(failure) if tries_left == 0 => return Err(failure),
                    Err(_) => {
                        tries_left -= 1;
                        continue;
                    }
                },
            };
            let Some(sending) = request.take() else { return Err(Failure::BadGateway) };
            let doubtful = !is_new && now.duration_since(connection.idle_since) >= DOUBTFUL_AFTER;
            let spare = (doubtful && repeatable).then(|| self.copy(&sending, read));
            self.deadline.wait(self.worker.clock.now(), wait);
            let answer = connection
                .send(sending, |cx| {
                    self.deadline.wake(cx.waker());
                    !self.deadline.has_passed()
                })
                .await;
            let mut error = match answer {
                Some(Ok(response)) => return Ok((response, connection)),
                Some(Err(error)) => error,
                None => return Err(Failure::GatewayTimeout),
            };
            if self.deadline.is_clients_fault() {
                return Err(Failure::BadRequest);
            }
            // What was not sent, or went into a connection that was closed just then, may be sent again.
            request = error.take_message().or(spare);
            if request.is_none() || (is_new && tries_left == 0) {
                tracing::debug!(upstream = %upstream.authority, error = %error.error(), "no response");
                return Err(Failure::BadGateway);
            }
            if is_new {
                tries_left -= 1;
            }
        }
    }

    async fn connect(
        &self,
        upstream: &Upstream,
        secured: Option<&Secured<'_>>,
    ) -> Result<Connection, Failure> {
        let timeout = Duration::from_millis(upstream.connect_timeout);
        let names = Names { dns: &self.worker.shared.dns, random: self.worker.random() as usize };
        let opened = match secured {
            None => tokio::time::timeout(timeout, Connection::open(upstream, names)).await,
            // In a box, so that the requests of plain upstreams do not carry what it needs.
            Some(secured) => {
                let open =
                    Connection::open_secured(upstream, names, secured, &self.worker.shared.tls_clients);
                tokio::time::timeout(timeout, Box::pin(open)).await
            }
        };
        let failed = match opened {
            Ok(Ok(connection)) => return Ok(connection),
            Ok(Err(ConnectError::Resolve(error))) => (Failure::NameResolution, io::Error::other(error)),
            Ok(Err(ConnectError::Connect(error))) => (Failure::BadGateway, error),
            Err(elapsed) => (Failure::GatewayTimeout, elapsed.into()),
        };
        tracing::debug!(upstream = %upstream.authority, error = %failed.1, "cannot connect");
        Err(failed.0)
    }

    /// A copy of a request without a body.
    pub(crate) fn copy(&self, request: &Request<RequestBody>, read: Duration) -> Request<RequestBody> {
        let mut copy = Request::new(RequestBody::empty(&self.deadline, read));
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.headers_mut() = request.headers().clone();
        copy
    }
}

/// The headers that decide on the form of an error.
struct Wishes {
    accept: Option<HeaderValue>,
    content_type: Option<HeaderValue>,
}

impl Wishes {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            accept: headers.get(header::ACCEPT).cloned(),
            content_type: headers.get(header::CONTENT_TYPE).cloned(),
        }
    }

    fn into_headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.extend(self.accept.map(|value| (header::ACCEPT, value)));
        headers.extend(self.content_type.map(|value| (header::CONTENT_TYPE, value)));
        headers
    }
}

/// The request for the upstream. Takes the headers out of `head`.
pub(crate) fn outgoing(
    head: &mut request::Parts,
    target: PathAndQuery,
    body: RequestBody,
) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = head.method.clone();
    *request.uri_mut() = Uri::from(target);
    *request.headers_mut() = std::mem::take(&mut head.headers);
    if !request.body().is_empty() && request.body().size_hint().exact().is_none() {
        // For methods that usually have no body, hyper would leave it out.
        request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    request
}

/// What the upstream is asked for: its path, and the client's query as it came.
fn target(original: &Uri, path: &str) -> Result<PathAndQuery, Failure> {
    let query = original.query();
    if let Some(asked) = original.path_and_query()
        && asked.path() == path
    {
        return Ok(asked.clone());
    }
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(text).map_err(|_| Failure::BadRequest)
}

/// Ends the connection after this answer.
fn close(answer: &mut Answer) {
    answer.head.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// Whether sending a request twice does no more than sending it once.
pub(crate) fn is_idempotent(method: &Method) -> bool {
    !matches!(method.as_str(), "POST" | "PATCH" | "LOCK" | "CONNECT")
}

/// An id as a header's value.
pub(crate) fn id_value(id: u128) -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'0'; 32];
    for (at, digit) in text.iter_mut().enumerate() {
        let nibble = (id >> (124 - 4 * at)) & 0xf;
        *digit = DIGITS.get(nibble as usize).copied().unwrap_or(b'0');
    }
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
