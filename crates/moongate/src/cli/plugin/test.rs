//! `moongate plugin test`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use super::arguments::TestArguments;
use crate::author::build;
use crate::author::cases::Cases;
use crate::author::language::Language;
use crate::author::project::Project;
use crate::cli::say;
use crate::logging;
use crate::properties::Properties;
use crate::trial::{Setup, Upstream};

pub(super) fn run(arguments: &TestArguments) -> anyhow::Result<()> {
    if arguments.log {
        logging::start(&Properties::default());
    }
    let (file, cases, folder) = match &arguments.file {
        Some(file) => (file.clone(), arguments.directory.join("tests/cases.yaml"), scratch(file)),
        None => {
            let project = Project::open(&arguments.directory, None)?;
            // Cargo's own tests come first: they are quicker, and closer to the fault.
            if project.language == Language::Rust {
                unit_tests(&project, arguments.filter.as_deref())?;
            }
            let file = build::build(&project)?;
            (file.clone(), project.cases(), scratch(&file))
        }
    };
    play(&file, &cases, &folder, arguments.filter.as_deref())
}

/// The directory of the gateway's files; what was compiled in it once is not compiled again.
pub(super) fn scratch(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new(".")).join("moongate")
}

fn unit_tests(project: &Project, filter: Option<&str>) -> anyhow::Result<()> {
    // Also what only the build needs: who lacks it is told before anything compiles.
    let mut command = Command::new(build::cargo(project)?);
    command.arg("test").args(filter).current_dir(&project.directory);
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("{}: `cargo test` failed ({status})", project.directory.display());
    }
    Ok(())
}

fn play(file: &Path, cases: &Path, folder: &Path, filter: Option<&str>) -> anyhow::Result<()> {
    let cases_file = cases;
    let cases = Cases::read(cases)?;
    // Of its own, so that a gateway of `moongate plugin run` is not in the way.
    let folder = folder.join(format!("test-{}", std::process::id()));
    let outcomes = (|| {
        let upstream = Upstream::start().context("no port is free for the upstream")?;
        let cache = folder.with_file_name("compiled");
        let trial = Setup::new(&folder).plugin(file).compile_cache(cache).start()?;
        let Some(plugin) = trial.plugins().first().map(|plugin| plugin.name.clone()) else {
            bail!("{}: is no plugin", file.display());
        };
        Ok(cases.play(&trial, &plugin, &upstream, filter))
    })();
    let _ = fs::remove_dir_all(&folder);
    let outcomes = outcomes?;

    let mut failed = 0;
    for outcome in &outcomes {
        if outcome.differences.is_empty() {
            say(&format!("ok      {}", outcome.name));
            continue;
        }
        failed += 1;
        say(&format!("FAILED  {}", outcome.name));
        for difference in &outcome.differences {
            say(&format!("          {difference}"));
        }
    }
    if outcomes.is_empty() {
        bail!("{}: no case was played", cases_file.display());
    }
    say(&format!("\n{} passed, {failed} failed", outcomes.len() - failed));
    if failed > 0 {
        bail!("{}: {failed} of {} cases were not answered as they say", cases_file.display(), outcomes.len());
    }
    Ok(())
}
