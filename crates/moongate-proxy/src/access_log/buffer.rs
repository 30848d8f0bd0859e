//! What a worker has to log and has not handed over yet.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::stamp::Stamp;
use super::{AccessLog, AccessLogFormat};

/// Bytes that are handed over at once.
pub(super) const PART: usize = 32 * 1024;

/// See the module's description.
pub(crate) struct LogBuffer {
    log: Arc<AccessLog>,
    lines: RefCell<Vec<u8>>,
    count: Cell<u64>,
    stamp: RefCell<Stamp>,
}

impl LogBuffer {
    pub(crate) fn new(log: Arc<AccessLog>) -> Rc<Self> {
        let stamp = RefCell::new(Stamp::now());
        Rc::new(Self { log, lines: RefCell::default(), count: Cell::new(0), stamp })
    }

    pub(super) fn format(&self) -> AccessLogFormat {
        self.log.format()
    }

    /// Adds a line, which is told the time to show.
    pub(super) fn add(&self, compose: impl FnOnce(&mut Vec<u8>, &Stamp)) {
        let mut lines = self.lines.borrow_mut();
        compose(&mut lines, &self.stamp.borrow());
        self.count.set(self.count.get() + 1);
        if lines.len() >= PART {
            self.hand_over(&mut lines);
        }
    }

    /// Hands lines over and looks at the clock. To be called several times a second.
    pub(crate) fn look(&self) {
        self.stamp.borrow_mut().renew();
        let mut lines = self.lines.borrow_mut();
        if !lines.is_empty() {
            self.hand_over(&mut lines);
        }
    }

    fn hand_over(&self, lines: &mut Vec<u8>) {
        let next = Vec::with_capacity(lines.capacity().min(2 * PART));
        self.log.put(std::mem::replace(lines, next), self.count.replace(0));
    }
}

impl Drop for LogBuffer {
    fn drop(&mut self) {
        self.look();
    }
}
