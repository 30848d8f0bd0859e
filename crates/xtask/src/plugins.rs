//! `cargo xtask plugins`

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::languages;
use crate::output::say;
use crate::process;
use crate::workspace::{PluginCrate, Workspace};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Where the plugins go; target/plugins unless given
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Build the plugins that the tests use as well, into target/test-plugins
    #[arg(long)]
    fixtures: bool,

    /// Build the examples in other languages than Rust as well, into target/test-plugins; their tools are installed into
    /// target/tools
    #[arg(long)]
    all_langs: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    build(workspace, args.out.as_deref(), args.fixtures)?;
    if args.all_langs {
        languages::build(workspace, &workspace.scratch("test-plugins")?)?;
    }
    Ok(())
}

/// Builds the plugins, and the fixtures if asked to, and installs them.
pub(crate) fn build(workspace: &Workspace, out: Option<&Path>, fixtures: bool) -> Result<()> {
    add_target(workspace)?;
    let out = match out {
        Some(directory) => {
            fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
            directory.to_owned()
        }
        None => workspace.scratch("plugins")?,
    };
    let mut sets = vec![(out, workspace.plugins_in("plugins")?)];
    if fixtures {
        sets.push((workspace.scratch("test-plugins")?, workspace.plugins_in("tests/plugins")?));
    }

    let mut command = workspace.cargo();
    command.args(["build", "--target", TARGET, "--profile", PROFILE]);
    for plugin in sets.iter().flat_map(|(_, plugins)| plugins) {
        command.args(["-p", &plugin.name]);
    }
    process::run(command)?;

    let built = workspace.built.join(TARGET).join(PROFILE);
    for (directory, plugins) in &sets {
        for plugin in plugins {
            let file = install(plugin, &built, directory)?;
            let size = fs::metadata(&file).with_context(|| format!("cannot read {}", file.display()))?.len();
            say!(
                "{:<16} {:>6} KiB  {}",
                plugin.name,
                size.div_ceil(1024),
                workspace.relative(&file).display()
            );
        }
    }
    Ok(())
}

/// Puts a plugin in place in one step: a gateway that watches the directory never reads half of it.
fn install(plugin: &PluginCrate, built: &Path, directory: &Path) -> Result<PathBuf> {
    let file = directory.join(format!("{}.wasm", plugin.name));
    let temporary = directory.join(format!(".{}.{}.tmp", plugin.name, std::process::id()));
    let source = built.join(&plugin.artifact);
    fs::copy(&source, &temporary)
        .and_then(|_| fs::rename(&temporary, &file))
        .with_context(|| format!("cannot copy {} to {}", source.display(), file.display()))?;
    Ok(file)
}

/// Makes sure that the toolchain can build plugins.
fn add_target(workspace: &Workspace) -> Result<()> {
    let mut library = Command::new("rustc");
    library.current_dir(&workspace.root).args(["--print", "target-libdir", "--target", TARGET]);
    let library = process::capture(library).context("cannot ask rustc about its targets")?;
    if Path::new(String::from_utf8_lossy(&library).trim()).is_dir() {
        return Ok(());
    }
    if process::find_program("rustup").is_none() {
        bail!(
            "this Rust has no standard library for {TARGET}, which plugins are built for, and rustup is not there to \
             add it: install rustup (https://rustup.rs), or the library with whatever installed Rust"
        );
    }
    let mut command = Command::new("rustup");
    command.current_dir(&workspace.root).args(["target", "add", TARGET]);
    process::run(command)
}

const TARGET: &str = "wasm32-wasip2";
/// A profile of the workspace.
const PROFILE: &str = "plugin";

const EXAMPLES: &str = "\
Examples:
  cargo xtask plugins                     into target/plugins; a gateway that watches it takes the new ones
  cargo xtask plugins --out /opt/plugins
  cargo xtask plugins --fixtures          what the tests need
  cargo xtask plugins --all-langs         the examples in JavaScript, Python and C, too";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_is_installed_under_its_name_and_leaves_no_other_file() {
        let directory = std::env::temp_dir().join(format!("xtask-install-{}", std::process::id()));
        let (built, out) = (directory.join("built"), directory.join("out"));
        fs::create_dir_all(&built).unwrap();
        fs::create_dir_all(&out).unwrap();
        fs::write(built.join("two_words.wasm"), "new").unwrap();
        fs::write(out.join("two-words.wasm"), "old").unwrap();
        let plugin = PluginCrate { name: "two-words".to_owned(), artifact: "two_words.wasm".to_owned() };

        let file = install(&plugin, &built, &out).unwrap();

        assert_eq!(fs::read_to_string(file).unwrap(), "new");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
        fs::remove_dir_all(directory).unwrap();
    }
}
