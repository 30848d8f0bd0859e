//! `cargo xtask ladder`

use anyhow::Result;

use crate::plugins;
use crate::process;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    plugins::build(workspace, None, true)?;
    let mut command = workspace.cargo();
    command.args(["bench", "-p", "moongate-plugin-host", "--bench", "ladder"]);
    process::run(command)
}
