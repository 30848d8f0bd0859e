//! Where things are, and the cargo that builds them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::process;

/// The workspace as cargo sees it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds: `target`, unless the user's settings say otherwise.
    pub(crate) built: PathBuf,
    members: Vec<Member>,
}

/// A crate that becomes a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PluginCrate {
    pub(crate) name: String,
    /// The name of the file that cargo makes.
    pub(crate) artifact: String,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = cargo_in(here);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = process::capture(command)?;
        let metadata =
            serde_json::from_slice(&metadata).context("cargo metadata printed something else than JSON")?;
        Self::read(&metadata).context("cargo metadata lacks what is expected of it")
    }

    pub(crate) fn cargo(&self) -> Command {
        cargo_in(&self.root)
    }

    /// The plugins whose crates are in `directory`, by name.
    pub(crate) fn plugins_in(&self, directory: &str) -> Result<Vec<PluginCrate>> {
        let directory = self.root.join(directory);
        let mut plugins = Vec::new();
        for member in self.members.iter().filter(|member| member.directory.parent() == Some(&directory)) {
            let Some(library) = &member.dynamic_library else {
                bail!("{} is not a plugin: its crate-type lacks \"cdylib\"", member.directory.display());
            };
            let artifact = format!("{}.wasm", library.replace('-', "_"));
            plugins.push(PluginCrate { name: member.name.clone(), artifact });
        }
        plugins.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(plugins)
    }

    /// A directory below `target`, made if it is not there.
    pub(crate) fn scratch(&self, name: &str) -> Result<PathBuf> {
        let directory = self.root.join("target").join(name);
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(directory)
    }

    /// `path` as it is seen from the workspace, where it is inside.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    fn read(metadata: &Value) -> Option<Self> {
        let path = |name: &str| metadata.get(name)?.as_str().map(PathBuf::from);
        let members =
            metadata.get("packages")?.as_array()?.iter().map(Member::read).collect::<Option<_>>()?;
        Some(Self { root: path("workspace_root")?, built: path("target_directory")?, members })
    }
}

#[derive(Debug)]
struct Member {
    name: String,
    directory: PathBuf,
    dynamic_library: Option<String>,
}

impl Member {
    fn read(package: &Value) -> Option<Self> {
        let is_dynamic = |target: &&Value| {
            target
                .get("kind")
                .and_then(Value::as_array)
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
        };
        let library = package.get("targets")?.as_array()?.iter().find(is_dynamic);
        Some(Self {
            name: package.get("name")?.as_str()?.to_owned(),
            directory: Path::new(package.get("manifest_path")?.as_str()?).parent()?.to_owned(),
            dynamic_library: library.and_then(|target| target.get("name")?.as_str()).map(str::to_owned),
        })
    }
}

/// The cargo that runs this program, so that both use one toolchain.
fn cargo_in(directory: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(directory);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_party_plugins_are_found() {
        let workspace = Workspace::load().unwrap();
        let plugins = workspace.plugins_in("plugins").unwrap();
        let expected = PluginCrate { name: "jwt-claims".to_owned(), artifact: "jwt_claims.wasm".to_owned() };
        assert!(plugins.contains(&expected), "{plugins:?}");
        assert!(workspace.plugins_in("tests/plugins").unwrap().iter().any(|plugin| plugin.name == "noop"));
    }

    #[test]
    fn a_crate_without_a_dynamic_library_is_no_plugin() {
        let workspace = Workspace::load().unwrap();
        let message = workspace.plugins_in("crates").unwrap_err().to_string();
        assert!(message.ends_with("its crate-type lacks \"cdylib\""), "{message}");
    }
}
