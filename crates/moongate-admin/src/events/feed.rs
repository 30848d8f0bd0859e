//! One stream of messages to many clients.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Whom the messages go to.
#[derive(Default)]
pub(super) struct Feed {
    listeners: Vec<Sender<Bytes>>,
    closed: bool,
}

impl Feed {
    /// Another client, which gets `first` and then everything that is sent.
    pub(super) fn subscribe(&mut self, first: Bytes) -> Messages {
        let (sender, receiver) = mpsc::channel(AHEAD);
        // There is room for one.
        let _ = sender.try_send(first);
        if !self.closed {
            self.listeners.push(sender);
        }
        Messages(receiver)
    }

    pub(super) fn has_listeners(&mut self) -> bool {
        self.listeners.retain(|listener| !listener.is_closed());
        !self.listeners.is_empty()
    }

    /// Sends a message to all. A client that does not read for a minute is let go, and may come back.
    pub(super) fn send(&mut self, message: Bytes) {
        self.listeners.retain(|listener| listener.try_send(message.clone()).is_ok());
    }

    /// Ends all streams, also those that are asked for later.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.listeners.clear();
    }
}

/// The body of one client's response.
pub(super) struct Messages(Receiver<Bytes>);

impl Body for Messages {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|message| Some(Ok(Frame::data(message?))))
    }
}

/// Messages that wait for a client at most.
const AHEAD: usize = 64;

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn next(messages: &mut Messages) -> Option<Bytes> {
        messages.frame().await.map(|frame| frame.unwrap().into_data().unwrap())
    }

    #[tokio::test]
    async fn everybody_gets_what_was_and_what_comes() {
        let mut feed = Feed::default();
        let mut early = feed.subscribe("first".into());
        feed.send("a".into());
        let mut late = feed.subscribe("second".into());
        feed.send("b".into());
        feed.close();
        for expected in ["first", "a", "b"] {
            assert_eq!(next(&mut early).await.unwrap(), expected);
        }
        for expected in ["second", "b"] {
            assert_eq!(next(&mut late).await.unwrap(), expected);
        }
        assert_eq!((next(&mut early).await, next(&mut late).await), (None, None));
        // Whoever comes too late gets the history and the end.
        let mut last = feed.subscribe("third".into());
        assert_eq!(next(&mut last).await.unwrap(), "third");
        assert_eq!(next(&mut last).await, None);
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_let_go() {
        let mut feed = Feed::default();
        let slow = feed.subscribe("first".into());
        for _ in 0..AHEAD - 1 {
            feed.send("x".into());
        }
        assert!(feed.has_listeners());
        feed.send("x".into());
        assert!(!feed.has_listeners());
        drop(slow);
    }
}
