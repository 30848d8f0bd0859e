//! `cargo xtask lint`

use anyhow::Result;

use crate::process;
use crate::steps::Steps;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let cargo = |arguments: &[&str]| {
        let mut command = workspace.cargo();
        command.args(arguments);
        command
    };
    let mut steps = Steps::default();
    steps.run("formatting", cargo(&["fmt", "--all", "--check"]));
    steps.run("clippy", cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    if process::succeeds(cargo(&["deny", "--version"])) {
        steps.run("dependencies", cargo(&["deny", "check"]));
    } else {
        steps.leave_out("dependencies", "cargo-deny is not installed (cargo install --locked cargo-deny)");
    }
    steps.finish()
}
