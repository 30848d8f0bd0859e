//! HTTP/2 connections of clients.
//!
//! Each stream is handled as a request of its own, with a deadline of its own, in a task of its own. The connection itself
//! waits only while it has no streams.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use moongate_hooks::PluginRuntime;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::access_log::LogEntry;
use crate::body::{BodyError, ClientBody};
use crate::client::Guard;
use crate::deadline::{Clock, Deadline};
use crate::handler::Handler;

/// Streams that a client may have open at a time.
const MAX_STREAMS: u32 = 128;

/// Streams that a client may take back before the gateway has looked at them. Whoever takes back more is sent away.
const MAX_TAKEN_BACK: usize = 20;

/// How often a client whose streams are open is asked whether it is still there.
const PING_INTERVAL: Duration = Duration::from_secs(60);

/// How long it may take to answer.
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// What a client that knows the gateway to speak HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Between two looks at a beginning that may become [`PREFACE`].
const GLANCE: Duration = Duration::from_millis(5);

impl<R: PluginRuntime> Handler<R> {
    /// Serves HTTP/2 on a connection until it ends.
    pub(crate) async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: S) {
        let (address, worker) = (self.peer.address, Rc::clone(&self.worker));
        let streams = Rc::new(Streams {
            open: Cell::new(0),
            deadline: Rc::clone(&self.deadline),
            clock: Rc::clone(&worker.clock),
            idle_timeout: worker.options.client_idle_timeout,
        });
        let limit = u32::try_from(worker.options.max_header_size).unwrap_or(u32::MAX);
        let (template, opened) = (self, Rc::clone(&streams));
        let service = service_fn(move |request| {
            let count = StreamCount::new(&opened);
            template.for_stream().handle_stream(request, count)
        });
        let connection = Builder::new(Local)
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(limit)
            .max_pending_accept_reset_streams(MAX_TAKEN_BACK)
            .keep_alive_interval(PING_INTERVAL)
            .keep_alive_timeout(PING_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut is_ending = false;
        let result = std::future::poll_fn(|cx| {
            loop {
                let result = connection.as_mut().poll(cx);
                if result.is_ready() {
                    return result;
                }
                streams.deadline.wake(cx.waker());
                let is_over = streams.deadline.has_rested_too_long();
                if is_ending && is_over {
                    // A client that does not answer our goodbye.
                    return Poll::Ready(Ok(()));
                }
                if is_ending || !(is_over || worker.is_draining()) {
                    return Poll::Pending;
                }
                is_ending = true;
                connection.as_mut().graceful_shutdown();
                if streams.open.get() == 0 {
                    streams.deadline.rest(worker.clock.now(), PING_TIMEOUT.min(streams.idle_timeout));
                }
            }
        })
        .await;
        if let Err(error) = result {
            tracing::debug!(%address, %error, "an HTTP/2 connection ended with an error");
        }
    }

    /// Waits for the beginning of what a client sends, and tells whether it is HTTP/2.
    pub(crate) async fn begins_with_http2(&self, stream: &TcpStream) -> bool {
        let look = async {
            let mut start = [0; PREFACE.len()];
            loop {
                let Ok(length @ 1..) = stream.peek(&mut start).await else { return false };
                if start.get(..length) != PREFACE.get(..length) {
                    return false;
                }
                if length == PREFACE.len() {
                    return true;
                }
                tokio::time::sleep(GLANCE).await;
            }
        };
        // Who sends nothing is left to HTTP/1, which knows what to do about it.
        let patience = self.worker.options.client_header_timeout / 2;
        tokio::time::timeout(patience, look).await.unwrap_or(false)
    }

    /// A handler for one stream of the connection.
    fn for_stream(&self) -> Rc<Self> {
        let deadline = self.worker.register_deadline();
        let guard = Rc::new(Guard::new(&deadline, self.worker.options.max_header_size));
        let log = self.worker.log.as_ref().map(|buffer| LogEntry::new(buffer, self.peer.text().clone()));
        Rc::new(Self {
            worker: Rc::clone(&self.worker),
            peer: self.peer.clone(),
            deadline,
            guard,
            log,
            left: Cell::default(),
        })
    }

    async fn handle_stream(
        self: Rc<Self>,
        mut request: Request<Incoming>,
        count: StreamCount,
    ) -> Result<Response<StreamBody>, Infallible> {
        speak_http1(&mut request);
        let response = self.handle(request).await?;
        Ok(response.map(|body| StreamBody { body, _count: count }))
    }
}

/// Makes of an HTTP/2 request what HTTP/1 would have made of it.
fn speak_http1(request: &mut Request<Incoming>) {
    let authority = request.uri().authority().map(|authority| HeaderValue::from_str(authority.as_str()));
    let headers = request.headers_mut();
    if let Some(Ok(host)) = authority {
        headers.insert(header::HOST, host);
    }
    join_cookies(headers);
}

/// Clients may send each cookie by itself, which compresses better; HTTP/1 has one header for all of them.
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(header::COOKIE).iter();
    let Some(first) = lines.next() else { return };
    let mut joined = first.as_bytes().to_vec();
    let mut several = false;
    for line in lines {
        joined.extend_from_slice(b"; ");
        joined.extend_from_slice(line.as_bytes());
        several = true;
    }
    if several && let Ok(joined) = HeaderValue::from_bytes(&joined) {
        headers.insert(header::COOKIE, joined);
    }
}

/// The streams of a connection.
struct Streams {
    open: Cell<usize>,
    /// The connection's, at rest while there is no stream.
    deadline: Rc<Deadline>,
    clock: Rc<Clock>,
    idle_timeout: Duration,
}

/// Counts a stream as long as it is open.
struct StreamCount(Rc<Streams>);

impl StreamCount {
    fn new(streams: &Rc<Streams>) -> Self {
        streams.open.set(streams.open.get() + 1);
        streams.deadline.work();
        Self(Rc::clone(streams))
    }
}

impl Drop for StreamCount {
    fn drop(&mut self) {
        let streams = &self.0;
        streams.open.set(streams.open.get() - 1);
        if streams.open.get() == 0 {
            streams.deadline.rest(streams.clock.now(), streams.idle_timeout);
        }
    }
}

/// The body of a stream's response; the stream ends with it.
struct StreamBody {
    body: ClientBody,
    _count: StreamCount,
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Runs streams on the worker's own thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local;

impl<F: Future + 'static> Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(async move {
            future.await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_that_came_one_by_one_are_one_header_again() {
        let mut headers = HeaderMap::new();
        for cookie in ["a=1", "b=2; c=3", "d=4"] {
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
        }
        join_cookies(&mut headers);
        let joined: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
        assert_eq!(joined, ["a=1; b=2; c=3; d=4"]);
    }
}
