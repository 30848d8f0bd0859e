//! Measures. Needs the grant `metrics`.
//!
//! What is measured appears at `/metrics`. Names are used as they are: they should begin with the plugin's name. A
//! plugin may have 10,000 series; beyond them new ones are dropped and counted.

use crate::raw::metrics as raw;

/// What a metric is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values in buckets with these upper bounds, in growing order.
    Histogram(Vec<f64>),
}

/// Describes a metric; to be called in [`Plugin::new`](crate::Plugin::new). The first description counts.
pub fn describe(name: &str, kind: Kind, help: &str) {
    raw::describe(name, &kind.into(), help);
}

/// Adds to a counter or gauge, or counts a value in a histogram.
pub fn record(name: &str, labels: &[(&str, &str)], value: f64) {
    raw::record(name, &owned(labels), value);
}

/// Sets a gauge.
pub fn set(name: &str, labels: &[(&str, &str)], value: f64) {
    raw::set(name, &owned(labels), value);
}

fn owned(labels: &[(&str, &str)]) -> Vec<(String, String)> {
    labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
