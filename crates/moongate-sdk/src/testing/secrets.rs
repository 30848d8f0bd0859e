//! The vaults of a test.

use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static SECRETS: RefCell<HashMap<String, String>> = RefCell::default();
}

pub(super) fn clear() {
    SECRETS.take();
}

pub(super) fn insert(reference: String, value: String) {
    SECRETS.with_borrow_mut(|secrets| secrets.insert(reference, value));
}

pub(crate) fn get(reference: &str) -> Result<String, String> {
    let none = || format!("no vault of the test has {reference}");
    SECRETS.with_borrow(|secrets| secrets.get(reference).cloned().ok_or_else(none))
}
