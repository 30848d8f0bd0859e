//! Commands that all run, also when one of them fails, and the summary at their end.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::clock::Stopwatch;
use crate::output::say;
use crate::process;

/// What was run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<(String, Outcome)>);

impl Steps {
    pub(crate) fn run(&mut self, name: &str, command: Command) {
        self.record(name, || process::run(command));
    }

    /// Runs something else than a command. Whether it succeeded.
    pub(crate) fn record(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        let watch = Stopwatch::start();
        let result = work();
        let taken = watch.elapsed();
        let succeeded = result.is_ok();
        let outcome = match result {
            Ok(()) => Outcome::Passed(taken),
            Err(error) => {
                eprintln!("error: {error:#}");
                Outcome::Failed(taken)
            }
        };
        self.0.push((name.to_owned(), outcome));
        succeeded
    }

    pub(crate) fn leave_out(&mut self, name: &str, reason: &str) {
        self.0.push((name.to_owned(), Outcome::LeftOut(reason.to_owned())));
    }

    /// Prints the summary. An error when a step has failed.
    pub(crate) fn finish(self) -> Result<()> {
        say!("\nSummary");
        for (name, outcome) in &self.0 {
            match outcome {
                Outcome::Passed(taken) => say!("  passed    {name} ({:.1} s)", taken.as_secs_f64()),
                Outcome::Failed(taken) => say!("  FAILED    {name} ({:.1} s)", taken.as_secs_f64()),
                Outcome::LeftOut(reason) => say!("  LEFT OUT  {name}: {reason}"),
            }
        }
        match self.0.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_))).count() {
            0 => Ok(()),
            failed => bail!("{failed} of {} failed", self.0.len()),
        }
    }
}

#[derive(Debug)]
enum Outcome {
    Passed(Duration),
    Failed(Duration),
    LeftOut(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_and_one_failure_fails_all() {
        let mut steps = Steps::default();
        steps.run("bad", Command::new("false"));
        steps.run("good", Command::new("true"));
        steps.leave_out("absent", "not installed");
        assert_eq!(steps.0.len(), 3);
        assert_eq!(steps.finish().unwrap_err().to_string(), "1 of 3 failed");
    }
}
