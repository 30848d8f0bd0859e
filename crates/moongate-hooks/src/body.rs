//! The body of a request, as far as hooks can have it.

use std::any::Any;
use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

/// A body that comes in pieces, from wherever the gateway gets it.
pub trait BodyStream: Send {
    /// The next piece; `None` at the end, an error when there will be no end.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>>;

    /// How many bytes are still to come, where that is known.
    fn remaining(&self) -> Option<u64>;

    /// The stream itself, for whoever made it.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Why a hook cannot have a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the hook wanted.
    #[error("the body is longer than the limit")]
    TooLarge,
    /// The client went away, was too slow, or broke the rules of HTTP.
    #[error("the body broke off")]
    Broken,
    /// It is on its way upstream, or was dropped.
    #[error("the body is gone")]
    Gone,
}

/// The body of a request, as far as hooks can have it.
///
/// What hooks read is kept, so that it can be read again, and goes upstream in front of the rest.
#[derive(Default)]
pub struct RequestBody {
    /// What has been read, in order.
    read: Vec<Bytes>,
    /// What is still to come.
    rest: Option<Box<dyn BodyStream>>,
    /// What a hook wants to be sent instead.
    replaced: Option<Bytes>,
    gone: bool,
    pause: Option<Duration>,
}

/// What became of a body when hooks were done with it.
#[derive(Default)]
pub struct Leftover {
    /// What was read of it, in order.
    pub read: Vec<Bytes>,
    /// What was not read; the stream that the body was made of.
    pub rest: Option<Box<dyn BodyStream>>,
    /// What is sent in its place.
    pub replaced: Option<Bytes>,
}

impl RequestBody {
    /// A body of which nothing has been read. `pause` is the longest time between two pieces.
    pub fn unread(stream: Box<dyn BodyStream>, pause: Duration) -> Self {
        Self { rest: Some(stream), pause: Some(pause), ..Self::default() }
    }

    /// The whole body, as far as it has at most `limit` bytes.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub async fn read(&mut self, limit: u64) -> Result<Bytes, BodyError> {
        if let Some(body) = &self.replaced {
            return if body.len() as u64 > limit { Err(BodyError::TooLarge) } else { Ok(body.clone()) };
        }
        if self.gone {
            return Err(BodyError::Gone);
        }
        let mut length: u64 = self.read.iter().map(|piece| piece.len() as u64).sum();
        while let Some(rest) = &mut self.rest {
            // A client that says how much it will send is believed, before anything is kept.
            if length > limit || rest.remaining().is_some_and(|remaining| length + remaining > limit) {
                return Err(BodyError::TooLarge);
            }
            let piece = std::future::poll_fn(|cx| rest.poll_piece(cx));
            match self.pause {
                Some(pause) => {
                    tokio::time::timeout(pause, piece).await.unwrap_or(Some(Err(BodyError::Broken)))
                }
                None => piece.await,
            }
            .transpose()
            .inspect_err(|_| self.gone = true)?
            .map_or_else(
                || self.rest = None,
                |piece| {
                    length += piece.len() as u64;
                    self.read.push(piece);
                },
            );
        }
        if length > limit {
            return Err(BodyError::TooLarge);
        }
        if self.read.len() > 1 {
            let whole =
                self.read.drain(..).fold(BytesMut::with_capacity(length as usize), |mut whole, piece| {
                    whole.extend_from_slice(&piece);
                    whole
                });
            self.read.push(whole.freeze());
        }
        Ok(self.read.first().cloned().unwrap_or_default())
    }

    /// Puts another body in its place.
    pub fn replace(&mut self, body: Bytes) {
        self.replaced = Some(body);
    }

    /// What there is of the body. Hooks cannot have it any more; where there is none, they go on to read nothing.
    pub fn take(&mut self) -> Leftover {
        self.gone |= self.rest.is_some() || !self.is_untouched();
        Leftover {
            read: std::mem::take(&mut self.read),
            rest: self.rest.take(),
            replaced: self.replaced.take(),
        }
    }

    /// Notes that the body went its way without hooks, or was dropped: they cannot have it any more.
    pub fn pass(&mut self) {
        self.gone = true;
    }

    /// Whether the body is as the client sends it.
    fn is_untouched(&self) -> bool {
        self.read.is_empty() && self.replaced.is_none()
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replaced = self.replaced.as_ref().map(Bytes::len);
        f.debug_struct("RequestBody")
            .field("read", &self.read.len())
            .field("replaced", &replaced)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pieces(Vec<&'static str>);

    impl BodyStream for Pieces {
        fn poll_piece(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
            let piece = if self.0.is_empty() {
                None
            } else {
                Some(Ok(Bytes::from_static(self.0.remove(0).as_bytes())))
            };
            Poll::Ready(piece)
        }

        fn remaining(&self) -> Option<u64> {
            None
        }

        fn into_any(self: Box<Self>) -> Box<dyn Any> {
            self
        }
    }

    fn body(pieces: &[&'static str]) -> RequestBody {
        RequestBody::unread(Box::new(Pieces(pieces.to_vec())), Duration::from_secs(1))
    }

    #[tokio::test]
    async fn a_body_can_be_read_twice_and_goes_upstream_all_the_same() {
        let mut body = body(&["one ", "two"]);
        assert_eq!(body.read(100).await.unwrap(), "one two");
        assert_eq!(body.read(100).await.unwrap(), "one two");
        let leftover = body.take();
        assert_eq!(leftover.read, [Bytes::from_static(b"one two")]);
        assert!(leftover.rest.is_none() && leftover.replaced.is_none());
        assert_eq!(body.read(100).await, Err(BodyError::Gone));
    }

    #[tokio::test]
    async fn where_there_is_no_body_nothing_is_read_at_any_time() {
        let mut body = RequestBody::default();
        assert_eq!(body.read(100).await.unwrap(), "");
        assert!(body.take().read.is_empty());
        assert_eq!(body.read(100).await.unwrap(), "");
        body.pass();
        assert_eq!(body.read(100).await, Err(BodyError::Gone));
    }

    #[tokio::test]
    async fn a_body_that_was_taken_unread_is_gone() {
        let mut body = body(&["one"]);
        assert!(body.take().rest.is_some());
        assert_eq!(body.read(100).await, Err(BodyError::Gone));
    }

    #[tokio::test]
    async fn what_was_read_of_a_body_that_is_too_long_is_kept_with_the_rest() {
        let mut body = body(&["12345", "67890", "x"]);
        assert_eq!(body.read(7).await, Err(BodyError::TooLarge));
        let leftover = body.take();
        assert_eq!(leftover.read, [Bytes::from_static(b"12345"), Bytes::from_static(b"67890")]);
        assert!(leftover.rest.is_some());
    }

    #[tokio::test]
    async fn a_replaced_body_is_what_later_hooks_read() {
        let mut body = body(&["old"]);
        body.replace(Bytes::from_static(b"new"));
        assert_eq!(body.read(3).await.unwrap(), "new");
        assert_eq!(body.read(2).await, Err(BodyError::TooLarge));
        assert_eq!(body.take().replaced.unwrap(), "new");
    }
}
