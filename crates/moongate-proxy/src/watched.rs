//! Bodies of responses that plugins want to see.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, response};
use http_body::{Body, Frame};
use moongate_hooks::{BodyView, Exchange, PluginRuntime};

use crate::body::{BodyError, ResponseBody};
use crate::hooks::{Watcher, is_overlooked};
use crate::worker::Worker;

/// Lets plugins see a body: at once where they want it whole, while it passes where they want it in chunks. The
/// exchange has the head of the response, which comes back with the body; those who see the whole body may have changed
/// it.
///
/// # Errors
/// When the body breaks off while it is read, or a plugin fails whose failures are not to be overlooked.
pub(crate) async fn watch<R: PluginRuntime>(
    worker: &Rc<Worker<R>>,
    mut exchange: Box<Exchange>,
    mut body: ResponseBody,
    watchers: Vec<Watcher<R>>,
) -> (Option<Box<Exchange>>, Result<(response::Parts, ResponseBody), BodyError>) {
    let mut in_chunks = Vec::new();
    for watcher in watchers {
        let BodyView::Whole(limit) = watcher.view else {
            in_chunks.push(watcher);
            continue;
        };
        body = match whole(body, limit).await {
            Err(error) => return (Some(exchange), Err(error)),
            // Too long: it is not shown.
            Ok(Err(streaming)) => streaming,
            Ok(Ok((bytes, trailers))) => {
                let (back, result) = worker
                    .runtime
                    .on_response_body(worker.number, &watcher.link.binding, exchange, bytes.clone(), true)
                    .await;
                exchange = back;
                let bytes = match result {
                    Ok(None) => bytes,
                    Ok(Some(changed)) => {
                        forget_length(&mut exchange);
                        changed
                    }
                    Err(error) if is_overlooked(&watcher.link, &error) => bytes,
                    Err(_) => return (Some(exchange), Err(BodyError::Plugin)),
                };
                match trailers {
                    None => ResponseBody::Full(bytes),
                    Some(trailers) => {
                        ResponseBody::Watched(Box::pin(Trailed { bytes, trailers: Some(trailers) }))
                    }
                }
            }
        };
    }
    if !in_chunks.is_empty() {
        forget_length(&mut exchange);
    }
    // The head goes on its way now; plugins that see the body later can still read it.
    let head = if in_chunks.is_empty() { exchange.response.take() } else { exchange.response.clone() };
    let Some(head) = head else { return (Some(exchange), Err(BodyError::Plugin)) };
    if in_chunks.is_empty() {
        return (Some(exchange), Ok((head, body)));
    }
    let watched = Watched {
        body,
        passing: State::Waiting(exchange),
        worker: Rc::clone(worker),
        watchers: Rc::new(in_chunks),
        ended: false,
        trailers: None,
    };
    (None, Ok((head, ResponseBody::Watched(Box::pin(watched)))))
}

/// What changes a body changes its length.
fn forget_length(exchange: &mut Exchange) {
    if let Some(head) = &mut exchange.response {
        head.headers.remove(CONTENT_LENGTH);
    }
}

type Whole = (Bytes, Option<HeaderMap>);

/// Reads a body that has at most `limit` bytes, with its trailers; a longer one comes back as it was.
async fn whole(mut body: ResponseBody, limit: u64) -> Result<Result<Whole, ResponseBody>, BodyError> {
    if let ResponseBody::Full(bytes) = body {
        return Ok(if bytes.len() as u64 > limit {
            Err(ResponseBody::Full(bytes))
        } else {
            Ok((bytes, None))
        });
    }
    if body.size_hint().exact().is_some_and(|length| length > limit) {
        return Ok(Err(body));
    }
    let (mut read, mut length, mut trailers) = (VecDeque::new(), 0, None);
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let piece = match frame?.into_data() {
            Ok(piece) => piece,
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                continue;
            }
        };
        length += piece.len() as u64;
        read.push_back(piece);
        if length > limit {
            return Ok(Err(ResponseBody::Begun(read, Box::new(body))));
        }
    }
    let mut pieces = read.into_iter();
    let bytes = match (pieces.next(), pieces.len()) {
        (Some(only), 0) => only,
        (first, _) => {
            let mut bytes = BytesMut::with_capacity(length as usize);
            first.into_iter().chain(pieces).for_each(|piece| bytes.extend_from_slice(&piece));
            bytes.freeze()
        }
    };
    Ok(Ok((bytes, trailers)))
}

/// A body that was seen whole, and what comes behind it.
struct Trailed {
    bytes: Bytes,
    trailers: Option<HeaderMap>,
}

impl Body for Trailed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready(match bytes.is_empty() {
            false => Some(Ok(Frame::data(bytes))),
            true => self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty() && self.trailers.is_none()
    }
}

/// A body that passes through plugins, chunk by chunk.
struct Watched<R: PluginRuntime> {
    body: ResponseBody,
    passing: State,
    worker: Rc<Worker<R>>,
    watchers: Rc<Vec<Watcher<R>>>,
    ended: bool,
    /// They go out behind what plugins put at the end.
    trailers: Option<HeaderMap>,
}

type Passed = (Box<Exchange>, Result<Bytes, BodyError>);

enum State {
    Waiting(Box<Exchange>),
    /// A chunk is with the plugins.
    Passing(Pin<Box<dyn Future<Output = Passed>>>),
    Over,
}

impl<R: PluginRuntime> Body for Watched<R> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            match std::mem::replace(&mut self.passing, State::Over) {
                State::Over => {
                    let trailers = self.trailers.take();
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
                State::Passing(mut passing) => {
                    let Poll::Ready((exchange, result)) = passing.as_mut().poll(cx) else {
                        self.passing = State::Passing(passing);
                        return Poll::Pending;
                    };
                    if !self.ended {
                        self.passing = State::Waiting(exchange);
                    }
                    match result {
                        Ok(bytes) if bytes.is_empty() => {}
                        Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                        Err(error) => {
                            (self.passing, self.trailers) = (State::Over, None);
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                }
                State::Waiting(exchange) => {
                    let polled = Pin::new(&mut self.body).poll_frame(cx);
                    if polled.is_pending() {
                        self.passing = State::Waiting(exchange);
                        return Poll::Pending;
                    }
                    let piece = match ready!(polled) {
                        Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                        Some(Ok(frame)) => match frame.into_data() {
                            Ok(data) if !data.is_empty() => data,
                            // There is nothing to see in it, and it may not be the last.
                            Ok(_) => {
                                self.passing = State::Waiting(exchange);
                                continue;
                            }
                            Err(frame) => {
                                self.trailers = frame.into_trailers().ok();
                                self.passing = State::Waiting(exchange);
                                continue;
                            }
                        },
                        None => Bytes::new(),
                    };
                    self.ended = piece.is_empty() || self.body.is_end_stream();
                    let (worker, watchers) = (Rc::clone(&self.worker), Rc::clone(&self.watchers));
                    self.passing =
                        State::Passing(Box::pin(pass(worker, watchers, exchange, piece, self.ended)));
                }
            }
        }
    }
}

/// Lets each plugin change a chunk in turn.
async fn pass<R: PluginRuntime>(
    worker: Rc<Worker<R>>,
    watchers: Rc<Vec<Watcher<R>>>,
    mut exchange: Box<Exchange>,
    mut piece: Bytes,
    last: bool,
) -> Passed {
    for watcher in watchers.iter() {
        let (back, result) = worker
            .runtime
            .on_response_body(worker.number, &watcher.link.binding, exchange, piece.clone(), last)
            .await;
        exchange = back;
        match result {
            Ok(None) => {}
            Ok(Some(changed)) => piece = changed,
            Err(error) if is_overlooked(&watcher.link, &error) => {}
            Err(_) => return (exchange, Err(BodyError::Plugin)),
        }
    }
    (exchange, Ok(piece))
}
