//! The way of a request through the gateway.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, Version, header, request};
use http_body::Body;
use hyper::body::Incoming;
use moongate_hooks::{Client, Details, Exchange, PluginRuntime, Source as Origin};
use moongate_router::{Captures, PathError, RequestView, Spoken, normalise, upstream_path};

use crate::access_log::LogEntry;
use crate::answer::Answer;
use crate::body::{BodyError, ClientBody, ResponseBody, Source, Tail};
use crate::chain::{Chain, Link};
use crate::client::Guard;
use crate::deadline::Deadline;
use crate::edits::{Way, lend, take_back};
use crate::error::Failure;
use crate::forwarded::{self, Peer};
use crate::grpc;
use crate::hash::{self};
use crate::hooks::{self, Outcome};
use crate::leftover::Rest;
use crate::received::Received;
use crate::record::{Draft, Recorder};
use crate::refusal;
use crate::response::{self, Timing};
use crate::snapshot::{CompiledRoute, Snapshot};
use crate::trace;
use crate::tunnel::Left;
use crate::watched;
use crate::worker::Worker;

/// What handles the requests of one client connection.
pub(crate) struct Handler<R: PluginRuntime> {
    pub(crate) worker: Rc<Worker<R>>,
    pub(crate) peer: Peer,
    pub(crate) deadline: Rc<Deadline>,
    pub(crate) guard: Rc<Guard>,
    /// Where requests are logged.
    pub(crate) log: Option<Rc<LogEntry>>,
    /// What the connection goes on with, once it has left HTTP.
    pub(crate) left: Cell<Option<Box<Left>>>,
}

/// A request that found its route.
pub(crate) struct Found<'s, R: PluginRuntime> {
    pub(crate) route: &'s CompiledRoute<R>,
    /// What the upstream is asked for.
    pub(crate) target: PathAndQuery,
    /// The removed prefix.
    pub(crate) prefix: Option<HeaderValue>,
    /// What the route's expressions captured, where targets are chosen by it.
    pub(crate) captures: Option<Box<Captures>>,
    /// What plugins may ask for.
    details: Option<Box<Details>>,
    /// Whether the client wants to go on in WebSocket.
    pub(crate) websocket: bool,
}

/// A response that plugins have seen.
struct Respond {
    answer: Answer,
    recorder: Option<Box<dyn Tail>>,
    matched: Option<Arc<moongate_hooks::Matched>>,
}

impl<R: PluginRuntime> Handler<R> {
    /// Answers a request. Whatever goes wrong becomes a response.
    pub(crate) async fn handle(
        self: Rc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<ClientBody>, Infallible> {
        let started = self.worker.clock.look();
        self.deadline.work();
        self.guard.found_request();
        self.worker.counters.request();
        let _handling = self.worker.handling();
        let options = &self.worker.options;
        let snapshot = self.worker.snapshot();

        let (mut head, body) = request.into_parts();
        let body = Received::new(body, options.max_body_size);
        let client = self.peer.client(&head.headers, options);
        let id = self.worker.request_id();
        let mut logging = self.log.as_ref().map(|log| {
            let told = Some(client).filter(|client| *client != self.peer.address.ip().to_canonical());
            log.begin(&head, told, id, started)
        });
        let is_call = grpc::is_call(&head);
        let unread = !body.is_end_stream();
        let waits = head.headers.contains_key(header::EXPECT);
        if unread {
            self.deadline.leftover.want();
        }
        let facts = Client {
            peer: self.peer.address,
            address: client,
            tls: self.peer.tls.is_some(),
            trusted: self.peer.trusted,
            port: self.peer.port,
        };
        let mut early = Outcome::Continue;
        let mut body = Source::from(body);
        let (mut exchange, found) = if snapshot.global.early.is_empty() {
            let mut found = self.find(&snapshot, &head, client);
            // Before plugins run: the client must not be able to name headers that they set.
            let websocket = forwarded::remove_hop_by_hop(&mut head.headers);
            if let Ok(found) = &mut found {
                found.websocket = websocket;
            }
            (Box::new(Exchange::new(id, head, facts, started)), found)
        } else {
            let mut exchange = Box::new(Exchange::new(id, head, facts, started));
            trace::start(options, &mut exchange);
            // In a box, so that requests without such plugins do not carry what it needs.
            let (exchange, found, outcome) = Box::pin(self.find_after(&snapshot, exchange, &mut body)).await;
            early = outcome;
            (exchange, found)
        };
        exchange.matched = found.as_ref().ok().map(|found| Arc::clone(&found.route.matched));
        trace::start(options, &mut exchange);
        let chain = found.as_ref().map_or(&snapshot.global, |found| &found.route.chain);
        let is_told = options.headers.request_id || options.upstream_request_id;
        let id_value = is_told.then(|| id_value(id));
        let is_recorded = !chain.log.is_empty() || !chain.choices.is_empty();
        let mut draft = None;
        let mut picked = None;

        let mut answer = match (found, early) {
            (_, Outcome::Respond(reply)) => {
                exchange.source = Origin::Plugin;
                self.deadline.leftover.put(body.into_rest());
                Answer::from_plugin(reply)
            }
            (_, Outcome::Refuse(refusal)) => {
                exchange.source = Origin::Plugin;
                self.deadline.leftover.put(body.into_rest());
                Answer::from_refusal(refusal, &exchange)
            }
            (_, Outcome::Failed) => {
                self.deadline.leftover.put(body.into_rest());
                Answer::from_failure(Failure::Internal, &exchange, options.error_default_type)
            }
            (Err(failure), Outcome::Continue) => {
                self.deadline.leftover.put(body.into_rest());
                let mut answer = Answer::from_failure(failure, &exchange, options.error_default_type);
                match failure {
                    // Where this request ends is not certain, or too far away, so nothing may follow it.
                    Failure::BadRequest | Failure::BodyTooLarge => close(&mut answer),
                    _ => refusal::explain(&mut answer, failure, &self.peer, &exchange.request),
                }
                answer
            }
            (Ok(mut found), Outcome::Continue) => {
                let mut outcome = Outcome::Continue;
                if chain.has_request_hooks() {
                    exchange.details = found.details.take().or_else(|| self.details());
                    lend(&mut exchange, &mut body);
                    (exchange, outcome, picked) =
                        hooks::on_request(&*self.worker.runtime, self.worker.number, chain, exchange).await;
                    take_back(&mut exchange, &mut body);
                }
                if is_recorded {
                    draft = Some(Draft::new(&exchange, started));
                }
                match outcome {
                    // Whatever hooks make of it that they could not read it.
                    _ if body.is_too_large() => {
                        let mut answer = Answer::from_failure(
                            Failure::BodyTooLarge,
                            &exchange,
                            options.error_default_type,
                        );
                        close(&mut answer);
                        answer
                    }
                    Outcome::Continue => {
                        let request_id = id_value.as_ref().filter(|_| options.upstream_request_id);
                        let way = Way { body, found, started, request_id };
                        self.forward(&mut exchange, way, &snapshot, draft.as_deref_mut()).await
                    }
                    Outcome::Respond(reply) => {
                        exchange.source = Origin::Plugin;
                        self.deadline.leftover.put(body.into_rest());
                        Answer::from_plugin(reply)
                    }
                    Outcome::Refuse(refusal) => {
                        exchange.source = Origin::Plugin;
                        self.deadline.leftover.put(body.into_rest());
                        Answer::from_refusal(refusal, &exchange)
                    }
                    Outcome::Failed => {
                        self.deadline.leftover.put(body.into_rest());
                        Answer::from_failure(Failure::Internal, &exchange, options.error_default_type)
                    }
                }
            }
        };
        if unread {
            let rest = self.deadline.leftover.take();
            // Who waits to be told to send a body is not told to when nobody wants it, but for plugins that refuse
            // it: their clients go on with the connection.
            let is_read = !waits || exchange.source == Origin::Plugin;
            if matches!(answer.body, ResponseBody::Full(_))
                && !(is_read && self.is_at_end(rest, &answer).await)
            {
                close(&mut answer);
            }
        }

        if is_call {
            grpc::translate(&mut answer);
        }
        exchange.apply_response_edits(&mut answer.head.headers);
        let timing = answer.timing.unwrap_or_else(|| Timing::Own(started.elapsed()));
        let mut recorder = None;
        if !chain.response.is_empty() || picked.is_some() || is_recorded {
            if unread {
                exchange.body.pass();
            }
            // In a box, so that requests without such plugins do not carry what it needs.
            let back =
                Box::pin(self.respond(exchange, answer, chain, picked.as_deref(), draft, timing)).await;
            (answer, recorder) = (back.answer, back.recorder);
            if let Some(logging) = &mut logging {
                logging.found(back.matched.as_ref());
            }
        } else {
            trace::tell(&mut exchange, &mut answer.head.headers);
            if let Some(logging) = &mut logging {
                logging.found(exchange.matched.as_ref());
            }
        }
        let total = self.worker.clock.look().duration_since(started);
        self.worker.counters.measured.response(answer.head.status, total, timing.upstream());
        response::name_charset(&mut answer.head);
        let id_value = id_value.filter(|_| options.headers.request_id);
        response::annotate(&mut answer.head.headers, &options.headers, timing, id_value);
        if self.worker.is_draining() && answer.head.status != StatusCode::SWITCHING_PROTOCOLS {
            close(&mut answer);
        }
        if let ResponseBody::Full(_) = answer.body {
            self.deadline.rest(self.worker.clock.now(), options.client_idle_timeout);
        }
        self.worker.gather().await;
        if let Some(logging) = &mut logging {
            logging.answered(answer.head.status.as_u16());
        }
        if let Some(mut left) = self.left.take()
            && answer.head.status == StatusCode::SWITCHING_PROTOCOLS
        {
            left.take_over(logging.take(), recorder.take());
            self.left.set(Some(left));
        }
        Ok(Response::from_parts(answer.head, ClientBody::new(answer.body, logging, recorder)))
    }

    /// Lets plugins see a request before its route is looked for, and looks for it.
    async fn find_after<'s>(
        &self,
        snapshot: &'s Snapshot<R>,
        mut exchange: Box<Exchange>,
        body: &mut Source,
    ) -> (Box<Exchange>, Result<Found<'s, R>, Failure>, Outcome) {
        if let Err(failure) = self.refuse(&exchange.request) {
            return (exchange, Err(failure), Outcome::Continue);
        }
        let websocket = forwarded::remove_hop_by_hop(&mut exchange.request.headers);
        exchange.details = self.details();
        lend(&mut exchange, body);
        let (runtime, worker) = (&*self.worker.runtime, self.worker.number);
        let (mut exchange, outcome) =
            hooks::on_early_request(runtime, worker, &snapshot.global.early, exchange).await;
        let found = self.find_route(snapshot, &exchange.request, exchange.client.address);
        // Request hooks get the body as these hooks left it, whatever they read or replaced.
        let is_read_on = matches!(outcome, Outcome::Continue)
            && found.as_ref().is_ok_and(|found| found.route.chain.has_request_hooks());
        if !is_read_on {
            take_back(&mut exchange, body);
        }
        if body.is_too_large() {
            return (exchange, Err(Failure::BodyTooLarge), Outcome::Continue);
        }
        (exchange, found.map(|found| Found { websocket, ..found }), outcome)
    }

    /// Lets plugins see the response, and prepares what is told of the request at its end.
    async fn respond(
        &self,
        mut exchange: Box<Exchange>,
        mut answer: Answer,
        chain: &Chain<R>,
        picked: Option<&[Link<R>]>,
        draft: Option<Box<Draft>>,
        timing: Timing,
    ) -> Respond {
        let options = &self.worker.options;
        let matched = exchange.matched.clone();
        let sees = |link: &&Link<R>| link.hooks.response || link.hooks.response_body;
        let from_picked = picked.into_iter().flatten().filter(sees);
        let from_chain = if picked.is_some() { &[][..] } else { &chain.response[..] };
        exchange.response = Some(answer.head);
        let (runtime, worker) = (&*self.worker.runtime, self.worker.number);
        let links = from_picked.chain(from_chain);
        let (back, responded) = hooks::on_response(runtime, worker, links, exchange).await;
        exchange = back;
        answer = match (exchange.response.take(), responded.sound) {
            (Some(head), true) => Answer { head, ..answer },
            _ => Answer::from_failure(Failure::Internal, &exchange, options.error_default_type),
        };
        trace::tell(&mut exchange, &mut answer.head.headers);
        if let Some(body) = exchange.response_body.take() {
            answer.head.headers.remove(header::CONTENT_LENGTH);
            answer.body = ResponseBody::Full(body);
        }
        let recorder = draft.or_else(|| Some(Draft::new(&exchange, exchange.started))).and_then(|draft| {
            let logs = |link: &&Link<R>| link.hooks.log;
            let links: Vec<_> = match picked {
                Some(picked) => picked.iter().filter(logs).cloned().collect(),
                None => chain.log.clone(),
            };
            let record =
                || Recorder::new(&self.worker, links.clone(), draft, &mut exchange, &answer.head, timing);
            if links.is_empty() { None } else { Some(record()) }
        });
        if !responded.watchers.is_empty() && !answer.body.is_end_stream() {
            let Answer { head, body, timing } = answer;
            exchange.response = Some(head);
            let (exchange, watched) = watched::watch(&self.worker, exchange, body, responded.watchers).await;
            answer = match watched {
                Ok((head, body)) => Answer { head, body, timing },
                Err(error) => {
                    tracing::debug!(%error, "a response's body cannot be shown to plugins");
                    let failure = match error {
                        BodyError::Plugin => Failure::Internal,
                        _ => Failure::BadGateway,
                    };
                    let wishes = exchange.as_ref().map(|exchange| &exchange.request.headers);
                    let none = HeaderMap::new();
                    let id = exchange.as_ref().map_or(0, |exchange| exchange.id);
                    Answer::failure(failure, wishes.unwrap_or(&none), options.error_default_type, id)
                }
            };
        }
        Respond { answer, recorder: recorder.map(|recorder| recorder as Box<dyn Tail>), matched }
    }

    /// What is known of the connection beyond what every plugin asks for.
    fn details(&self) -> Option<Box<Details>> {
        let tls = self.peer.tls.as_ref()?;
        Some(Box::new(Details { tls: Some(Arc::clone(&tls.info)), ..Details::default() }))
    }

    /// Whether the request's body came to its end, so that another request can follow it.
    async fn is_at_end(&self, rest: Option<Rest>, answer: &Answer) -> bool {
        let ends = answer.head.headers.get(header::CONNECTION).is_some_and(|value| value == "close")
            || answer.head.status == StatusCode::SWITCHING_PROTOCOLS
            || self.deadline.clients_fault().is_some();
        match rest {
            Some(rest) if !ends => Box::pin(rest.read()).await,
            _ => false,
        }
    }

    /// Finds the route of a request, and what its upstream is asked for.
    fn find<'s>(
        &self,
        snapshot: &'s Snapshot<R>,
        head: &request::Parts,
        client: IpAddr,
    ) -> Result<Found<'s, R>, Failure> {
        self.refuse(head)?;
        self.find_route(snapshot, head, client)
    }

    /// Whether a request is one that is looked at any further.
    fn refuse(&self, head: &request::Parts) -> Result<(), Failure> {
        if let Some(suspicion) = self.guard.take_suspicion() {
            return Err(suspicion);
        }
        if let Some(refusal) = forwarded::refusal(head) {
            return Err(refusal);
        }
        match self.worker.options.max_body_size {
            Some(most) if forwarded::body_length(&head.headers) > Some(most) => Err(Failure::BodyTooLarge),
            _ => Ok(()),
        }
    }

    fn find_route<'s>(
        &self,
        snapshot: &'s Snapshot<R>,
        head: &request::Parts,
        client: IpAddr,
    ) -> Result<Found<'s, R>, Failure> {
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
            source: Some(SocketAddr::new(client, self.peer.address.port())),
            destination: Some(self.peer.listener),
            port: self.peer.port,
        };
        let matched = snapshot.router.find(&view).ok_or(Failure::NoRoute)?;
        let route = snapshot.routes.get(matched.route).ok_or(Failure::NoRoute)?;
        if let Some(demand) = &route.demand {
            let spoken = Spoken {
                https: self.peer.forwards_https(&head.headers, self.peer.tls.is_some()),
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
        let mut details = None;
        if route.chain.has_request_hooks() && (route.has_captures || path != head.uri.path()) {
            let captured = match route.has_captures {
                true => snapshot.router.captures(&matched, &view),
                false => Captures::default(),
            };
            details = self.details().or_else(|| Some(Box::default()));
            if let Some(details) = &mut details {
                details.positional =
                    captured.numbered().map(|text| text.unwrap_or_default().to_owned()).collect();
                details.named =
                    captured.names().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
                details.normal_path = (path != head.uri.path()).then(|| path.to_string());
            }
        }
        Ok(Found {
            target: target(&head.uri, &upstream)?,
            prefix,
            captures,
            details,
            route,
            websocket: false,
        })
    }
}

/// What the upstream is asked for: its path, and the client's query as it came.
pub(crate) fn target(original: &Uri, path: &str) -> Result<PathAndQuery, Failure> {
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

/// An id as a header's value.
pub(crate) fn id_value(id: u128) -> HeaderValue {
    HeaderValue::from_bytes(&id_text(id)).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// An id in hexadecimal digits.
pub(crate) fn id_text(id: u128) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'0'; 32];
    for (at, digit) in text.iter_mut().enumerate() {
        let nibble = (id >> (124 - 4 * at)) & 0xf;
        *digit = DIGITS.get(nibble as usize).copied().unwrap_or(b'0');
    }
    text
}
