//! The command line.
//!
//! Exit codes: 0, it was done; 1, it was not, and standard error says why; 2, the command line makes no
//! sense.

mod arguments;
mod check;
mod client;
mod database;
mod plugin;
mod running;
mod start;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use moongate_plugin_host::serve_compiler;

use arguments::{Cli, Command};

use crate::properties::{Properties, PropertiesError, TABLE};

/// Runs the program that the command line of this process asks for.
pub fn main() -> ExitCode {
    if let Some(code) = serve_compiler() {
        return code;
    }
    let outcome = match Cli::from_arg_matches(&command().get_matches()) {
        Ok(cli) => run(cli.command),
        Err(error) => error.exit(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Start(arguments) => start::run(&arguments.sources()),
        Command::Check(arguments) => check::run(&arguments.sources()),
        Command::Version(arguments) => {
            say(crate::VERSION);
            if arguments.all {
                say(&format!("Admin API of Kong {}", moongate_admin::COMPATIBLE_VERSION));
            }
            Ok(())
        }
        Command::Health(arguments) => running::health(&arguments.sources()),
        Command::Reload(arguments) => running::reload(&arguments.sources()),
        Command::Quit(arguments) => running::quit(&arguments.properties.sources(), arguments.timeout),
        Command::Migrations(command) => database::migrations(command),
        Command::Config(command) => database::config(command),
        Command::Plugin(command) => plugin::run(command),
        Command::Stop(arguments) => running::stop(&arguments.sources()),
    }
}

/// The command line, with the properties in its help.
fn command() -> clap::Command {
    let help = properties_help();
    let with_properties = |command: clap::Command| {
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        command.after_long_help(format!("{examples}\n\n{help}"))
    };
    Cli::command().mut_subcommand("start", with_properties).mut_subcommand("check", with_properties)
}

/// Every property with its default.
fn properties_help() -> String {
    let defaults = Properties::default();
    let mut help = "\
Properties, with their defaults; in the file as `name: value`, in the environment as MOONGATE_NAME=value, on the
command line as --set name=value. Lists are separated by commas, maps are in YAML's flow style."
        .to_owned();
    for property in TABLE {
        // Writing to a string does not fail.
        let _ = write!(help, "\n\n  {}: {}", property.name, (property.show)(&defaults));
        for line in property.doc.lines() {
            let _ = write!(help, "\n     {line}");
        }
    }
    help
}

/// Several errors that are told at once.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
struct Several(Vec<String>);

/// Prints what went wrong, an `error:` for each thing, with what belongs to it indented below.
fn complain(error: &anyhow::Error) {
    let problems = if let Some(Several(problems)) = error.downcast_ref() {
        problems.clone()
    } else if let Some(PropertiesError { problems }) = error.downcast_ref() {
        problems.iter().map(ToString::to_string).collect()
    } else {
        vec![format!("{error:#}")]
    };
    for problem in problems {
        let _ = writeln!(std::io::stderr(), "error: {}", problem.trim_end().replace('\n', "\n  "));
    }
}

/// Prints a line, also when nobody reads any more.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}
