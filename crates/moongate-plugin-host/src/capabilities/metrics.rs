//! What plugins measure, until somebody reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use parking_lot::Mutex;
use wasmtime::Result;

use crate::bindings::metrics::{self, Kind};
use crate::settings::bounds;
use crate::state::GuestState;

/// The metrics of one plugin.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<Families>);

#[derive(Default)]
struct Families {
    families: BTreeMap<String, Family>,
    series: usize,
    dropped: u64,
}

struct Family {
    /// The configurations that described it; in no one's name where none was being made.
    described_by: BTreeSet<Option<Maker>>,
    kind: Kind,
    help: String,
    /// By the labels as they are written.
    series: BTreeMap<String, Series>,
}

enum Series {
    Value(f64),
    /// How many values were at most as large as each bound, all of them and their sum.
    Histogram {
        counts: Vec<u64>,
        count: u64,
        sum: f64,
    },
}

/// A configuration: the version of the plugin, and its number within that.
pub(crate) type Maker = (u64, u64);

impl Metrics {
    fn describe(&self, maker: Option<Maker>, name: String, kind: Kind, help: String) {
        if is_name(&name) {
            let fresh = || Family { described_by: BTreeSet::new(), kind, help, series: BTreeMap::new() };
            self.0.lock().families.entry(name).or_insert_with(fresh).described_by.insert(maker);
        }
    }

    fn record(&self, name: &str, labels: &[(String, String)], value: f64, set: bool) {
        let mut families = self.0.lock();
        let Families { families, series: total, dropped } = &mut *families;
        let Some(Family { kind, series, .. }) = families.get_mut(name) else { return };
        let labels = written(labels);
        if !series.contains_key(&labels) {
            if *total >= bounds::SERIES {
                *dropped += 1;
                return;
            }
            *total += 1;
        }
        let fresh = || match kind {
            Kind::Histogram(limits) => {
                Series::Histogram { counts: vec![0; limits.len()], count: 0, sum: 0.0 }
            }
            Kind::Counter | Kind::Gauge => Series::Value(0.0),
        };
        match (series.entry(labels).or_insert_with(fresh), &kind) {
            (Series::Value(current), Kind::Counter) if !set && value >= 0.0 => *current += value,
            (Series::Value(current), Kind::Gauge) => *current = if set { value } else { *current + value },
            (Series::Histogram { counts, count, sum }, Kind::Histogram(limits)) if !set => {
                *count += 1;
                *sum += value;
                for (limit, counted) in limits.iter().zip(counts) {
                    *counted += u64::from(value <= *limit);
                }
            }
            _ => {}
        }
    }

    /// Writes what configurations in use have described, in the text form that Prometheus reads.
    pub(crate) fn render(&self, text: &mut String, in_use: &BTreeSet<Maker>) {
        let mut families = self.0.lock();
        for (name, family) in families.families.iter_mut().filter(|(_, family)| !family.series.is_empty()) {
            family.described_by.retain(|maker| maker.is_none_or(|maker| in_use.contains(&maker)));
            if family.described_by.is_empty() {
                continue;
            }
            let kind = match family.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram(_) => "histogram",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help.replace('\n', " "));
            for (labels, series) in &family.series {
                match (series, &family.kind) {
                    (Series::Histogram { counts, count, sum }, Kind::Histogram(limits)) => {
                        let comma = if labels.is_empty() { "" } else { "," };
                        for (limit, counted) in limits.iter().zip(counts) {
                            let _ =
                                writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{limit}\"}} {counted}");
                        }
                        let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
                        let _ = writeln!(
                            text,
                            "{name}_count{} {count}\n{name}_sum{} {sum}",
                            braced(labels),
                            braced(labels)
                        );
                    }
                    (Series::Value(value), _) => {
                        let _ = writeln!(text, "{name}{} {value}", braced(labels));
                    }
                    _ => {}
                }
            }
        }
    }

    /// How many series there was no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

/// Labels as they are written between braces.
fn written(labels: &[(String, String)]) -> String {
    let mut text = String::with_capacity(64);
    for (name, value) in labels.iter().filter(|(name, _)| is_name(name)) {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(name);
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text
}

/// Whether a text can be the name of a metric or label.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

impl metrics::Host for GuestState {
    fn describe(&mut self, name: String, kind: Kind, help: String) -> Result<()> {
        let maker = self.maker;
        self.space()?.metrics.describe(maker, name, kind, help);
        Ok(())
    }

    fn record(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> Result<()> {
        self.space()?.metrics.record(&name, &labels, value, false);
        Ok(())
    }

    fn set(&mut self, name: String, labels: Vec<(String, String)>, value: f64) -> Result<()> {
        self.space()?.metrics.record(&name, &labels, value, true);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(metrics: &Metrics) -> String {
        let mut text = String::new();
        metrics.render(&mut text, &BTreeSet::new());
        text
    }

    #[test]
    fn counters_gauges_and_histograms_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.describe(None, "hits".into(), Kind::Counter, "Hits.".into());
        metrics.describe(None, "depth".into(), Kind::Gauge, "Depth.".into());
        metrics.describe(None, "ms".into(), Kind::Histogram(vec![1.0, 2.5]), "Time.".into());
        let label = [("code".to_owned(), "2\"0\\0\n".to_owned())];
        metrics.record("hits", &label, 2.0, false);
        metrics.record("hits", &label, 1.0, false);
        metrics.record("hits", &label, -1.0, false);
        metrics.record("depth", &[], 3.0, true);
        metrics.record("depth", &[], -1.0, false);
        metrics.record("ms", &[], 2.0, false);
        metrics.record("ms", &[], 9.0, false);
        metrics.record("unknown", &[], 1.0, false);
        assert_eq!(
            text(&metrics),
            "# HELP depth Depth.\n# TYPE depth gauge\ndepth 2\n\
             # HELP hits Hits.\n# TYPE hits counter\nhits{code=\"2\\\"0\\\\0\\n\"} 3\n\
             # HELP ms Time.\n# TYPE ms histogram\nms_bucket{le=\"1\"} 0\nms_bucket{le=\"2.5\"} 1\nms_bucket{le=\"+Inf\"} 2\n\
             ms_count 2\nms_sum 11\n"
        );
    }

    #[test]
    fn a_metric_is_shown_as_long_as_a_configuration_that_described_it_is_in_use() {
        let metrics = Metrics::default();
        metrics.describe(Some((1, 7)), "hits".into(), Kind::Counter, String::new());
        metrics.record("hits", &[], 1.0, false);
        let shown = |in_use: &[Maker]| {
            let mut text = String::new();
            metrics.render(&mut text, &in_use.iter().copied().collect());
            text.contains("hits 1")
        };
        assert!(shown(&[(1, 7)]));
        assert!(!shown(&[(1, 8), (2, 7)]));
        metrics.describe(Some((2, 7)), "hits".into(), Kind::Counter, String::new());
        assert!(shown(&[(2, 7)]));
    }

    #[test]
    fn series_beyond_the_bound_are_dropped_and_counted() {
        let metrics = Metrics::default();
        metrics.describe(None, "hits".into(), Kind::Counter, String::new());
        for number in 0..=bounds::SERIES {
            metrics.record("hits", &[("n".into(), number.to_string())], 1.0, false);
        }
        assert_eq!(metrics.dropped(), 1);
        metrics.record("hits", &[("n".into(), "0".into())], 1.0, false);
        assert!(text(&metrics).contains("hits{n=\"0\"} 2\n"));
    }
}
