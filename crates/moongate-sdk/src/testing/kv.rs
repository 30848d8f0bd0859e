//! The values that a test's plugin keeps.

use std::cell::RefCell;
use std::collections::HashMap;

use super::clock;

/// Value, and when it ends in milliseconds since 1970.
type Entry = (Vec<u8>, Option<u64>);

thread_local! {
    static VALUES: RefCell<HashMap<String, Entry>> = RefCell::default();
}

pub(super) fn clear() {
    VALUES.take();
}

pub(crate) fn get(key: &str) -> Option<Vec<u8>> {
    VALUES
        .with_borrow(|values| values.get(key).filter(|entry| is_alive(entry)).map(|(value, _)| value.clone()))
}

pub(crate) fn set(key: &str, value: &[u8], ttl: Option<u64>) -> bool {
    VALUES.with_borrow_mut(|values| {
        let others: usize = values
            .iter()
            .filter(|(known, entry)| *known != key && is_alive(entry))
            .map(|(known, (value, _))| known.len() + value.len())
            .sum();
        let fits = others + key.len() + value.len() <= ROOM;
        if fits {
            let ends = ttl.map(|ttl| clock::milliseconds().saturating_add(ttl));
            values.insert(key.to_owned(), (value.to_vec(), ends));
        }
        fits
    })
}

pub(crate) fn add(key: &str, value: &[u8], ttl: Option<u64>) -> bool {
    get(key).is_none() && set(key, value, ttl)
}

pub(crate) fn delete(key: &str) {
    VALUES.with_borrow_mut(|values| values.remove(key));
}

fn is_alive((_, ends): &Entry) -> bool {
    ends.is_none_or(|ends| ends > clock::milliseconds())
}

const ROOM: usize = 16 * 1024 * 1024;
