//! Other servers of a test: canned answers, and a record of what was asked.

use std::cell::RefCell;
use std::collections::VecDeque;

pub(crate) use crate::http_client::{ClientError, Incoming, Outgoing};

#[derive(Default)]
struct Servers {
    answers: VecDeque<Result<Incoming, ClientError>>,
    sent: Vec<Outgoing>,
}

thread_local! {
    static SERVERS: RefCell<Servers> = RefCell::default();
}

pub(super) fn clear() {
    SERVERS.take();
}

pub(super) fn answer(answer: Result<Incoming, ClientError>) {
    SERVERS.with_borrow_mut(|servers| servers.answers.push_back(answer));
}

pub(super) fn sent() -> Vec<Outgoing> {
    SERVERS.with_borrow(|servers| servers.sent.clone())
}

pub(crate) fn send(request: &Outgoing) -> Result<Incoming, ClientError> {
    SERVERS.with_borrow_mut(|servers| {
        servers.sent.push(request.clone());
        let nobody = || Err(ClientError::Unreachable(format!("the test has no answer to {}", request.url)));
        servers.answers.pop_front().unwrap_or_else(nobody)
    })
}
