//! `cargo xtask test`

use anyhow::Result;

use crate::browser;
use crate::languages;
use crate::plugins;
use crate::process;
use crate::soak;
use crate::steps::Steps;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Run only the tests whose name contains this
    filter: Option<String>,

    /// Options for the test runner: cargo-nextest where it is installed, the test programs otherwise
    #[arg(last = true, value_name = "OPTIONS")]
    options: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let mut steps = Steps::default();
    // Tests load the plugins from target/, so without them the rest would fail for a reason that is no longer on
    // the screen.
    if !steps.record("plugins and fixtures", || plugins::build(workspace, None, true)) {
        for name in ["tests", "documentation tests"] {
            steps.leave_out(name, "they need the plugins");
        }
        return steps.finish();
    }

    let mut version = workspace.cargo();
    version.args(["nextest", "--version"]);
    let mut tests = workspace.cargo();
    if process::succeeds(version) {
        tests
            .args(["nextest", "run", "--workspace", "--no-fail-fast"])
            .args(&args.filter)
            .args(&args.options);
        steps.run("tests", tests);
    } else {
        // Not the documentation tests: they follow below.
        tests.args(["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--no-fail-fast"]);
        tests.args(&args.filter);
        if !args.options.is_empty() {
            tests.arg("--").args(&args.options);
        }
        steps.run("tests (with cargo test; cargo-nextest is not installed)", tests);
    }

    let mut documentation = workspace.cargo();
    documentation.args(["test", "--workspace", "--doc", "--no-fail-fast"]).args(&args.filter);
    steps.run("documentation tests", documentation);
    if args.filter.as_deref() == Some("soak") {
        // As long as it takes to see whether reloading leaks or loses anything.
        steps.record("soak, a minute of reloads", || soak::run(workspace, &soak::Args::of_seconds(60)));
    }
    if args.filter.as_deref() == Some("console") {
        browser::test(workspace, &mut steps);
    }
    in_other_languages(workspace, args.filter.as_deref(), &mut steps);
    steps.finish()
}

/// Runs the tests of plugins in other languages than Rust, with tools that are installed for whoever asks for them by
/// name.
fn in_other_languages(workspace: &Workspace, filter: Option<&str>, steps: &mut Steps) {
    const NAME: &str = "plugins in JavaScript, Python and C";
    match filter {
        Some("languages" | "javascript" | "python") => {}
        Some(_) => return,
        None if languages::are_installed(workspace) => {}
        None => {
            let mend = "their tools are not installed; `cargo xtask test languages` installs them below target/tools";
            return steps.leave_out(NAME, mend);
        }
    }
    steps.record(NAME, || {
        languages::build(workspace, &workspace.scratch("test-plugins")?)?;
        let mut tests = workspace.cargo();
        tests.args(["test", "-p", "moongate", "--test", "authors"]);
        tests.args([filter.unwrap_or("languages"), "--", "--ignored"]);
        process::run(tests)
    });
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                  everything
  cargo xtask test router           the tests whose name contains `router`
  cargo xtask test console          what is about the console, also in a browser
  cargo xtask test languages        plugins in JavaScript, Python and C, with the tools that they need
  cargo xtask test soak             what is about soaking, and a minute of reloads under load
  cargo xtask test -- --retries 2   with options of cargo-nextest";
