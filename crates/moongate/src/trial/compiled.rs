//! What trials have compiled, shared among them: each has a prefix of its own, and would compile the same plugins.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::prefix::Prefix;

/// Puts what is there into the cache of a gateway that is about to start.
pub(super) fn lend(shared: &Path, prefix: &Path) -> io::Result<()> {
    copy(shared, &of(prefix))
}

/// Keeps what a gateway has compiled, and drops what none has used for a week: it is of versions that are gone.
pub(super) fn keep(prefix: &Path, shared: &Path) -> io::Result<()> {
    copy(&of(prefix), shared)?;
    for entry in fs::read_dir(shared)?.flatten() {
        let age = entry.metadata().and_then(|metadata| metadata.modified()).map(|used| used.elapsed());
        if age.is_ok_and(|age| age.is_ok_and(|age| age > LONGEST_UNUSED)) {
            // Another trial may have been quicker.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
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

const LONGEST_UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_was_compiled_is_shared_until_nobody_has_used_it_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, prefix) = (folder.path().join("shared"), folder.path().join("prefix"));
        let days = |days: u64| SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        lend(&shared, &prefix).unwrap();
        for (name, used) in [("new.cwasm", days(0)), ("old.cwasm", days(8))] {
            let file = of(&prefix).join(name);
            fs::write(&file, "x").unwrap();
            fs::File::open(&file).unwrap().set_modified(used).unwrap();
        }
        keep(&prefix, &shared).unwrap();
        let other = folder.path().join("other");
        lend(&shared, &other).unwrap();
        let lent: Vec<_> =
            fs::read_dir(of(&other)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(lent, ["new.cwasm"]);
    }
}
