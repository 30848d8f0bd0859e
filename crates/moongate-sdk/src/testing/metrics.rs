//! What a test's plugin has measured.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

pub(crate) use crate::metrics::Kind;

type Labels = BTreeMap<String, String>;

#[derive(Default)]
struct Metrics {
    kinds: HashMap<String, Kind>,
    values: HashMap<(String, Labels), Vec<f64>>,
}

thread_local! {
    static METRICS: RefCell<Metrics> = RefCell::default();
}

pub(super) fn clear() {
    METRICS.take();
}

/// What was recorded, in its order.
pub(super) fn values(name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    METRICS.with_borrow(|metrics| metrics.values.get(&(name.to_owned(), labels)).cloned().unwrap_or_default())
}

pub(super) fn kind(name: &str) -> Option<Kind> {
    METRICS.with_borrow(|metrics| metrics.kinds.get(name).cloned())
}

pub(crate) fn describe(name: &str, kind: &Kind, _help: &str) {
    METRICS.with_borrow_mut(|metrics| {
        metrics.kinds.entry(name.to_owned()).or_insert_with(|| kind.clone());
    });
}

pub(crate) fn record(name: &str, labels: &[(String, String)], value: f64) {
    write(name, labels, |values| values.push(value));
}

pub(crate) fn set(name: &str, labels: &[(String, String)], value: f64) {
    write(name, labels, |values| *values = vec![value]);
}

fn write(name: &str, labels: &[(String, String)], write: impl FnOnce(&mut Vec<f64>)) {
    METRICS.with_borrow_mut(|metrics| {
        let labels = labels.iter().cloned().collect();
        write(metrics.values.entry((name.to_owned(), labels)).or_default());
    });
}
