//! Bodies on their way through: they stream, chunk by chunk, as fast as the slower side takes them.

use std::any::Any;
use std::collections::VecDeque;
use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::{Body, Frame, SizeHint};
use moongate_balancer::Pick;
use moongate_hooks::{BodyError as HookBodyError, BodyStream, Leftover};
use tokio::time::Instant;

use crate::access_log::Logging;
use crate::connection::Connection;
use crate::deadline::{Clock, Deadline};
use crate::error::Failure;
use crate::forwarded::BodyLength;
use crate::http2_upstream::SharedBody;
use crate::kept::{Kept, Replay};
use crate::pool::Pool;
use crate::received::Received;
use crate::trailers;

/// The body of a request, from the client to the upstream.
pub(crate) struct RequestBody {
    source: Source,
    deadline: Rc<Deadline>,
    timeouts: Timeouts,
    /// What may come behind it.
    announced: Box<[HeaderName]>,
}

/// How long a request may make no progress.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// The client may take so long over one piece of its body.
    pub(crate) client: Duration,
    /// The upstream may take so long to take one.
    pub(crate) write: Duration,
    /// The upstream may take so long to begin its response, once the body is sent.
    pub(crate) read: Duration,
}

/// Where the bytes of a request's body come from.
pub(crate) enum Source {
    /// There are none, or no more.
    Nothing,
    /// From the client, as they come.
    Client(Received),
    /// They were read before.
    Kept(Replay),
    /// Some were read before, the rest comes from the client.
    Begun(VecDeque<Bytes>, Received),
}

impl Source {
    /// What plugins left of a body.
    pub(crate) fn of(leftover: Leftover) -> Self {
        let rest = leftover.rest.and_then(|rest| rest.into_any().downcast::<ClientStream>().ok());
        match (leftover.replaced, rest) {
            (Some(body), _) => Self::kept(body),
            (None, Some(rest)) if leftover.read.is_empty() => Self::from(rest.0),
            (None, Some(rest)) => Self::Begun(leftover.read.into(), rest.0),
            (None, None) => match leftover.read.into_iter().next() {
                Some(body) => Self::kept(body),
                None => Self::Nothing,
            },
        }
    }

    fn kept(body: Bytes) -> Self {
        Self::Kept(Replay::new(Rc::new(Kept::of(body))))
    }

    /// What the client has still to send of it.
    pub(crate) fn into_rest(self) -> Option<Received> {
        match self {
            Self::Client(rest) | Self::Begun(_, rest) => Some(rest).filter(|rest| !rest.is_end_stream()),
            Self::Nothing | Self::Kept(_) => None,
        }
    }

    /// Whether the client has sent more than it may, as far as that came.
    pub(crate) fn is_too_large(&self) -> bool {
        matches!(self, Self::Client(rest) | Self::Begun(_, rest) if rest.is_too_large())
    }
}

/// A client's body, as hooks read it.
pub(crate) struct ClientStream(pub(crate) Received);

impl BodyStream for ClientStream {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, HookBodyError>>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                None => None,
                Some(Err(_)) => Some(Err(HookBodyError::Broken)),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    Err(_) => continue,
                },
            });
        }
    }

    fn remaining(&self) -> Option<u64> {
        self.0.size_hint().exact()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Why a request's body ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestBodyError {
    #[error("the client broke off")]
    Client(#[source] hyper::Error),
    #[error("it is larger than any may be")]
    TooLarge,
    #[error("what was kept of the body cannot be read")]
    Kept(#[source] io::Error),
}

impl RequestBodyError {
    /// What the request fails with.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Client(_) => Failure::BadRequest,
            Self::TooLarge => Failure::BodyTooLarge,
            Self::Kept(_) => Failure::Internal,
        }
    }
}

impl From<Received> for Source {
    fn from(body: Received) -> Self {
        if body.is_end_stream() { Self::Nothing } else { Self::Client(body) }
    }
}

impl RequestBody {
    /// The body of a request with this head.
    pub(crate) fn new(source: Source, head: &HeaderMap, deadline: &Rc<Deadline>, timeouts: Timeouts) -> Self {
        let announced = match &source {
            // Nothing comes behind a body of a known length.
            Source::Client(body) | Source::Begun(_, body) if body.size_hint().exact().is_none() => {
                trailers::announced(head)
            }
            _ => Box::default(),
        };
        Self { source, deadline: Rc::clone(deadline), timeouts, announced }
    }

    pub(crate) fn is_empty(&self) -> bool {
        matches!(self.source, Source::Nothing)
    }

    /// How the upstream is told where the body ends.
    pub(crate) fn length(&self) -> BodyLength {
        match &self.source {
            Source::Nothing => return BodyLength::None,
            Source::Kept(replay) if replay.has_trailers() => return BodyLength::Unknown,
            _ => {}
        }
        self.size_hint().exact().map_or(BodyLength::Unknown, BodyLength::Known)
    }

    /// The same body from its beginning, for a request that is sent again; `None` where what was sent is gone.
    pub(crate) fn again(&self) -> Option<Self> {
        let source = match &self.source {
            Source::Nothing => Source::Nothing,
            Source::Client(_) | Source::Begun(..) => return None,
            Source::Kept(replay) => Source::Kept(replay.again()),
        };
        let deadline = Rc::clone(&self.deadline);
        Some(Self { source, deadline, timeouts: self.timeouts, announced: Box::default() })
    }

    /// The client's body has ended. What came behind it is the last frame, as far as it may pass.
    fn end(&mut self, last: Option<Frame<Bytes>>) -> Option<Frame<Bytes>> {
        self.source = Source::Nothing;
        last.and_then(|frame| trailers::passed(frame, &self.announced))
    }

    /// Takes note that either side made progress, and says what is waited for from now on.
    fn moved(&self, goes_on: bool) {
        let wait = if goes_on { self.timeouts.write } else { self.timeouts.read };
        self.deadline.wait(Instant::now(), wait);
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match &mut self.source {
            Source::Nothing => Poll::Ready(None),
            Source::Kept(replay) => {
                let frame = ready!(replay.poll_frame(cx));
                let goes_on = !replay.is_at_end();
                self.moved(goes_on);
                Poll::Ready(frame.map(|frame| frame.map_err(RequestBodyError::Kept)))
            }
            Source::Begun(read, incoming) => match read.pop_front() {
                Some(piece) => {
                    self.moved(true);
                    Poll::Ready(Some(Ok(Frame::data(piece))))
                }
                None => {
                    let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) else {
                        self.deadline.wait_for_client(self.timeouts.client);
                        return Poll::Pending;
                    };
                    self.moved(frame.is_some());
                    match frame {
                        Some(Err(error)) => {
                            self.deadline.blame_client(error.failure());
                            Poll::Ready(Some(Err(error)))
                        }
                        Some(Ok(frame)) if frame.is_data() => Poll::Ready(Some(Ok(frame))),
                        last => Poll::Ready(self.end(last.and_then(Result::ok)).map(Ok)),
                    }
                }
            },
            Source::Client(incoming) => {
                let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) else {
                    self.deadline.wait_for_client(self.timeouts.client);
                    return Poll::Pending;
                };
                // A sized body is not asked for its end, so the last chunk has to be known as such.
                let goes_on = frame.is_some() && !incoming.is_end_stream();
                self.moved(goes_on);
                match frame {
                    Some(Err(error)) => {
                        self.deadline.blame_client(error.failure());
                        Poll::Ready(Some(Err(error)))
                    }
                    Some(Ok(frame)) if frame.is_data() => Poll::Ready(Some(Ok(frame))),
                    last => Poll::Ready(self.end(last.and_then(Result::ok)).map(Ok)),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Nothing => true,
            Source::Client(incoming) => incoming.is_end_stream(),
            Source::Kept(replay) => replay.is_at_end(),
            Source::Begun(read, incoming) => read.is_empty() && incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Nothing => SizeHint::with_exact(0),
            Source::Client(incoming) => incoming.size_hint(),
            Source::Kept(replay) => SizeHint::with_exact(replay.left()),
            Source::Begun(read, incoming) => {
                let read: u64 = read.iter().map(|piece| piece.len() as u64).sum();
                match incoming.size_hint().exact() {
                    Some(rest) => SizeHint::with_exact(read + rest),
                    None => SizeHint::default(),
                }
            }
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let rest = std::mem::replace(&mut self.source, Source::Nothing).into_rest();
        self.deadline.leftover.put(rest);
    }
}

/// The body of a response as it goes out, with what is to be logged when it has.
pub(crate) struct ClientBody {
    body: ResponseBody,
    logging: Option<Logging>,
    record: Option<Box<dyn Tail>>,
    /// Why it breaks off, until its client is told.
    broken: Option<BodyError>,
}

/// What wants to know how a response went, and acts when it is dropped.
pub(crate) trait Tail {
    /// So many bytes of the body went out.
    fn sent(&mut self, bytes: usize);
}

impl ClientBody {
    pub(crate) fn new(body: ResponseBody, logging: Option<Logging>, record: Option<Box<dyn Tail>>) -> Self {
        Self { body, logging, record, broken: None }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Err(error))) => {
                // Whoever sends the response drops with an error what it has not sent yet, and sends it when it waits.
                self.broken = Some(error);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            frame => frame,
        };
        if let Some(logging) = &mut self.logging
            && let Poll::Ready(Some(Ok(frame))) = &frame
        {
            logging.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        if let Some(record) = &mut self.record
            && let Poll::Ready(Some(Ok(frame))) = &frame
        {
            record.sent(frame.data_ref().map_or(0, Bytes::len));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response, to the client.
pub(crate) enum ResponseBody {
    /// Made by the gateway or a plugin.
    Full(Bytes),
    /// From an upstream.
    Upstream(UpstreamBody),
    /// From an upstream, over HTTP/2.
    Shared(SharedBody),
    /// Some was read before, the rest follows.
    Begun(VecDeque<Bytes>, Box<ResponseBody>),
    /// Passes through plugins.
    Watched(Pin<Box<dyn Body<Data = Bytes, Error = BodyError>>>),
}

/// Why a response's body ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the upstream's response broke off")]
    Upstream(#[source] io::Error),
    #[error("the upstream's response broke off")]
    Shared(#[source] hyper::Error),
    #[error("the upstream paused for too long")]
    Timeout,
    #[error("a plugin failed within the body")]
    Plugin,
}

impl BodyError {
    /// Tells of a response that an upstream does not bring to its end: its client is in the log with the status that the
    /// response began with.
    pub(crate) fn tell(&self, upstream: &str, id: u128, deadline: &Deadline) {
        if deadline.clients_fault().is_some() {
            return;
        }
        let cause = self.source().map(tracing::field::display);
        tracing::warn!(upstream, request_id = %format_args!("{id:032x}"), cause, "{self}");
    }
}

impl ResponseBody {
    /// A body from an upstream. The connection it comes over goes back to the pool at the body's end, and is
    /// closed when the body is dropped before.
    pub(crate) fn upstream(lease: Lease) -> Self {
        let mut body = UpstreamBody { lease: Some(lease) };
        body.release_at_end();
        Self::Upstream(body)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut *self {
            Self::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Upstream(body) => body.poll_frame(cx),
            Self::Shared(body) => body.poll_frame(cx),
            Self::Begun(read, rest) => match read.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None => Pin::new(&mut **rest).poll_frame(cx),
            },
            Self::Watched(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.is_end_stream(),
            Self::Shared(body) => body.is_end_stream(),
            Self::Begun(read, rest) => read.is_empty() && rest.is_end_stream(),
            Self::Watched(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.size_hint(),
            Self::Shared(body) => body.incoming.size_hint(),
            Self::Begun(read, rest) => {
                let read: u64 = read.iter().map(|piece| piece.len() as u64).sum();
                rest.size_hint()
                    .exact()
                    .map_or_else(SizeHint::default, |rest| SizeHint::with_exact(read + rest))
            }
            Self::Watched(body) => body.size_hint(),
        }
    }
}

/// A connection that a response still comes over, and what is needed to give it back.
pub(crate) struct Lease {
    pub(crate) connection: Box<Connection>,
    pub(crate) authority: Arc<str>,
    /// The request's.
    pub(crate) id: u128,
    /// Counted as under way until the body has ended.
    pub(crate) _pick: Option<Pick>,
    pub(crate) pool: Rc<Pool>,
    pub(crate) deadline: Rc<Deadline>,
    pub(crate) clock: Rc<Clock>,
    pub(crate) read_timeout: Duration,
    /// How long the client may then take to send another request.
    pub(crate) idle_timeout: Duration,
}

/// See [`ResponseBody::upstream`].
pub(crate) struct UpstreamBody {
    /// Until the body has ended.
    lease: Option<Lease>,
}

impl UpstreamBody {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(lease) = &mut self.lease else { return Poll::Ready(None) };
        match lease.connection.http.poll_body(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                lease.deadline.wait(lease.clock.now(), lease.read_timeout);
                self.release_at_end();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                let error = BodyError::Upstream(error);
                error.tell(&lease.authority, lease.id, &lease.deadline);
                self.lease = None;
                Poll::Ready(Some(Err(error)))
            }
            Poll::Ready(None) => {
                self.release_at_end();
                Poll::Ready(None)
            }
            Poll::Pending if lease.deadline.has_passed() => {
                BodyError::Timeout.tell(&lease.authority, lease.id, &lease.deadline);
                self.lease = None;
                Poll::Ready(Some(Err(BodyError::Timeout)))
            }
            Poll::Pending => {
                lease.deadline.wake(cx.waker());
                Poll::Pending
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.lease.as_ref().is_none_or(|lease| lease.connection.http.is_at_end())
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.lease.as_ref().map_or(Some(0), |lease| lease.connection.http.left());
        left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    /// Gives the connection back once the body has ended, if it can take another request.
    fn release_at_end(&mut self) {
        let Some(lease) = self.lease.take_if(|lease| lease.connection.http.is_at_end()) else { return };
        let now = lease.clock.now();
        lease.deadline.rest(now, lease.idle_timeout);
        if lease.connection.http.is_reusable() {
            lease.pool.put(&lease.authority, lease.connection, now);
        }
    }
}

impl Drop for UpstreamBody {
    fn drop(&mut self) {
        // The response ended before its body did. The connection goes with the lease.
        if let Some(lease) = &self.lease {
            lease.deadline.rest(lease.clock.now(), lease.idle_timeout);
        }
    }
}
