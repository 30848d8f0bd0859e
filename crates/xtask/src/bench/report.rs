//! The table.

use std::fmt;
use std::time::Duration;

use crate::workspace::Workspace;

use super::Args;
use super::machine::{self, Cores};
use super::scenario::Scenario;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests_per_second: f64,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    /// That the proxy spent on one request.
    pub(crate) processor_time: Duration,
    /// Bytes, after the measurement.
    pub(crate) memory: u64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>8.0} requests/s, {:.2} µs CPU each",
            self.requests_per_second,
            micros(self.processor_time)
        )
    }
}

/// The measurements of a proxy in a scenario, one per round.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) scenario: Scenario,
    pub(crate) proxy: String,
    /// Whether this is nginx.
    pub(crate) base: bool,
    pub(crate) measured: Vec<Measured>,
}

impl Row {
    fn figures(&self, of: impl Fn(&Measured) -> f64) -> Figures {
        Figures::new(self.measured.iter().map(of).collect())
    }

    fn processor_time(&self) -> Figures {
        self.figures(|measured| micros(measured.processor_time))
    }
}

/// Grows during a run.
#[derive(Debug)]
pub(crate) struct Report {
    head: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    pub(crate) fn new(workspace: &Workspace, cores: Cores) -> Self {
        let mut report = Self { head: machine::describe(workspace, cores), notes: Vec::new() };
        if cores.are_shared() {
            report.note("There is one core for everything, so the figures are rough".to_owned());
        }
        report
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The whole report, as Markdown.
    pub(crate) fn finish(mut self, args: &Args, rows: &[Row]) -> String {
        let time =
            |seconds: u32| if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") };
        let (connections, rounds, time) = (args.connections, args.rounds, time(args.duration));
        self.head.push(format!(
            "Load: {connections} connections, rounds: {rounds} of {time} each; median (lowest–highest)"
        ));

        let mut text = String::new();
        for line in &self.head {
            text.push_str(&format!("- {line}\n"));
        }
        let time_of = |is: &dyn Fn(&Row) -> bool| {
            rows.iter().find(|row| is(row)).map(|row| row.processor_time().median)
        };
        let plain = time_of(&|row| row.base && row.scenario == Scenario::W0);
        for scenario in Scenario::ALL {
            let rows: Vec<_> = rows.iter().filter(|row| row.scenario == scenario).collect();
            if !rows.is_empty() {
                text.push_str(&format!("\n{}: {}\n\n{HEADINGS}", scenario.name(), scenario.title()));
                // nginx's own time for the same work, where it does it.
                let base = time_of(&|row| row.base && row.scenario == scenario).or(plain);
                for row in rows {
                    let own = time_of(&|other| other.proxy == row.proxy && other.scenario == Scenario::W0);
                    text.push_str(&line(row, base, own));
                }
            }
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for note in &self.notes {
            text.push_str(&format!("- {note}.\n"));
        }
        text
    }
}

/// `base` is the processor time that is compared with, `own` the proxy's for plain proxying, both in µs.
fn line(row: &Row, base: Option<f64>, own: Option<f64>) -> String {
    let processor_time = row.processor_time();
    let shown = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let ratio = shown(base.map(|base| format!("{:.2}", processor_time.median / base)));
    let own = own.filter(|_| row.scenario != Scenario::W0);
    let more = shown(own.map(|own| format!("{:+.1}", processor_time.median - own)));
    let memory = row.measured.last().map_or(0, |measured| measured.memory) >> 20;
    format!(
        "| {} | {} | {ratio} | {more} | {:.0} | {:.2} | {:.2} | {memory} |\n",
        row.proxy,
        processor_time.shown(),
        row.figures(|measured| measured.requests_per_second).median,
        row.figures(|measured| micros(measured.median)).median / 1e3,
        row.figures(|measured| micros(measured.p99)).median / 1e3,
    )
}

#[derive(Debug, PartialEq)]
struct Figures {
    median: f64,
    lowest: f64,
    highest: f64,
}

impl Figures {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        // The same one twice when their number is odd.
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { median, lowest: at(0), highest: at(last) }
    }

    fn shown(&self) -> String {
        format!("{:.1} ({:.1}–{:.1})", self.median, self.lowest, self.highest)
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

const HEADINGS: &str = "\
| proxy | CPU µs per request | × nginx | over own W0 µs | requests/s | p50 ms | p99 ms | RSS MiB |
| --- | --- | --- | --- | --- | --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_between_the_middle_two() {
        assert_eq!(Figures::new(vec![9.0, 1.0, 3.0]), Figures { median: 3.0, lowest: 1.0, highest: 9.0 });
        assert_eq!(Figures::new(vec![4.0, 1.0, 3.0, 9.0]).median, 3.5);
    }

    #[test]
    fn a_row_is_compared_with_the_base() {
        let measured = |micros| Measured {
            requests_per_second: 50_000.4,
            median: Duration::from_micros(512),
            p99: Duration::from_micros(1_310),
            processor_time: Duration::from_nanos(micros),
            memory: 21 << 20,
        };
        let row = Row {
            scenario: Scenario::W1,
            proxy: "moongate".to_owned(),
            base: false,
            measured: vec![measured(18_000), measured(19_000), measured(20_000)],
        };
        assert_eq!(
            line(&row, Some(15.2), Some(17.0)),
            "| moongate | 19.0 (18.0–20.0) | 1.25 | +2.0 | 50000 | 0.51 | 1.31 | 21 |\n"
        );
        assert_eq!(HEADINGS.matches('|').count(), 2 * line(&row, None, None).matches('|').count());
    }
}
