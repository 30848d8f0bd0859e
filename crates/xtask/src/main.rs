//! `cargo xtask`: builds, tests, shows and measures Moongate.
//!
//! One module per command. A command that starts processes owns them as [`process::Service`]s, so every way out of
//! it, Ctrl-C included, ends them.

mod bench;
mod browser;
mod clock;
mod console;
mod demo;
mod docs;
mod fuzz;
mod http;
mod interrupt;
mod ladder;
mod languages;
mod lint;
mod output;
mod plugins;
mod ports;
mod process;
mod soak;
mod steps;
mod test;
mod token;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::interrupt::Interrupted;
use crate::workspace::Workspace;

/// Builds, tests, shows and measures Moongate
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the plugins and put them where the gateway looks for them
    Plugins(plugins::Args),
    /// Build the console, the pages that the gateway serves for a browser
    Console,
    /// Start the gateway with an upstream and print requests to try
    Demo(demo::Args),
    /// Run all tests, or those whose name contains FILTER
    Test(test::Args),
    /// Write the pages of the documentation that are made from other files
    Docs(docs::Args),
    /// Check formatting, clippy's lints and the dependencies
    Lint,
    /// Look for bytes that break what must hold for whatever bytes arrive
    Fuzz(fuzz::Args),
    /// Measure the gateway side by side with nginx
    Bench(bench::Args),
    /// Replace plugins under load for ten minutes, and look whether anything fails or grows
    Soak(soak::Args),
    /// Measure what single hooks cost, from none to a real plugin
    Ladder,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            // The error itself may be wrapped in what was going on.
            eprintln!("\n{Interrupted}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    let workspace = Workspace::load()?;
    match task {
        Task::Plugins(args) => plugins::run(&workspace, &args),
        Task::Console => console::run(&workspace),
        Task::Demo(args) => demo::run(&workspace, &args),
        Task::Test(args) => test::run(&workspace, &args),
        Task::Docs(args) => docs::run(&workspace, &args),
        Task::Lint => lint::run(&workspace),
        Task::Fuzz(args) => fuzz::run(&workspace, &args),
        Task::Bench(args) => bench::run(&workspace, &args),
        Task::Soak(args) => soak::run(&workspace, &args),
        Task::Ladder => ladder::run(&workspace),
    }
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask demo                        the gateway on port 8000, until Ctrl-C
  cargo xtask demo --once                 start, send the requests, check the answers, stop
  cargo xtask plugins                     rebuild the plugins; a running gateway takes the new ones
  cargo xtask console                     rebuild the console; a debug build of the gateway serves it at once
  cargo xtask test                        everything
  cargo xtask test console                the console in a browser, against a real gateway
  cargo xtask test router                 the tests whose name contains `router`
  cargo xtask test -- --retries 2         with options for the test runner
  cargo xtask docs                        the reference of the contract, from wit/
  cargo xtask lint
  cargo xtask fuzz                        every fuzz target for ten minutes
  cargo xtask fuzz paths --seconds 60     one of them for a minute
  cargo xtask bench                       docs/benchmarks.md explains the table
  cargo xtask bench --scenarios W0 --rounds 1 --duration 2";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
