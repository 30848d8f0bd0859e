//! Bodies on their way through: they stream, chunk by chunk, as fast as the slower side takes them.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use moongate_balancer::Pick;
use tokio::time::Instant;

use crate::connection::Connection;
use crate::deadline::{Clock, Deadline};
use crate::http2_upstream::SharedBody;
use crate::pool::Pool;

/// The body of a request, from the client to the upstream.
pub(crate) struct RequestBody {
    incoming: Option<Incoming>,
    deadline: Rc<Deadline>,
    /// How long the upstream may take to begin its response, once the body is sent.
    read_timeout: Duration,
    /// How long either side may take over one chunk.
    write_timeout: Duration,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, deadline: &Rc<Deadline>, write: Duration, read: Duration) -> Self {
        let incoming = if incoming.is_end_stream() { None } else { Some(incoming) };
        Self { incoming, deadline: Rc::clone(deadline), read_timeout: read, write_timeout: write }
    }

    /// A body without bytes, for a request that is sent again.
    pub(crate) fn empty(deadline: &Rc<Deadline>, read: Duration) -> Self {
        Self { incoming: None, deadline: Rc::clone(deadline), read_timeout: read, write_timeout: read }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.incoming.is_none()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let frame = ready!(Pin::new(&mut *incoming).poll_frame(cx));
        // A sized body is not asked for its end, so the last chunk has to be known as such.
        let goes_on = frame.is_some() && !incoming.is_end_stream();
        let wait = if goes_on { self.write_timeout } else { self.read_timeout };
        self.deadline.wait(Instant::now(), wait);
        match frame {
            Some(Err(error)) => {
                self.deadline.blame_client();
                Poll::Ready(Some(Err(error)))
            }
            // Plugins saw the headers; what comes behind the body would pass them by.
            Some(Ok(frame)) if frame.is_trailers() => {
                self.incoming = None;
                Poll::Ready(None)
            }
            None => {
                self.incoming = None;
                Poll::Ready(None)
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.deadline.leftover.put(self.incoming.take().filter(|incoming| !incoming.is_end_stream()));
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
}

/// Why a response's body ends early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the upstream's response broke off")]
    Upstream(#[source] hyper::Error),
    #[error("the upstream paused for too long")]
    Timeout,
}

impl ResponseBody {
    /// A body from an upstream. The connection it comes over goes back to the pool at the body's end, and is
    /// closed when the body is dropped before.
    pub(crate) async fn upstream(incoming: Incoming, lease: Lease) -> Self {
        let mut body = UpstreamBody { incoming, lease: Some(lease) };
        if body.incoming.is_end_stream() {
            std::future::poll_fn(|cx| {
                body.release(cx);
                Poll::Ready(())
            })
            .await;
        }
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
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Upstream(body) => body.incoming.is_end_stream(),
            Self::Shared(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Upstream(body) => body.incoming.size_hint(),
            Self::Shared(body) => body.incoming.size_hint(),
        }
    }
}

/// A connection that a response still comes over, and what is needed to give it back.
pub(crate) struct Lease {
    pub(crate) connection: Connection,
    pub(crate) authority: Arc<str>,
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
    incoming: Incoming,
    lease: Option<Lease>,
}

impl UpstreamBody {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // Only the driver, which is polled right here, can change what the body has; so it need not wake us.
        let quiet = &mut Context::from_waker(Waker::noop());
        let mut frame = Pin::new(&mut self.incoming).poll_frame(quiet);
        if frame.is_pending()
            && let Some(lease) = &mut self.lease
        {
            lease.connection.drive(cx);
            frame = Pin::new(&mut self.incoming).poll_frame(quiet);
        }
        match frame {
            Poll::Ready(Some(Ok(frame))) => {
                if self.incoming.is_end_stream() || frame.is_trailers() {
                    self.release(cx);
                } else if let Some(lease) = &self.lease {
                    lease.deadline.wait(lease.clock.now(), lease.read_timeout);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.lease = None;
                Poll::Ready(Some(Err(BodyError::Upstream(error))))
            }
            Poll::Ready(None) => {
                self.release(cx);
                Poll::Ready(None)
            }
            Poll::Pending => match &self.lease {
                Some(lease) if lease.deadline.has_passed() => {
                    self.lease = None;
                    Poll::Ready(Some(Err(BodyError::Timeout)))
                }
                Some(lease) => {
                    lease.deadline.wake(cx.waker());
                    Poll::Pending
                }
                None => Poll::Pending,
            },
        }
    }

    /// Gives the connection back, if it can take another request.
    fn release(&mut self, cx: &mut Context<'_>) {
        let Some(mut lease) = self.lease.take() else { return };
        // The driver has to see the end of the body before it takes another request.
        lease.connection.drive(cx);
        let now = lease.clock.now();
        lease.deadline.rest(now, lease.idle_timeout);
        if lease.connection.is_reusable() {
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
