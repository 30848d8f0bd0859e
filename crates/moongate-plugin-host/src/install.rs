//! Plugins that do not come as a file in a directory, but from a caller who waits for the verdict.

use std::fs;
use std::io;
use std::path::Path;

use moongate_hooks::{PluginCatalog, PluginStatus};
use moongate_watch::Stat;

use crate::admission::AdmissionError;
use crate::host::PluginHost;

/// Why a plugin was not taken. The version before it serves on, and its file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// There is no directory to keep plugins in.
    #[error("there is no plugin directory; set the property plugin_dirs")]
    NoDirectory,
    /// No plugin of that name is loaded from a file.
    #[error("no plugin is named `{0}`")]
    Unknown(String),
    /// It was not admitted.
    #[error(transparent)]
    Refused(#[from] AdmissionError),
    /// The file cannot be written.
    #[error("{path} cannot be written: {error}")]
    Write {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
}

impl PluginHost {
    /// Admits an artifact, makes it serve, and keeps it as `file` in the first plugin directory.
    ///
    /// It is written beside its place first, and moved there once it is admitted: neither a refused artifact nor a part of
    /// one is ever seen there. `file` must be a name without a directory that ends in `.wasm`.
    ///
    /// Blocks while the plugin compiles; must not be called from asynchronous code.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub fn install(&self, file: &str, artifact: &[u8]) -> Result<PluginStatus, InstallError> {
        let directory = self.directories().first().ok_or(InstallError::NoDirectory)?;
        let path = directory.join(file);
        let not_written = |error| InstallError::Write { path: path.display().to_string(), error };
        fs::create_dir_all(directory).map_err(not_written)?;
        let beside = directory.join(format!(".{file}.upload-{}", std::process::id()));
        // Whoever watches the directory waits until both the registry and the file are the new ones.
        let mut seen = self.seen.lock();
        fs::write(&beside, artifact).map_err(not_written)?;
        if let Err(refused) = self.take(&path, artifact) {
            let _ = fs::remove_file(&beside);
            tracing::error!(file = %path.display(), "upload refused: {refused}");
            return Err(refused.into());
        }
        fs::rename(&beside, &path).map_err(not_written)?;
        if let Some(stat) = Stat::of(&path) {
            seen.insert(path.clone(), stat);
        }
        drop(seen);
        self.status_of(&path)
    }

    /// Reads the file of a plugin again and makes another generation of it, with instances of its own, also when the file is
    /// the same.
    ///
    /// Blocks while the plugin compiles; must not be called from asynchronous code.
    ///
    /// # Errors
    /// See [`InstallError`].
    pub fn reload(&self, plugin: &str) -> Result<PluginStatus, InstallError> {
        let unknown = || InstallError::Unknown(plugin.to_owned());
        let named = |status: &PluginStatus| status.name == plugin && status.generation > 0;
        let status = self.plugins().into_iter().find(named).ok_or_else(unknown)?;
        let path = Path::new(&status.file);
        let _seen = self.seen.lock();
        let artifact = self.read(path)?;
        self.take(path, &artifact)?;
        self.status_of(path)
    }

    fn status_of(&self, path: &Path) -> Result<PluginStatus, InstallError> {
        let file = path.display().to_string();
        let status = self.plugins().into_iter().find(|status| status.file == file);
        status.ok_or(InstallError::Unknown(file))
    }
}
