//! What nobody read of a request's body, where the answer does not come from the upstream.
//!
//! The connection can serve another request only behind the end of this one. So what is left is read, if it is
//! little and comes soon; else the connection is closed.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::time::Duration;

use http_body::Body;

use crate::received::Received;

/// Largest rest that is read to keep a connection, in bytes.
const MAX_READ: u64 = 64 * 1024;

/// How long the client may take to send it.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the rest of a request's body is left.
#[derive(Default)]
pub(crate) struct Leftover {
    is_wanted: Cell<bool>,
    rest: RefCell<Option<Rest>>,
}

/// What is left of a body.
pub(crate) enum Rest {
    /// It was read to its end.
    Nothing,
    /// What still comes.
    Body(Box<Received>),
}

impl Leftover {
    /// Keeps what is left of the body of the request at hand.
    pub(crate) fn want(&self) {
        self.is_wanted.set(true);
        self.rest.replace(None);
    }

    /// Leaves a body; `None` when it was read to its end.
    pub(crate) fn put(&self, body: Option<Received>) {
        if self.is_wanted.get() {
            self.rest.replace(Some(body.map_or(Rest::Nothing, |body| Rest::Body(Box::new(body)))));
        }
    }

    /// What is left, if that is known. Whatever is left later is dropped.
    pub(crate) fn take(&self) -> Option<Rest> {
        self.is_wanted.set(false);
        self.rest.take()
    }
}

impl Rest {
    /// Reads what is left. Says whether that was all of it.
    pub(crate) async fn read(self) -> bool {
        let Self::Body(mut body) = self else { return true };
        if body.size_hint().lower() > MAX_READ {
            return false;
        }
        let reading = async {
            let mut read = 0;
            while read <= MAX_READ {
                match std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, |data| data.len() as u64),
                }
            }
            false
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap_or(false)
    }
}
