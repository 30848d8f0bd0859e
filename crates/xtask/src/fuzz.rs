//! `cargo xtask fuzz`
//!
//! The targets are in `tests/fuzz`, a workspace of its own, so that everything in them is built with coverage for
//! libFuzzer; the stable compiler can do that. Inputs are looked for in `target/fuzz-inputs`, beginning with those that
//! are kept in `tests/fuzz/corpus`; the tests of `moongate-proxy` try the kept ones too.

use std::env::consts::ARCH;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::output::say;
use crate::process;
use crate::steps::Steps;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The targets to run, one after the other; all of them unless given
    targets: Vec<String>,

    /// How long each of them runs
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    seconds: u64,

    /// Afterwards keep the inputs that reach more of the code than those in tests/fuzz/corpus
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let directory = workspace.root.join("tests/fuzz");
    let known = targets(&directory)?;
    if let Some(unknown) = args.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target `{unknown}`; there are {}", known.join(", "));
    }
    let chosen = if args.targets.is_empty() { &known } else { &args.targets };

    let built = workspace.root.join("target/fuzz");
    let triple = format!("{ARCH}-unknown-linux-gnu");
    let mut command = workspace.cargo();
    command.current_dir(&directory).args(["build", "--release", "--bins"]);
    // With a target that is named, the flags are not for what runs at build time.
    command.args(["--target", &triple, "--target-dir"]).arg(&built);
    command.env("RUSTFLAGS", FLAGS.join(" "));
    process::run(command)?;

    let mut steps = Steps::default();
    for target in chosen {
        let program = built.join(&triple).join("release").join(target);
        let kept = directory.join("corpus").join(target);
        steps.record(target, || {
            let found = workspace.scratch(&format!("fuzz-inputs/{target}"))?;
            let mut command = Command::new(&program);
            command.arg(format!("-max_total_time={}", args.seconds));
            // Where an input that breaks a rule is written to; the name tells what it did.
            command.arg(format!("-artifact_prefix={}/", built.display()));
            command.args(["-timeout=20", "-print_final_stats=1", "-verbosity=0"]).args([&found, &kept]);
            process::run(command)
                .with_context(|| format!("an input that breaks `{target}` is in {}", built.display()))?;
            if args.keep { keep(&program, &kept, &found) } else { Ok(()) }
        });
    }
    if !args.keep {
        say!("What was found is in target/fuzz-inputs; --keep takes over what reaches more of the code.");
    }
    steps.finish()
}

/// The names of the targets.
fn targets(directory: &Path) -> Result<Vec<String>> {
    let sources = fs::read_dir(directory.join("fuzz_targets")).context("cannot look for the targets")?;
    let mut names: Vec<String> = sources
        .flatten()
        .filter_map(|source| Some(source.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Adds those of the inputs that were found to the kept ones that reach code which no kept one does; how often does not
/// count. Short ones only, since they are read by people.
fn keep(program: &Path, kept: &Path, found: &Path) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args(["-set_cover_merge=1", "-use_counters=0", "-max_len=256", "-verbosity=0"])
        .args([kept, found]);
    process::run(command)
}

/// Coverage for libFuzzer, and the checks of a debug build.
const FLAGS: [&str; 9] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg=fuzzing",
    "-Cdebug-assertions=on",
    "-Coverflow-checks=on",
    "-Ccodegen-units=4",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_inputs_that_are_kept() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz");
        let targets = targets(&directory).unwrap();
        assert!(targets.len() >= 7, "{targets:?}");
        for target in targets {
            assert!(
                fs::read_dir(directory.join("corpus").join(&target)).unwrap().next().is_some(),
                "{target}"
            );
        }
    }
}
