//! The tools with which plugins are built in other languages than Rust, from npm, PyPI and crates.io, in fixed versions
//! and below target/tools.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::output::say;
use crate::process;
use crate::workspace::Workspace;

/// Whether the tools were installed before, in whatever versions.
pub(crate) fn are_installed(workspace: &Workspace) -> bool {
    ["npm", "python", "cargo"].iter().all(|set| place(workspace).join(set).join(STAMP).is_file())
}

/// What was installed.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Where the programs are.
    directories: Vec<PathBuf>,
}

impl Tools {
    /// Installs what is not there yet. Takes some minutes the first time.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let directory = place(workspace);
        let pinned = workspace.root.join("crates/xtask/tools");
        let npm = directory.join("npm");
        let python = directory.join("python");
        let cargo = directory.join("cargo");
        for (set, pins, install) in [
            (&npm, &["package.json", "package-lock.json"][..], npm_install as fn(&Path, &Path) -> Result<()>),
            (&python, &["requirements.txt"], pip_install),
            (&cargo, &["wit-bindgen.txt"], cargo_install),
        ] {
            let wanted = pins
                .iter()
                .map(|name| {
                    let file = pinned.join(name);
                    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
                })
                .collect::<Result<String>>()?;
            let stamp = set.join(STAMP);
            if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
                continue;
            }
            fs::create_dir_all(set).with_context(|| format!("cannot make {}", set.display()))?;
            install(&pinned, set)?;
            fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        }
        let directories = vec![npm.join("node_modules/.bin"), python.join("bin"), cargo.join("bin")];
        Ok(Self { directories })
    }

    /// The search path with these tools before all others.
    pub(crate) fn path(&self) -> Result<OsString> {
        let others = std::env::var_os("PATH").unwrap_or_default();
        let all = self.directories.iter().cloned().chain(std::env::split_paths(&others));
        std::env::join_paths(all).context("the PATH cannot be extended")
    }
}

fn place(workspace: &Workspace) -> PathBuf {
    workspace.root.join("target/tools")
}

fn npm_install(pinned: &Path, directory: &Path) -> Result<()> {
    for name in ["package.json", "package-lock.json"] {
        let copied = fs::copy(pinned.join(name), directory.join(name));
        copied.with_context(|| format!("cannot copy {name} to {}", directory.display()))?;
    }
    // Not `ci`, which asks for the programs of other systems that the lock file leaves out.
    let mut command = program("npm", "https://nodejs.org has it, and so has Debian as `npm`")?;
    command.current_dir(directory).args(["install", "--no-audit", "--no-fund", "--loglevel", "warn"]);
    process::run(command)
}

fn pip_install(pinned: &Path, directory: &Path) -> Result<()> {
    let mut environment = program("python3", "Debian has it as `python3` and `python3-venv`")?;
    environment.args(["-m", "venv"]).arg(directory);
    process::run(environment)?;
    let mut command = Command::new(directory.join("bin/pip"));
    command.args(["install", "--disable-pip-version-check", "--progress-bar", "off", "-r"]);
    command.arg(pinned.join("requirements.txt"));
    process::run(command)
}

fn cargo_install(pinned: &Path, directory: &Path) -> Result<()> {
    let version =
        fs::read_to_string(pinned.join("wit-bindgen.txt")).context("cannot read wit-bindgen.txt")?;
    let mut command = program("cargo", "https://rustup.rs")?;
    command.args([
        "install",
        "wit-bindgen-cli",
        "--version",
        version.trim(),
        "--locked",
        "--debug",
        "--root",
    ]);
    command.arg(directory).args(["--no-default-features", "--features", "c"]);
    let build = directory.join("build");
    command.env("CARGO_TARGET_DIR", &build);
    process::run(command)?;
    // Some hundred MiB that nobody needs any more.
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
}

fn program(name: &str, get: &str) -> Result<Command> {
    if process::find_program(name).is_none() {
        bail!("`{name}` is needed for plugins in other languages, and is not there: {get}");
    }
    Ok(Command::new(name))
}

/// An example: a plugin in another language than Rust.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) directory: PathBuf,
}

/// The examples, by their directories.
pub(crate) fn examples(workspace: &Workspace) -> Vec<Example> {
    LANGUAGES.iter().map(|name| Example { directory: workspace.root.join("examples").join(name) }).collect()
}

/// Builds the examples with the program that authors use, and puts them beside the fixtures.
pub(crate) fn build(workspace: &Workspace, out: &Path) -> Result<()> {
    let tools = Tools::install(workspace)?;
    let mut gateway = workspace.cargo();
    gateway.args(["build", "-p", "moongate"]);
    process::run(gateway)?;
    for example in examples(workspace) {
        let mut command = Command::new(workspace.built.join("debug/moongate"));
        command.args(["plugin", "build"]).arg(&example.directory);
        command.env("PATH", tools.path()?);
        process::run(command)?;
        install(workspace, &example.directory.join("target"), out)?;
    }
    Ok(())
}

fn install(workspace: &Workspace, built: &Path, out: &Path) -> Result<()> {
    let entries = fs::read_dir(built).with_context(|| format!("cannot read {}", built.display()))?;
    for file in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if file.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let target = out.join(file.file_name().unwrap_or_default());
        let temporary = target.with_extension("tmp");
        fs::copy(&file, &temporary)
            .and_then(|_| fs::rename(&temporary, &target))
            .with_context(|| format!("cannot copy {} to {}", file.display(), target.display()))?;
        say!("{}", workspace.relative(&target).display());
    }
    Ok(())
}

/// Holds what was asked for, once it is installed.
const STAMP: &str = "installed";

const LANGUAGES: [&str; 3] = ["javascript", "python", "c"];
