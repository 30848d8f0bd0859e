//! The context of the request that the test made last on this thread.

use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    static VALUES: RefCell<HashMap<(bool, String), Vec<u8>>> = RefCell::default();
}

pub(super) fn clear() {
    VALUES.with_borrow_mut(HashMap::clear);
}

pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
    read(false, key)
}

pub(crate) fn set(key: &str, value: Option<&[u8]>) -> bool {
    write(false, key, value)
}

pub(crate) fn get_shared(key: &str) -> Option<Vec<u8>> {
    read(true, key)
}

pub(crate) fn set_shared(key: &str, value: Option<&[u8]>) -> bool {
    write(true, key, value)
}

fn read(shared: bool, key: &str) -> Option<Vec<u8>> {
    VALUES.with_borrow(|values| values.get(&(shared, key.to_owned())).cloned())
}

fn write(shared: bool, key: &str, value: Option<&[u8]>) -> bool {
    VALUES.with_borrow_mut(|values| {
        let slot = (shared, key.to_owned());
        let others: usize = values
            .iter()
            .filter(|(known, _)| **known != slot)
            .map(|((_, key), value)| key.len() + value.len())
            .sum();
        match value {
            Some(value) if others + key.len() + value.len() > 64 * 1024 => return false,
            Some(value) => values.insert(slot, value.to_vec()),
            None => values.remove(&slot),
        };
        true
    })
}
