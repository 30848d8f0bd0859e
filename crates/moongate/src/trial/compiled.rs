//! What trials have compiled, shared among them: each has a prefix of its own, and would compile the same plugins.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::prefix::Prefix;

/// Puts what is there into the cache of a gateway that is about to start.
pub(super) fn lend(shared: &Path, prefix: &Path) -> io::Result<()> {
    copy(shared, &of(prefix))
}

/// Keeps what a gateway has compiled.
pub(super) fn keep(prefix: &Path, shared: &Path) -> io::Result<()> {
    copy(&of(prefix), shared)
}

fn of(prefix: &Path) -> PathBuf {
    Prefix::new(prefix).compile_cache()
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    // The gateway uses a cache only that nobody else can write to.
    fs::DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    for entry in entries.flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.extension().is_none_or(|extension| extension != "cwasm") || target.exists() {
            continue;
        }
        // A link takes no time. Between file systems there are none, and a copy must never be seen half.
        if fs::hard_link(&source, &target).is_err() {
            let temporary = target.with_extension(format!("copy-{}", std::process::id()));
            if fs::copy(&source, &temporary).is_ok() {
                fs::rename(&temporary, &target)?;
            }
        }
    }
    Ok(())
}
