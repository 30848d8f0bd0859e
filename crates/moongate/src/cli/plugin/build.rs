//! `moongate plugin build`

use super::arguments::BuildArguments;
use crate::author::build;
use crate::author::project::Project;
use crate::cli::say;

pub(super) fn run(arguments: &BuildArguments) -> anyhow::Result<()> {
    let project = Project::open(&arguments.directory, arguments.lang)?;
    let file = build::build(&project)?;
    let size = std::fs::metadata(&file)?.len();
    say(&format!("{} ({} KiB)", file.display(), size.div_ceil(1024)));
    Ok(())
}
