//! Bodies of requests as clients send them, up to the largest that is taken.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::body::RequestBodyError;

/// See the module's description.
pub(crate) struct Received {
    incoming: Incoming,
    /// How many bytes may still come; `None` when more came.
    left: Option<u64>,
}

impl Received {
    /// A body that may have up to `most` bytes.
    pub(crate) fn new(incoming: Incoming, most: Option<u64>) -> Self {
        Self { incoming, left: Some(most.unwrap_or(u64::MAX)) }
    }

    /// Whether more bytes came than may.
    pub(crate) fn is_too_large(&self) -> bool {
        self.left.is_none()
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let Some(left) = self.left else { return Poll::Ready(Some(Err(RequestBodyError::TooLarge))) };
        let Some(frame) = ready!(Pin::new(&mut self.incoming).poll_frame(cx)) else {
            return Poll::Ready(None);
        };
        let frame = frame.map_err(RequestBodyError::Client)?;
        self.left = left.checked_sub(frame.data_ref().map_or(0, Bytes::len) as u64);
        Poll::Ready(Some(if self.is_too_large() { Err(RequestBodyError::TooLarge) } else { Ok(frame) }))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
