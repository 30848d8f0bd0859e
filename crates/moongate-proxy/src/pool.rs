//! Connections to upstreams at rest, for one worker.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::Connection;
use crate::http2_upstream::Sender;

/// The idle connections of a worker, by upstream. The one used last is used next, so that the others can age.
pub(crate) struct Pool {
    #[expect(clippy::vec_box, reason = "connections move in and out at each request and are not small")]
    idle: RefCell<HashMap<Arc<str>, Vec<Box<Connection>>>>,
    /// HTTP/2 connections, which many requests use at a time.
    shared: RefCell<HashMap<Arc<str>, Sender>>,
    /// Connections kept to one upstream.
    size: usize,
    timeout: Duration,
}

impl Pool {
    pub(crate) fn new(size: usize, timeout: Duration) -> Self {
        Self { idle: RefCell::default(), shared: RefCell::default(), size, timeout }
    }

    /// A connection that was open when it was last looked at.
    pub(crate) fn take(&self, authority: &str, now: Instant) -> Option<Box<Connection>> {
        loop {
            let mut connection = self.idle.borrow_mut().get_mut(authority)?.pop()?;
            if now.duration_since(connection.idle_since) >= self.timeout {
                continue;
            }
            // The upstream may have closed it since. Whoever uses the connection next is woken, not we.
            if connection.http.is_quiet(&mut Context::from_waker(Waker::noop())) {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put(&self, authority: &Arc<str>, mut connection: Box<Connection>, now: Instant) {
        if self.size == 0 {
            return;
        }
        connection.idle_since = now;
        connection.http.rest();
        let mut idle = self.idle.borrow_mut();
        match idle.get_mut(authority) {
            Some(connections) if connections.len() < self.size => connections.push(connection),
            Some(_) => {}
            None => {
                idle.insert(Arc::clone(authority), vec![connection]);
            }
        }
    }

    /// The HTTP/2 connection to an upstream, if one is open.
    pub(crate) fn shared(&self, authority: &str) -> Option<Sender> {
        self.shared.borrow().get(authority).filter(|sender| !sender.is_closed()).cloned()
    }

    /// Lets other requests use an HTTP/2 connection.
    pub(crate) fn share(&self, authority: &Arc<str>, sender: Sender) {
        self.shared.borrow_mut().insert(Arc::clone(authority), sender);
    }

    /// Lets no other request use an HTTP/2 connection. It closes when its last request has ended.
    pub(crate) fn forget_shared(&self, authority: &str) {
        self.shared.borrow_mut().remove(authority);
    }

    /// Closes connections that have been idle for too long, and forgets upstreams that have none.
    pub(crate) fn sweep(&self, now: Instant) {
        self.shared.borrow_mut().retain(|_, sender| !sender.is_closed());
        self.idle.borrow_mut().retain(|_, connections| {
            connections.retain(|connection| now.duration_since(connection.idle_since) < self.timeout);
            !connections.is_empty()
        });
    }
}
