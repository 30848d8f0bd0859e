//! Compiled code on disk, so that a restart does not compile again.
//!
//! Compiled code runs with the gateway's own rights. It is therefore only ever read from a directory that
//! belongs to the gateway's user and that nobody else can write to, and only under names that this module gave.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::artifact::Digest;
use crate::compiler::{CompileError, Compiler};
use crate::settings::bounds::{CACHE_BYTES, COMPILER_SECONDS};

/// A directory of compiled components, named by what they were compiled from, by what and for what.
pub(crate) struct CompileCache {
    directory: PathBuf,
    /// Of the engine's version and settings: code that another one made is not looked at.
    engine: u64,
    compiler: Compiler,
}

impl CompileCache {
    /// Opens the cache, making the directory where it is missing.
    ///
    /// # Errors
    /// The directory cannot be made, or others could write to it.
    pub(crate) fn open(directory: &Path, engine: &Engine, compiler: Compiler) -> std::io::Result<Self> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        private(directory)?;
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let cache = Self { directory: directory.to_owned(), engine: hasher.finish(), compiler };
        cache.remove_unfinished();
        Ok(cache)
    }

    /// The compiled component, if it was kept. Whatever is wrong with the file, compiling anew is the answer.
    pub(crate) fn load(&self, digest: &Digest, engine: &Engine) -> Option<Component> {
        let path = self.path(digest);
        private(&path).ok()?;
        match deserialize::component(engine, &path) {
            Ok(component) => {
                // What is used stays longest; without this it is told by when it was compiled.
                let _ = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                Some(component)
            }
            Err(error) => {
                tracing::debug!(path = %path.display(), %error, "compiled plugin not usable, compiling again");
                None
            }
        }
    }

    /// Compiles a component and keeps it. Its code is then that of the file, which the system can take back from
    /// memory and read again.
    ///
    /// # Errors
    /// [`CompileError`], but for files: what cannot be kept is compiled in this process, and at the next start again.
    pub(crate) fn compile(
        self: &Arc<Self>,
        digest: &Digest,
        engine: &Engine,
        bytes: &[u8],
    ) -> Result<Component, CompileError> {
        // Files in use are mapped into memory, so each has a name of its own and is never written to again.
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let path = self.path(digest);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("tmp-{}-{number}", std::process::id()));
        let write = || -> Result<fs::File, CompileError> {
            let file = create(&temporary).map_err(CompileError::File)?;
            self.compiler.compile(engine, bytes, &file)?;
            private(&temporary).map_err(CompileError::File)?;
            Ok(file)
        };
        let written = match write() {
            // Somebody may have needed the memory for a moment.
            Err(CompileError::Ended(_)) => write(),
            written => written,
        };
        let kept = match written {
            Ok(file) => deserialize::component(engine, &temporary).map(|component| (file, component)),
            Err(CompileError::File(error)) => Err(error.into()),
            Err(error) => {
                let _ = fs::remove_file(&temporary);
                return Err(error);
            }
        };
        match kept {
            Ok((file, component)) => {
                let cache = Arc::clone(self);
                // Writing it safely can take a busy disk seconds, for which nobody has to wait.
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = file.sync_all().and_then(|()| fs::rename(&temporary, &path)) {
                        not_kept(&path, &error);
                    }
                    cache.tidy(CACHE_BYTES);
                });
                Ok(component)
            }
            Err(error) => {
                let _ = fs::remove_file(&temporary);
                not_kept(&path, &error);
                Component::from_binary(engine, bytes).map_err(CompileError::Component)
            }
        }
    }

    /// Removes what processes that ended meanwhile left unfinished.
    fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let is_unfinished = entry.path().extension().is_some_and(|extension| {
                extension.to_str().is_some_and(|extension| extension.starts_with("tmp-"))
            });
            let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|at| at.elapsed());
            // Nothing takes longer to compile.
            if is_unfinished && matches!(age, Ok(Ok(age)) if age.as_secs() > COMPILER_SECONDS) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes what was not used for longest, until no more than so many bytes are left. Code that is in use stays in
    /// memory.
    fn tidy(&self, most: u64) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((metadata.modified().ok()?, metadata.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut kept: u64 = files.iter().map(|(_, length, _)| length).sum();
        for (_, length, path) in &files {
            if kept <= most {
                break;
            }
            // Another gateway with the same directory may have been quicker.
            let _ = fs::remove_file(path);
            kept -= length;
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.directory.join(format!("{digest}-{:016x}.cwasm", self.engine))
    }
}

fn create(path: &Path) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

fn not_kept(path: &Path, error: &dyn std::fmt::Display) {
    tracing::warn!(path = %path.display(), %error, "compiled plugin not kept: the gateway itself compiles it, at each start");
}

/// Whether only the user of this process can write to a file or directory.
fn private(path: &Path) -> std::io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    let user = nix::unistd::geteuid().as_raw();
    if metadata.is_symlink() || metadata.uid() != user || metadata.mode() & 0o022 != 0 {
        return Err(std::io::Error::new(
            std::io::ErrorKind::PermissionDenied,
            format!("{} must belong to the gateway's user and be writable by nobody else", path.display()),
        ));
    }
    Ok(())
}

mod deserialize {
    //! The only unsafe code of the plugin host.
    #![expect(
        unsafe_code,
        reason = "wasmtime cannot check compiled code; the caller made sure where it is from"
    )]

    use std::path::Path;

    use wasmtime::Engine;
    use wasmtime::component::Component;

    pub(super) fn component(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
        // SAFETY: the file lies in a directory, and is itself, writable by this user only, see `private`; it has
        // a name that only `CompileCache::compile` gives, which writes what this build's compiler made, under
        // another name first. Wasmtime itself refuses code of another version or with other settings.
        unsafe { Component::deserialize_file(engine, path) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_left_unfinished_long_ago_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CompileCache { directory: folder.path().to_owned(), engine: 0, compiler: Compiler::Here };
        for (name, age) in
            [("a.tmp-1-0", 0), ("b.tmp-1-1", 2 * COMPILER_SECONDS), ("c.cwasm", 2 * COMPILER_SECONDS)]
        {
            let file = folder.path().join(name);
            fs::write(&file, "code").unwrap();
            let when = SystemTime::now() - Duration::from_secs(age);
            fs::File::open(&file).unwrap().set_modified(when).unwrap();
        }
        cache.remove_unfinished();
        let left = ["a.tmp-1-0", "b.tmp-1-1", "c.cwasm"].map(|name| folder.path().join(name).exists());
        assert_eq!(left, [true, false, true]);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_when_there_is_too_much() {
        let folder = tempfile::tempdir().unwrap();
        let cache = CompileCache { directory: folder.path().to_owned(), engine: 0, compiler: Compiler::Here };
        for (name, age) in [("old", 30), ("used", 10), ("older", 40), ("new", 0)] {
            let file = folder.path().join(name);
            fs::write(&file, [0; 100]).unwrap();
            let when = SystemTime::now() - Duration::from_secs(age);
            fs::File::open(&file).unwrap().set_modified(when).unwrap();
        }
        let left = || ["older", "old", "used", "new"].map(|name| folder.path().join(name).exists());
        cache.tidy(400);
        assert_eq!(left(), [true; 4]);
        cache.tidy(399);
        assert_eq!(left(), [false, true, true, true]);
        cache.tidy(200);
        assert_eq!(left(), [false, false, true, true]);
    }
}
