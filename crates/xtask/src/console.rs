//! `cargo xtask console`

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Builds the console's pages, which the gateway then serves: a debug build as it is, a release build once it is made again.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    if let Some(missing) = missing() {
        bail!("{missing}");
    }
    build(workspace)
}

/// Builds the pages where that is possible, and says where it is not. For those who can do without.
pub(crate) fn build_if_possible(workspace: &Workspace) -> Result<bool> {
    match missing() {
        Some(missing) => {
            eprintln!("the console is left out: {missing}");
            Ok(false)
        }
        None if is_fresh(workspace) => Ok(true),
        None => build(workspace).map(|()| true),
    }
}

/// What has to be installed first.
pub(crate) fn missing() -> Option<String> {
    if process::find_program("npm").is_none() {
        return Some(
            "npm is not installed; it comes with Node.js 20 or newer (https://nodejs.org)".to_owned(),
        );
    }
    let mut version = Command::new("node");
    version.arg("--version");
    let found = process::capture(version).ok()?;
    let found = String::from_utf8_lossy(&found).trim().to_owned();
    let major = found.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= LEAST_NODE => None,
        _ => Some(format!("Node.js {found} is too old, the console is built with {LEAST_NODE} or newer")),
    }
}

/// Where the console's sources are.
pub(crate) fn directory(workspace: &Workspace) -> PathBuf {
    workspace.root.join("crates/moongate-admin/console")
}

/// Installs what the lock file names, unless that has been done.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let directory = directory(workspace);
    let installed = directory.join("node_modules/.package-lock.json");
    if newest(&[installed]) > newest(&[directory.join("package.json")]) && lock_is_installed(&directory) {
        return Ok(());
    }
    process::run(npm(&directory, &["ci", "--no-audit", "--no-fund"]))
}

fn build(workspace: &Workspace) -> Result<()> {
    let directory = directory(workspace);
    install(workspace)?;
    process::run(npm(&directory, &["run", "build"]))?;
    // Cargo looks at this file, so that the next build of the gateway takes in the new pages.
    let lock = directory.join("package-lock.json");
    File::options()
        .append(true)
        .open(&lock)
        .and_then(|file| file.set_modified(SystemTime::now()))
        .with_context(|| format!("cannot touch {}", lock.display()))
}

/// Whether the pages are newer than what they are made from.
fn is_fresh(workspace: &Workspace) -> bool {
    let directory = directory(workspace);
    let sources = ["src", "public", "index.html", "vite.config.ts", "package.json"];
    let sources: Vec<PathBuf> = sources.iter().map(|source| directory.join(source)).collect();
    newest(&[directory.join("dist/index.html")]) > newest(&sources)
}

/// Whether the lock file says what is installed. Its time tells nothing, because a build touches it.
fn lock_is_installed(directory: &Path) -> bool {
    let versions = |file: PathBuf| -> Option<Vec<(String, String)>> {
        let text = std::fs::read_to_string(file).ok()?;
        let lock: serde_json::Value = serde_json::from_str(&text).ok()?;
        let packages = lock.get("packages")?.as_object()?;
        let versions = packages.iter().filter(|(path, _)| !path.is_empty());
        Some(
            versions
                .filter_map(|(path, package)| Some((path.clone(), package.get("integrity")?.to_string())))
                .collect(),
        )
    };
    let (Some(wanted), Some(installed)) = (
        versions(directory.join("package-lock.json")),
        versions(directory.join("node_modules/.package-lock.json")),
    ) else {
        return false;
    };
    // Packages for other systems are named in the lock file and not installed.
    installed.iter().all(|package| wanted.contains(package))
}

/// When any of these files, or of the files below them, was changed last.
fn newest(paths: &[PathBuf]) -> Option<SystemTime> {
    let newest = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        if !metadata.is_dir() {
            return metadata.modified().ok();
        }
        let below: Vec<PathBuf> =
            std::fs::read_dir(path).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        self::newest(&below)
    };
    paths.iter().filter_map(newest).max()
}

fn npm(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(directory);
    command
}

/// As the build tool asks for it.
const LEAST_NODE: u32 = 20;
