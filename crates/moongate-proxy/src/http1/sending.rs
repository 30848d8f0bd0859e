//! A request on its way out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Body;
use tokio::io::AsyncWrite;

use crate::body::RequestBody;
use crate::forwarded::Lines;

/// Pieces of bodies up to this size are copied behind what waits to be written; larger ones are written from where
/// they are.
const SMALL: usize = 4 * 1024;

/// What is still to be sent of a request.
#[derive(Default)]
pub(super) struct Sending {
    /// To be written first: heads, sizes of chunks, small pieces.
    text: Vec<u8>,
    /// How much of it was written.
    written: usize,
    /// To be written then.
    piece: Bytes,
    body: Option<RequestBody>,
    form: Form,
    /// Whether a line end is due behind the piece.
    owes_line_end: bool,
    /// Whether something was written that the stream has not passed on yet.
    is_unflushed: bool,
    /// Whether something went out, or the body was begun.
    is_begun: bool,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form {
    #[default]
    Nothing,
    /// So many bytes are to come.
    Length(u64),
    Chunked,
}

/// Why a request cannot be sent to its end.
pub(super) enum SendError {
    /// The upstream takes no more. It may have said why.
    Write(io::Error),
    /// The rest of the body does not come.
    Body(io::Error),
}

/// What was not answered.
pub(crate) struct Unanswered {
    pub(crate) body: Option<RequestBody>,
    /// Whether the upstream may have seen any of it.
    pub(crate) is_begun: bool,
}

impl Sending {
    /// Begins with a request; what `write` puts down is its head.
    pub(super) fn begin(&mut self, body: RequestBody, form: Form, write: impl FnOnce(&mut Vec<u8>)) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        write(&mut text);
        *self = Self { text, body: Some(body), form, ..Self::default() };
    }

    /// Whether all was sent.
    pub(super) fn is_done(&self) -> bool {
        self.form == Form::Nothing && self.text.is_empty() && self.piece.is_empty() && !self.is_unflushed
    }

    /// Lets go of a body that was sent.
    pub(super) fn forget(&mut self) {
        self.body = None;
    }

    /// Gives up. What was not sent comes back.
    pub(super) fn give_up(&mut self) -> Unanswered {
        let whole = std::mem::take(self);
        Unanswered { body: whole.body, is_begun: whole.is_begun }
    }

    /// Sends what can be sent.
    pub(super) fn poll<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<Result<(), SendError>> {
        loop {
            // What is there of the body goes out together with the head.
            let waits = self.fill(cx).map_err(SendError::Body)?;
            ready!(self.poll_write(cx, stream)).map_err(SendError::Write)?;
            if self.is_unflushed && (waits || self.form == Form::Nothing) {
                ready!(Pin::new(&mut *stream).poll_flush(cx)).map_err(SendError::Write)?;
                self.is_unflushed = false;
            }
            if self.form == Form::Nothing {
                return Poll::Ready(Ok(()));
            }
            if waits {
                return Poll::Pending;
            }
        }
    }

    fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut S,
    ) -> Poll<io::Result<()>> {
        loop {
            let text = self.text.get(self.written..).unwrap_or_default();
            let mut stream = Pin::new(&mut *stream);
            let count = ready!(match (text.is_empty(), self.piece.is_empty()) {
                (true, true) => break,
                (false, true) => stream.as_mut().poll_write(cx, text),
                (true, false) => stream.as_mut().poll_write(cx, &self.piece),
                (false, false) => {
                    stream.as_mut().poll_write_vectored(cx, &[IoSlice::new(text), IoSlice::new(&self.piece)])
                }
            })?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            (self.is_begun, self.is_unflushed) = (true, true);
            let of_text = count.min(text.len());
            self.written += of_text;
            self.piece.advance(count - of_text);
        }
        self.text.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Takes what is there of the body, and says whether more has to be waited for.
    fn fill(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.owes_line_end && self.piece.is_empty() {
            self.text.extend_from_slice(b"\r\n");
            self.owes_line_end = false;
        }
        while self.form != Form::Nothing && self.piece.is_empty() && self.text.len() < 4 * SMALL {
            let Some(body) = &mut self.body else { return Err(io::ErrorKind::UnexpectedEof.into()) };
            match Pin::new(body).poll_frame(cx) {
                Poll::Pending => return Ok(true),
                Poll::Ready(Some(Err(error))) => return Err(io::Error::other(error)),
                Poll::Ready(Some(Ok(frame))) => {
                    self.is_begun = true;
                    match frame.into_data() {
                        Ok(data) => self.put(data)?,
                        Err(frame) => self.end(frame.into_trailers().ok())?,
                    }
                }
                Poll::Ready(None) => self.end(None)?,
            }
        }
        Ok(false)
    }

    fn put(&mut self, data: Bytes) -> io::Result<()> {
        if data.is_empty() {
            return Ok(());
        }
        if let Form::Length(left) = &mut self.form {
            *left = left.checked_sub(data.len() as u64).ok_or(io::ErrorKind::InvalidData)?;
        } else {
            self.text.extend_from_slice(format!("{:X}\r\n", data.len()).as_bytes());
        }
        let is_chunk = self.form == Form::Chunked;
        if data.len() <= SMALL {
            self.text.extend_from_slice(&data);
            if is_chunk {
                self.text.extend_from_slice(b"\r\n");
            }
        } else {
            self.piece = data;
            self.owes_line_end = is_chunk;
        }
        if self.form == Form::Length(0) {
            self.form = Form::Nothing;
        }
        Ok(())
    }

    fn end(&mut self, trailers: Option<HeaderMap>) -> io::Result<()> {
        match self.form {
            Form::Length(1..) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Form::Chunked => {
                self.text.extend_from_slice(b"0\r\n");
                for (name, value) in trailers.iter().flatten() {
                    self.text.value(name, value);
                }
                self.text.extend_from_slice(b"\r\n");
            }
            _ => {}
        }
        self.form = Form::Nothing;
        Ok(())
    }
}
