//! Deadlines of client connections, at the cost of a store.
//!
//! A timer for each wait would be armed and disarmed several times per request, and hardly ever fire. Here a
//! connection writes down until when it is willing to wait, and its worker looks at all of them some times a
//! second. Whoever is late is woken and finds that its deadline has passed.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Failure;
use crate::leftover::Leftover;

/// How often a worker looks at its deadlines; a wait may take so much longer than it should.
pub(crate) const LOOK: Duration = Duration::from_millis(50);

/// The time, as a worker knows it without asking the system: that of its last request or look at its deadlines,
/// whichever was later. Good enough for whatever may take seconds.
pub(crate) struct Clock(Cell<Instant>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Cell::new(Instant::now()))
    }

    /// Asks the system.
    pub(crate) fn look(&self) -> Instant {
        let now = Instant::now();
        self.0.set(now);
        now
    }

    /// The time of the last look.
    pub(crate) fn now(&self) -> Instant {
        self.0.get()
    }
}

/// What one connection is waiting for, and until when.
#[derive(Default)]
pub(crate) struct Deadline {
    until: Cell<Option<Instant>>,
    /// Whether the worker found that the wait is over.
    passed: Cell<bool>,
    /// Whether the connection waits for its client's next request.
    at_rest: Cell<bool>,
    /// What the client did wrong while it sent a request's body.
    clients_fault: Cell<Option<Failure>>,
    /// Whether a response is still to begin.
    unanswered: Cell<bool>,
    /// Whether it is the client that is waited for, in the middle of its body.
    for_client: Cell<bool>,
    waker: RefCell<Option<Waker>>,
    /// What is left of the body of the connection's request.
    pub(crate) leftover: Leftover,
}

impl Deadline {
    /// Starts to wait, in the middle of a request, for something that may take `wait` from `now`.
    pub(crate) fn wait(&self, now: Instant, wait: Duration) {
        self.until.set(now.checked_add(wait));
        self.passed.set(false);
        self.at_rest.set(false);
        self.for_client.set(false);
    }

    /// Says whether the response to the request under way is still to begin.
    pub(crate) fn set_unanswered(&self, unanswered: bool) {
        self.unanswered.set(unanswered);
    }

    /// Starts to wait for the next piece of the client's body, if that is not waited for already. Once a response has begun
    /// it does not matter how slowly the rest of the request comes.
    pub(crate) fn wait_for_client(&self, wait: Duration) {
        if self.unanswered.get() && !self.for_client.get() {
            self.wait(Instant::now(), wait);
            self.for_client.set(true);
        }
    }

    /// Whether the client has taken too long within its body.
    pub(crate) fn has_waited_for_client(&self) -> bool {
        self.for_client.get() && self.passed.get()
    }

    /// Starts to wait for the client's next request.
    pub(crate) fn rest(&self, now: Instant, wait: Duration) {
        self.until.set(now.checked_add(wait));
        self.passed.set(false);
        self.at_rest.set(true);
    }

    /// There is something to do, and nothing to wait for.
    pub(crate) fn work(&self) {
        self.until.set(None);
        self.passed.set(false);
        self.at_rest.set(false);
    }

    /// The client broke off in the middle of a request, or sends what it must not.
    pub(crate) fn blame_client(&self, failure: Failure) {
        self.clients_fault.set(Some(failure));
    }

    /// What the client did wrong in the middle of a request. Nothing can follow such a request.
    pub(crate) fn clients_fault(&self) -> Option<Failure> {
        self.clients_fault.get()
    }

    /// Whether the connection waits for its client's next request.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.at_rest.get()
    }

    /// Whether the client has taken too long to send its next request.
    pub(crate) fn has_rested_too_long(&self) -> bool {
        self.at_rest.get() && self.passed.get()
    }

    /// Whether the worker found that the wait is over.
    pub(crate) fn has_passed(&self) -> bool {
        self.passed.get()
    }

    /// Wakes `waker` when a wait is over. One task waits on a connection, so the last one counts.
    pub(crate) fn wake(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if known.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }
}

/// The deadlines of one worker.
#[derive(Default)]
pub(crate) struct Deadlines {
    all: RefCell<Vec<Weak<Deadline>>>,
}

impl Deadlines {
    /// A deadline that is looked at until it is dropped.
    pub(crate) fn register(&self) -> Rc<Deadline> {
        let deadline = Rc::new(Deadline::default());
        self.all.borrow_mut().push(Rc::downgrade(&deadline));
        deadline
    }

    /// Lets connections that wait for a request wait for no longer than `wait` from `now`.
    pub(crate) fn shorten_rest(&self, now: Instant, wait: Duration) {
        for deadline in self.all.borrow().iter().filter_map(Weak::upgrade).filter(|d| d.at_rest.get()) {
            let until = now.checked_add(wait);
            if deadline.until.get() > until {
                deadline.until.set(until);
            }
        }
    }

    /// Wakes the connections whose wait is over.
    pub(crate) fn look(&self, now: Instant) {
        let mut late = Vec::new();
        self.all.borrow_mut().retain(|deadline| {
            let Some(deadline) = deadline.upgrade() else { return false };
            if deadline.until.get().is_some_and(|until| until <= now) {
                deadline.passed.set(true);
            }
            if deadline.has_passed()
                && let Some(waker) = deadline.waker.borrow().clone()
            {
                late.push(waker);
            }
            true
        });
        for waker in late {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Bell(AtomicU32);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn only_a_connection_that_is_late_is_woken() {
        let deadlines = Deadlines::default();
        let (early, late) = (deadlines.register(), deadlines.register());
        let bells = [Arc::new(Bell::default()), Arc::new(Bell::default())];
        early.wake(&Waker::from(Arc::clone(&bells[0])));
        late.wake(&Waker::from(Arc::clone(&bells[1])));
        let now = Instant::now();
        early.rest(now, Duration::from_secs(9));
        late.wait(now, Duration::from_secs(1));

        deadlines.look(now + Duration::from_secs(2));
        assert_eq!(bells.each_ref().map(|bell| bell.0.load(Ordering::Relaxed)), [0, 1]);

        late.work();
        deadlines.look(now + Duration::from_secs(3));
        assert_eq!(bells[1].0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_connection_that_is_gone_is_forgotten() {
        let deadlines = Deadlines::default();
        drop(deadlines.register());
        deadlines.look(Instant::now());
        assert!(deadlines.all.borrow().is_empty());
    }
}
