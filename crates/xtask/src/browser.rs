//! The tests of the console: in a browser, against a real gateway.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::console;
use crate::process;
use crate::steps::Steps;
use crate::workspace::Workspace;

/// Builds what the tests need and runs them. Left out, with how to get there, where something is not installed.
pub(crate) fn test(workspace: &Workspace, steps: &mut Steps) {
    const NAME: &str = "console in a browser";
    if let Some(missing) = console::missing() {
        return steps.leave_out(NAME, &missing);
    }
    let Some(chromium) = chromium() else {
        return steps.leave_out(NAME, "chromium is not installed; on Debian: apt install chromium");
    };
    steps.record(NAME, || run(workspace, &chromium));
}

fn run(workspace: &Workspace, chromium: &std::path::Path) -> Result<()> {
    console::build_if_possible(workspace)?;
    let mut build = workspace.cargo();
    build.args(["build", "-p", "moongate", "-p", "echo-server"]);
    process::run(build)?;

    let programs = workspace.built.join("debug");
    let mut tests = Command::new("npm");
    tests
        .args(["test"])
        .current_dir(console::directory(workspace))
        .env("CONSOLE_TEST_GATEWAY", programs.join("moongate"))
        .env("CONSOLE_TEST_ECHO", programs.join("echo-server"))
        .env("CONSOLE_TEST_PLUGIN", workspace.root.join("target/plugins/jwt-claims.wasm"))
        .env("CONSOLE_TEST_TRAP", workspace.root.join("target/test-plugins/probe.wasm"))
        .env("CONSOLE_TEST_SHOTS", workspace.scratch("console")?)
        .env("CONSOLE_TEST_CHROMIUM", chromium);
    process::run(tests)
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(process::find_program)
}
