//! Notices new, changed and removed plugin files.
//!
//! Directories are watched and not files, because editors, `cp` and container mounts replace files. Where the
//! system tells of no changes (network and some container file systems), looking once a second does.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecursiveMode, Watcher};

use crate::host::{HostError, PluginHost};

/// How often the directories are looked at without being told to.
const POLL: Duration = Duration::from_secs(1);

/// A file that did not change for so long is whole.
const SETTLED: Duration = Duration::from_millis(25);

impl PluginHost {
    /// Watches the plugin directories, on a thread of its own, for as long as the host lives.
    ///
    /// # Errors
    /// [`HostError::Thread`].
    pub fn watch(self: &Arc<Self>) -> Result<(), HostError> {
        let host = Arc::downgrade(self);
        std::thread::Builder::new()
            .name("plugin-watch".into())
            .spawn(move || watch(&host))
            .map_err(HostError::Thread)?;
        Ok(())
    }
}

fn watch(host: &Weak<PluginHost>) {
    let (sender, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_change(event.kind)) {
            let _ = sender.send(());
        }
    })
    .inspect_err(
        |error| tracing::warn!(%error, "plugin directories are polled, the system tells of no changes"),
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
        let Some(host) = host.upgrade() else { return };
        // A directory may come later than the gateway.
        if let Some(watcher) = &mut watcher {
            for directory in host.directories() {
                if !watched.contains(directory)
                    && watcher.watch(directory, RecursiveMode::NonRecursive).is_ok()
                {
                    watched.push(directory.clone());
                }
            }
        }
        wait = if look(&host) { POLL } else { SETTLED };
    }
}

/// Looks at the directories once. Says whether everything seen was whole.
fn look(host: &PluginHost) -> bool {
    let mut seen = host.seen.lock();
    let (present, complete) = host.list();
    if complete {
        host.forget_missing(&present);
    }
    let again = host.take_second_chances();
    seen.retain(|path, _| present.contains(path) && !again.contains(path));
    let changed: Vec<_> = present
        .into_iter()
        .filter_map(|path| {
            let stat = stat(&path)?;
            (seen.get(&path) != Some(&stat)).then_some((path, stat))
        })
        .collect();
    if changed.is_empty() {
        return true;
    }
    std::thread::sleep(SETTLED);
    let mut whole = true;
    for (path, before) in changed {
        if stat(&path) == Some(before) {
            // A compiler that panics over a file must not end the watching of all others.
            let examined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| host.examine(&path)));
            if examined.is_err() {
                tracing::error!(file = %path.display(), "plugin refused: it makes the compiler panic");
            }
            seen.insert(path, before);
        } else {
            whole = false;
        }
    }
    whole
}

/// Whether a file may be another now. Looking at the directories is an event too, and must not lead to another look.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        _ => true,
    }
}

/// What changes when a file does.
pub(crate) type Stat = (u64, u64, u64, i64, i64);

pub(crate) fn stat(path: &Path) -> Option<Stat> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.size(), metadata.mtime(), metadata.mtime_nsec()))
}
