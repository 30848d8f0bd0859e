//! Notices that files have changed, and when they are whole.
//!
//! Directories are watched and not files, because editors, `cp` and container mounts replace files. Where the
//! system tells of no changes (network and some container file systems), looking once a second does.
#![deny(missing_docs)]

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher};

/// How often files are looked at without being told to.
pub const POLL: Duration = Duration::from_secs(1);

/// A file that did not change for so long is whole.
pub const SETTLED: Duration = Duration::from_millis(25);

/// What somebody who looked at files has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// All were whole; the next look is due when something changes.
    Whole,
    /// Some may still be written to, so the next look is due soon.
    Unsettled,
    /// Nobody needs to look any more.
    Over,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    device: u64,
    inode: u64,
    size: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Stat {
    /// The file at `path`, or where a link there leads. None if there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            seconds: metadata.mtime(),
            nanoseconds: metadata.mtime_nsec(),
        })
    }
}

/// Calls `look` at once, whenever something changes in `directories`, and each [`POLL`], on a thread of its own with this
/// name, until it says that it is over.
///
/// A directory may come later.
///
/// # Errors
/// The thread cannot be made.
pub fn watch(
    name: &'static str,
    directories: Vec<PathBuf>,
    look: impl FnMut() -> Look + Send + 'static,
) -> io::Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(move || run(name, &directories, look))?;
    Ok(())
}

fn run(name: &str, directories: &[PathBuf], mut look: impl FnMut() -> Look) {
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_change(event.kind)) {
            let _ = sender.send(());
        }
    })
    .inspect_err(
        |error| tracing::warn!(name, %error, "directories are polled, the system tells of no changes"),
    )
    .ok();
    let mut watched = Vec::new();
    // At first not at all: only a look at the directories finds out which of them can be watched.
    let mut wait = Duration::ZERO;
    loop {
        match events.recv_timeout(wait) {
            Ok(()) => while events.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait),
        }
        if let Some(watcher) = &mut watcher {
            for directory in directories {
                if !watched.contains(&directory)
                    && watcher.watch(directory, RecursiveMode::NonRecursive).is_ok()
                {
                    watched.push(directory);
                }
            }
        }
        wait = match look() {
            Look::Whole => POLL,
            Look::Unsettled => SETTLED,
            Look::Over => return,
        };
    }
}

/// Whether a file may be another now. Looking at the directories is an event too, and must not lead to another look.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::Receiver;

    use super::*;

    /// Tells what the file has become whenever that is something else than before.
    fn watched(file: &Path) -> Receiver<Option<u64>> {
        let (sender, changes) = mpsc::channel();
        let (path, mut seen) = (file.to_owned(), None);
        let look = move || {
            let now = Stat::of(&path);
            if seen == Some(now) {
                return Look::Whole;
            }
            seen = Some(now);
            if sender.send(now.map(|stat| stat.size)).is_ok() { Look::Whole } else { Look::Over }
        };
        watch("test", vec![file.parent().unwrap().to_owned()], look).unwrap();
        changes
    }

    fn next(changes: &Receiver<Option<u64>>) -> Option<u64> {
        changes.recv_timeout(Duration::from_secs(10)).unwrap()
    }

    #[test]
    fn a_file_is_noticed_when_it_is_written_replaced_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        let changes = watched(&file);
        assert_eq!(next(&changes), None);
        fs::write(directory.path().join("new"), "1").unwrap();
        fs::rename(directory.path().join("new"), &file).unwrap();
        assert_eq!(next(&changes), Some(1));
        fs::write(directory.path().join("other"), "22").unwrap();
        fs::rename(directory.path().join("other"), &file).unwrap();
        assert_eq!(next(&changes), Some(2));
        fs::remove_file(&file).unwrap();
        assert_eq!(next(&changes), None);
    }

    #[test]
    fn a_directory_may_come_later() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("later/file");
        let changes = watched(&file);
        assert_eq!(next(&changes), None);
        fs::create_dir(directory.path().join("later")).unwrap();
        fs::write(directory.path().join("temporary"), "333").unwrap();
        fs::rename(directory.path().join("temporary"), &file).unwrap();
        assert_eq!(next(&changes), Some(3));
    }

    #[test]
    fn a_link_is_what_it_leads_to() {
        let directory = tempfile::tempdir().unwrap();
        let (file, path) = (directory.path().join("file"), |name: &str| directory.path().join(name));
        fs::write(path("one"), "1").unwrap();
        fs::write(path("two"), "22").unwrap();
        std::os::unix::fs::symlink(path("one"), &file).unwrap();
        let changes = watched(&file);
        assert_eq!(next(&changes), Some(1));
        std::os::unix::fs::symlink(path("two"), path("link")).unwrap();
        fs::rename(path("link"), &file).unwrap();
        assert_eq!(next(&changes), Some(2));
    }
}
