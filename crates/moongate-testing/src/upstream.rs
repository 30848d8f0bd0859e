//! The servers behind the gateway.

use moongate::trial;

pub use moongate::trial::{Answer, Received};

/// A server on a free port that remembers what reached it. Copies are the same server.
#[derive(Debug, Clone)]
pub struct Upstream(trial::Upstream);

impl Upstream {
    /// Starts one that answers every request with 200 and the request as JSON: `method`, `target`, `headers` and
    /// `body`.
    ///
    /// # Panics
    /// No port is free.
    pub fn start() -> Self {
        match trial::Upstream::start() {
            Ok(upstream) => Self(upstream),
            Err(error) => panic!("no port is free for an upstream: {error}"),
        }
    }

    /// Starts one that answers as `reply` says.
    ///
    /// # Panics
    /// No port is free.
    pub fn replying(reply: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let upstream = Self::start();
        upstream.0.reply(reply);
        upstream
    }

    /// From now on, answers as `reply` says.
    pub fn reply(&self, reply: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        self.0.reply(reply);
    }

    /// Where it listens, as the URL of a service.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// The requests that have reached it, the oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.0.requests()
    }

    /// The request that has reached it last.
    ///
    /// # Panics
    /// None has.
    #[track_caller]
    pub fn last_request(&self) -> Received {
        match self.requests().pop() {
            Some(request) => request,
            None => panic!("no request has reached the upstream"),
        }
    }

    /// So many requests must have reached it.
    ///
    /// # Panics
    /// It were more or less.
    #[track_caller]
    pub fn expect_requests(&self, count: usize) {
        let requests = self.requests();
        assert!(
            requests.len() == count,
            "{} requests have reached the upstream, not {count}",
            requests.len()
        );
    }
}
