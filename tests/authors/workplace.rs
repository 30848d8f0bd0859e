//! Where a test works: the program, the tools, and a directory of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A directory with the tools of authors at hand.
pub struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A command that finds `moongate` and all tools in its PATH.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("PATH", search_path()).stdin(Stdio::null());
        // Plugins in Rust are built from nothing once, and not once for each run of the tests.
        command.env("CARGO_TARGET_DIR", target().join("authors"));
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MOONGATE_"))
        {
            command.env_remove(name);
        }
        command
    }

    pub fn moongate(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_moongate")).args(arguments).output().unwrap()
    }

    /// What `moongate` says when it refuses.
    #[track_caller]
    pub fn refusal(&self, arguments: &[&str]) -> String {
        complaint(self.command(env!("CARGO_BIN_EXE_moongate")).args(arguments))
    }
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

pub fn target() -> PathBuf {
    root().join("target")
}

/// A plugin that `cargo xtask plugins` built.
pub fn built(name: &str) -> PathBuf {
    let found = ["plugins", "test-plugins"]
        .iter()
        .map(|set| target().join(set).join(format!("{name}.wasm")))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("{name} is not built; run `cargo xtask plugins --fixtures`"))
}

/// Fails where the tools for other languages than Rust are not there.
pub fn needs_languages() {
    let is_there = |set| target().join("tools").join(set).join("installed").is_file();
    assert!(
        ["npm", "python", "cargo"].into_iter().all(is_there),
        "the tools for other languages are not installed; `cargo xtask plugins --all-langs` does it"
    );
}

/// What a command says that fails.
#[track_caller]
pub fn complaint(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    String::from_utf8(output.stderr).unwrap()
}

pub fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn search_path() -> OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_moongate")).parent().unwrap().to_owned();
    let tools =
        ["npm/node_modules/.bin", "python/bin", "cargo/bin"].map(|below| target().join("tools").join(below));
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(program).chain(tools).chain(std::env::split_paths(&others))).unwrap()
}
