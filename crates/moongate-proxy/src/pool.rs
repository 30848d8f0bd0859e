//! Connections to upstreams at rest, for one worker.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::Connection;

/// The idle connections of a worker, by upstream. The one used last is used next, so that the others can age.
pub(crate) struct Pool {
    idle: RefCell<HashMap<Arc<str>, Vec<Connection>>>,
    /// Connections kept to one upstream.
    size: usize,
    timeout: Duration,
}

impl Pool {
    pub(crate) fn new(size: usize, timeout: Duration) -> Self {
        Self { idle: RefCell::default(), size, timeout }
    }

    /// A connection that was open when it was last looked at.
    pub(crate) fn take(&self, authority: &str, now: Instant) -> Option<Connection> {
        loop {
            let mut connection = self.idle.borrow_mut().get_mut(authority)?.pop()?;
            if now.duration_since(connection.idle_since) >= self.timeout {
                continue;
            }
            // The upstream may have closed it since. Whoever uses the connection next is woken, not we.
            connection.drive(&mut Context::from_waker(Waker::noop()));
            if connection.is_reusable() {
                return Some(connection);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(crate) fn put(&self, authority: &Arc<str>, mut connection: Connection, now: Instant) {
        if self.size == 0 {
            return;
        }
        connection.idle_since = now;
        let mut idle = self.idle.borrow_mut();
        match idle.get_mut(authority) {
            Some(connections) if connections.len() < self.size => connections.push(connection),
            Some(_) => {}
            None => {
                idle.insert(Arc::clone(authority), vec![connection]);
            }
        }
    }

    /// Closes connections that have been idle for too long, and forgets upstreams that have none.
    pub(crate) fn sweep(&self, now: Instant) {
        self.idle.borrow_mut().retain(|_, connections| {
            connections.retain(|connection| now.duration_since(connection.idle_since) < self.timeout);
            !connections.is_empty()
        });
    }
}
