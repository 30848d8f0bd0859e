//! The consumers of a test.

use std::cell::RefCell;

use super::RawRequest;
use crate::{Consumer, Credential};

thread_local! {
    static CONSUMERS: RefCell<Vec<Consumer>> = const { RefCell::new(Vec::new()) };
}

pub(super) fn clear() {
    CONSUMERS.take();
}

pub(super) fn insert(consumer: Consumer) {
    CONSUMERS.with_borrow_mut(|consumers| {
        consumers.retain(|known| known.id != consumer.id);
        consumers.push(consumer);
    });
}

pub(crate) fn find(id_or_username: &str) -> Option<Consumer> {
    let named = |consumer: &&Consumer| {
        consumer.id == id_or_username || consumer.username.as_deref() == Some(id_or_username)
    };
    CONSUMERS.with_borrow(|consumers| consumers.iter().find(named).cloned())
}

pub(crate) fn authenticate(
    request: &RawRequest,
    consumer: Option<&Consumer>,
    credential: Option<&Credential>,
) {
    request.authenticate(consumer.cloned(), credential.cloned());
}

pub(crate) fn authenticate_as(
    request: &RawRequest,
    id_or_username: &str,
    credential: Option<&Credential>,
) -> bool {
    let consumer = find(id_or_username);
    if consumer.is_some() {
        request.authenticate(consumer.clone(), credential.cloned());
    }
    consumer.is_some()
}
