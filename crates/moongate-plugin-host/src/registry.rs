//! Which files were found, which plugins came of them, and which versions serve.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use moongate_hooks::{AdminRoute, PluginSchema, PluginState, PluginStatus};

use crate::admission::AdmissionError;
use crate::artifact::Digest;
use crate::capabilities::Grants;
use crate::generation::{ConfigSlot, Generation};

/// The files in the plugin directories, and the plugins that serve.
#[derive(Default)]
pub(crate) struct Registry {
    files: BTreeMap<PathBuf, KnownFile>,
    plugins: BTreeMap<String, Loaded>,
    /// Whether files or configurations have changed since refused files were last looked at.
    changed: bool,
}

/// What was last seen of a file, and what came of it.
struct KnownFile {
    digest: Option<Digest>,
    /// The plugin's name, or why there is none. A refused file keeps the name that it had before.
    outcome: Result<String, (Option<String>, AdmissionError)>,
}

/// A plugin that serves, or is ready to.
struct Loaded {
    generation: Arc<Generation>,
    file: PathBuf,
    loaded_at: i64,
    /// Whether the file is gone.
    removed: bool,
    /// Keeps the configurations that came over from the previous version, until a snapshot refers to them.
    adopted: Vec<Arc<ConfigSlot>>,
    /// Snapshots that came into place since.
    settled: u8,
}

impl Registry {
    /// The version of a plugin that serves.
    pub(crate) fn generation(&self, name: &str) -> Option<&Arc<Generation>> {
        self.plugins.get(name).map(|loaded| &loaded.generation)
    }

    /// Why the plugin of this name is not there, if a file of that name was refused.
    pub(crate) fn refusal(&self, name: &str) -> Option<String> {
        self.files.iter().find_map(|(path, file)| match &file.outcome {
            Err((known, error)) if known.as_deref().unwrap_or(&stem(path)) == name => {
                Some(format!("{} {error}", path.display()))
            }
            _ => None,
        })
    }

    /// The file that provides the plugin of this name, if it is another than `path` and still there.
    pub(crate) fn other_file(&self, name: &str, path: &Path) -> Option<&Path> {
        self.plugins
            .get(name)
            .filter(|loaded| !loaded.removed && loaded.file != path)
            .map(|loaded| loaded.file.as_path())
    }

    /// Whether these bytes were already looked at under this path.
    pub(crate) fn is_known(&self, path: &Path, digest: &Digest) -> bool {
        self.files.get(path).is_some_and(|file| file.outcome.is_ok() && file.digest.as_ref() == Some(digest))
    }

    /// Files to look at again, because what they were refused for may be gone.
    pub(crate) fn take_second_chances(&mut self) -> Vec<PathBuf> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        let hopeful = |file: &KnownFile| {
            matches!(
                file.outcome,
                Err((
                    _,
                    AdmissionError::NameTaken { .. }
                        | AdmissionError::Configuration(_)
                        | AdmissionError::CompilerEnded(_)
                ))
            )
        };
        self.files.iter().filter(|(_, file)| hopeful(file)).map(|(path, _)| path.clone()).collect()
    }

    /// Files that were found earlier.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.keys()
    }

    /// Makes `generation` the version that serves.
    pub(crate) fn publish(
        &mut self,
        path: &Path,
        generation: Arc<Generation>,
        adopted: Vec<Arc<ConfigSlot>>,
    ) {
        let name = generation.artifact.manifest.name.clone();
        // The file may have provided a plugin of another name until now.
        if let Some(KnownFile { outcome: Ok(old) | Err((Some(old), _)), .. }) = self.files.get(path)
            && *old != name
            && let Some(loaded) = self.plugins.get_mut(old)
        {
            loaded.removed = true;
        }
        let digest = Some(generation.artifact.digest);
        self.files.insert(path.to_owned(), KnownFile { digest, outcome: Ok(name.clone()) });
        let loaded = Loaded {
            generation,
            file: path.to_owned(),
            loaded_at: unix_now(),
            removed: false,
            adopted,
            settled: 0,
        };
        self.plugins.insert(name, loaded);
    }

    /// Remembers that a file was refused. Whatever it provided before goes on serving.
    pub(crate) fn refuse(&mut self, path: &Path, digest: Option<Digest>, error: AdmissionError) {
        let known = match self.files.get(path).map(|file| &file.outcome) {
            Some(Ok(name) | Err((Some(name), _))) => Some(name.clone()),
            _ => None,
        };
        self.files.insert(path.to_owned(), KnownFile { digest, outcome: Err((known, error)) });
    }

    /// Forgets a file that is gone. Its plugin goes on serving while configurations use it.
    pub(crate) fn remove(&mut self, path: &Path) {
        self.files.remove(path);
        self.changed = true;
        for loaded in self.plugins.values_mut().filter(|loaded| loaded.file == path) {
            loaded.removed = true;
        }
        self.forget_unused();
    }

    /// Lets go of what no snapshot refers to: called when a new one is in place.
    pub(crate) fn settle(&mut self) {
        self.changed = true;
        for loaded in self.plugins.values_mut().filter(|loaded| !loaded.adopted.is_empty()) {
            // A snapshot that was begun before this version went live does not refer to it yet.
            loaded.settled += 1;
            loaded.adopted.retain(|slot| Arc::strong_count(slot) == 1 && loaded.settled < 3);
        }
        self.forget_unused();
    }

    fn forget_unused(&mut self) {
        self.plugins.retain(|_, loaded| !loaded.removed || !loaded.generation.live_configs().is_empty());
    }

    /// Everything, for people.
    pub(crate) fn statuses(&self, grants: &BTreeMap<String, Grants>) -> Vec<PluginStatus> {
        let refused = |name: &str| {
            self.files.values().find_map(|file| match &file.outcome {
                Err((Some(known), error)) if known == name => Some(error.to_string()),
                _ => None,
            })
        };
        let mut statuses: Vec<_> = self
            .plugins
            .iter()
            .map(|(name, loaded)| {
                let artifact = &loaded.generation.artifact;
                let refusal = refused(name);
                let state = match (&refusal, loaded.removed) {
                    (Some(_), _) => PluginState::Refused,
                    (None, true) => PluginState::Removed,
                    (None, false) => PluginState::Ready,
                };
                PluginStatus {
                    name: name.clone(),
                    version: Some(artifact.manifest.version.clone()),
                    priority: Some(artifact.manifest.priority),
                    digest: Some(artifact.digest.to_string()),
                    file: loaded.file.display().to_string(),
                    hooks: artifact.hooks.names(),
                    state,
                    last_error: refusal.or_else(|| loaded.generation.last_failure()),
                    generation: loaded.generation.number,
                    loaded_at: Some(loaded.loaded_at),
                    capabilities: artifact.capabilities.iter().map(|c| c.name().to_owned()).collect(),
                    grants: names(grants.get(name)),
                    statistics: Some(loaded.generation.statistics()),
                }
            })
            .collect();
        for (path, file) in &self.files {
            let Err((known, error)) = &file.outcome else { continue };
            if known.as_ref().is_some_and(|name| self.plugins.contains_key(name)) {
                continue;
            }
            statuses.push(PluginStatus {
                name: known.clone().unwrap_or_else(|| stem(path)),
                version: None,
                priority: None,
                digest: file.digest.map(|digest| digest.to_string()),
                file: path.display().to_string(),
                hooks: Vec::new(),
                state: PluginState::Refused,
                last_error: Some(error.to_string()),
                generation: 0,
                loaded_at: None,
                capabilities: Vec::new(),
                grants: names(known.as_ref().and_then(|name| grants.get(name))),
                statistics: None,
            });
        }
        statuses.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.file.cmp(&b.file)));
        statuses
    }

    /// What the plugins that serve can be configured with.
    pub(crate) fn schemas(&self) -> Vec<PluginSchema> {
        let schema = |(name, loaded): (&String, &Loaded)| PluginSchema {
            name: name.clone(),
            config: loaded.generation.artifact.manifest.schema.clone(),
            entities: loaded.generation.artifact.manifest.entities.clone(),
        };
        self.plugins.iter().map(schema).collect()
    }

    /// The version that serves of the plugin that declares an entity and looks at it before it is stored.
    pub(crate) fn watcher_of(&self, entity: &str) -> Option<Arc<Generation>> {
        let watches = |loaded: &&Loaded| {
            let artifact = &loaded.generation.artifact;
            artifact.hooks.entity && artifact.manifest.entity_names.iter().any(|name| name == entity)
        };
        self.plugins.values().find(watches).map(|loaded| Arc::clone(&loaded.generation))
    }

    /// The versions that serve.
    pub(crate) fn generations(&self) -> impl Iterator<Item = (&String, &Arc<Generation>)> {
        self.plugins.iter().map(|(name, loaded)| (name, &loaded.generation))
    }

    /// The plugin that declares an entity of this name, if it is another than `plugin`.
    pub(crate) fn other_owner(&self, entity: &str, plugin: &str) -> Option<&str> {
        let owns = |generation: &Generation| {
            generation.artifact.manifest.entity_names.iter().any(|name| name == entity)
        };
        let mut others = self.plugins.iter().filter(|(name, _)| *name != plugin);
        others.find(|(_, loaded)| owns(&loaded.generation)).map(|(name, _)| name.as_str())
    }

    /// The endpoints that plugins in use declare.
    pub(crate) fn admin_routes(&self) -> Vec<AdminRoute> {
        self.plugins
            .values()
            .filter(|loaded| loaded.generation.artifact.hooks.admin)
            .flat_map(|loaded| loaded.generation.artifact.manifest.admin_routes.iter().cloned())
            .collect()
    }
}

fn names(grants: Option<&Grants>) -> Vec<String> {
    grants.into_iter().flat_map(|grants| &grants.capabilities).map(|c| c.name().to_owned()).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}
