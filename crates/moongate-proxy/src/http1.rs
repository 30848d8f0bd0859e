//! HTTP/1 to an upstream, over one connection.
//!
//! The request that has borrowed the connection does all the work on it: what it polls here writes, reads and parses.
//! There is no task of the connection's own and nothing is handed over. A request's head is written from where it is
//! and stays with the caller, so that sending it again needs no copy.

mod framing;
mod head;
mod sending;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::response::Parts;
use http_body::Frame;
use tokio_util::io::poll_read_buf;

use crate::body::RequestBody;
use crate::forwarded::BodyLength;
use crate::tunnel::UpstreamStream;
use crate::worker::BUFFER;

use self::framing::{Framing, Part};
use self::sending::{Form, SendError, Sending};

pub(crate) use self::sending::Unanswered;

/// Bytes that are read at a time at first; more where a body fills them.
const READ: usize = 8 * 1024;

/// Most bytes that are read at a time.
const MAX_READ: usize = 256 * 1024;

/// With less room than this, a new buffer is taken rather than the rest of the old one.
const MIN_ROOM: usize = 2 * 1024;

/// A connection that speaks HTTP/1. It carries one request at a time.
pub(crate) struct Http1 {
    stream: UpstreamStream,
    /// Has room for what is read next.
    buffer: BytesMut,
    /// How much room it should have.
    room: usize,
    /// What was read and not used yet.
    unread: Bytes,
    sending: Sending,
    framing: Framing,
    answers_head: bool,
    announces_trailers: bool,
    /// Whether another request may follow.
    keeps_alive: bool,
    /// Why the request cannot be sent to its end; the upstream may have answered all the same.
    write_error: Option<io::Error>,
}

/// Why what an upstream sends is no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("the head cannot be read: {0}")]
    Head(httparse::Error),
    #[error("the status code is none")]
    StatusCode,
    #[error("the head has a line that cannot be passed on")]
    Line,
    #[error("the body's length is not certain")]
    Length,
    #[error("a chunk does not begin or end as it should")]
    Chunk,
    #[error("the head is longer than {BUFFER} bytes")]
    TooLong,
}

impl From<Invalid> for io::Error {
    fn from(invalid: Invalid) -> Self {
        Self::new(io::ErrorKind::InvalidData, invalid)
    }
}

impl Http1 {
    pub(crate) fn new(stream: UpstreamStream) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            room: READ,
            unread: Bytes::new(),
            sending: Sending::default(),
            framing: Framing::Ended,
            answers_head: false,
            announces_trailers: false,
            keeps_alive: true,
            write_error: None,
        }
    }

    /// Whether another request can be sent: the last one and its response are through, and both sides want to go on.
    pub(crate) fn is_reusable(&self) -> bool {
        self.keeps_alive
            && self.framing == Framing::Ended
            && self.sending.is_done()
            && self.unread.is_empty()
            && self.write_error.is_none()
    }

    /// Lets go of what the last request needed.
    pub(crate) fn rest(&mut self) {
        self.sending.forget();
        if self.room > READ {
            // A body was read that most responses do not have.
            (self.buffer, self.room) = (BytesMut::new(), READ);
        }
    }

    /// Whether a connection at rest is still open and silent, as it should be.
    pub(crate) fn is_quiet(&mut self, cx: &mut Context<'_>) -> bool {
        self.poll_read(cx).is_pending()
    }

    /// Lets no other request follow.
    pub(crate) fn retire(&mut self) {
        self.keeps_alive = false;
    }

    /// Begins with a request. `write` puts down its head; `is_head` is whether the method is HEAD.
    pub(crate) fn begin(
        &mut self,
        body: RequestBody,
        length: BodyLength,
        is_head: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let form = match length {
            BodyLength::None | BodyLength::Known(0) => Form::Nothing,
            BodyLength::Known(length) => Form::Length(length),
            BodyLength::Unknown => Form::Chunked,
        };
        self.answers_head = is_head;
        self.sending.begin(body, form, write);
    }

    /// What was sent of a request that is not answered.
    pub(crate) fn give_up(&mut self) -> Unanswered {
        self.keeps_alive = false;
        self.sending.give_up()
    }

    /// Sends the request and waits for the head of its response.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is no response.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Parts>> {
        let head = ready!(self.poll_answer(cx));
        self.keeps_alive &= head.is_ok();
        Poll::Ready(head)
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Parts>> {
        self.send(cx)?;
        loop {
            if !self.unread.is_empty() {
                match head::parse(&self.unread, self.answers_head)? {
                    Some((head, length)) => {
                        let _ = self.unread.split_to(length);
                        let status = head.parts.status;
                        if status.is_informational() && status.as_u16() != 101 {
                            continue;
                        }
                        self.framing = head.framing;
                        self.announces_trailers = head.announces_trailers;
                        self.keeps_alive &= head.keeps_alive;
                        if self.sending.is_done() {
                            self.sending.forget();
                        }
                        return Poll::Ready(Ok(head.parts));
                    }
                    None if self.unread.len() > BUFFER => return Poll::Ready(Err(Invalid::TooLong.into())),
                    None => {}
                }
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => {
                    let closed = io::Error::new(io::ErrorKind::UnexpectedEof, "closed without a response");
                    return Poll::Ready(Err(self.write_error.take().unwrap_or(closed)));
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// The next part of the response's body.
    pub(crate) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Err(error) = self.send(cx) {
            return Poll::Ready(Some(Err(error)));
        }
        loop {
            match self.framing.take(&mut self.unread) {
                Ok(Part::Data(data)) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Ok(Part::Trailers(trailers)) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                Ok(Part::End) => return Poll::Ready(None),
                Ok(Part::Missing) => {}
                Err(invalid) => return Poll::Ready(Some(Err(invalid.into()))),
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) if self.framing == Framing::UntilClose => {
                    self.framing = Framing::Ended;
                    return Poll::Ready(None);
                }
                Ok(0) => return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into()))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    /// Whether the head of the response announces trailers.
    pub(crate) fn announces_trailers(&self) -> bool {
        self.announces_trailers
    }

    /// Whether the response's body has come to its end.
    pub(crate) fn is_at_end(&self) -> bool {
        self.framing == Framing::Ended
    }

    /// How much of the response's body is to come, in bytes, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.framing.left()
    }

    /// The connection as it is below HTTP, and what was read of it already.
    pub(crate) fn into_parts(self) -> (UpstreamStream, Bytes) {
        (self.stream, self.unread)
    }

    /// Sends what can be sent. That the upstream takes no more is no failure yet: there may be a response that says why.
    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.sending.is_done() || self.write_error.is_some() {
            return Ok(());
        }
        match self.sending.poll(cx, &mut self.stream) {
            Poll::Ready(Err(SendError::Body(error))) => {
                self.keeps_alive = false;
                return Err(error);
            }
            Poll::Ready(Err(SendError::Write(error))) => self.write_error = Some(error),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        Ok(())
    }

    /// Reads more, behind what was not used yet. Gives the number of bytes; none at the connection's end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.buffer.capacity() < MIN_ROOM.min(self.room) || self.room > READ {
            self.buffer.reserve(self.room);
        }
        let read = ready!(poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.buffer))?;
        let is_full = self.buffer.capacity() == self.buffer.len();
        let new = self.buffer.split().freeze();
        self.unread = match self.unread.is_empty() {
            true => new,
            false => [&self.unread[..], &new[..]].concat().into(),
        };
        self.room = match is_full {
            true => (2 * self.room).min(MAX_READ),
            false if read < self.room / 4 => (self.room / 2).max(READ),
            false => self.room,
        };
        Poll::Ready(Ok(read))
    }
}

#[cfg(test)]
mod tests;
