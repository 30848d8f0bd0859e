//! Notices new, changed and removed plugin files.

use std::sync::Arc;

use moongate_watch::{Look, SETTLED, Stat};

use crate::host::{HostError, PluginHost};

impl PluginHost {
    /// Watches the plugin directories, on a thread of its own, for as long as the host lives.
    ///
    /// # Errors
    /// [`HostError::Thread`].
    pub fn watch(self: &Arc<Self>) -> Result<(), HostError> {
        let host = Arc::downgrade(self);
        let look = move || host.upgrade().map_or(Look::Over, |host| look(&host));
        moongate_watch::watch("plugin-watch", self.directories().to_vec(), look).map_err(HostError::Thread)
    }
}

/// Looks at the directories once.
fn look(host: &PluginHost) -> Look {
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
            let stat = Stat::of(&path)?;
            (seen.get(&path) != Some(&stat)).then_some((path, stat))
        })
        .collect();
    if changed.is_empty() {
        return Look::Whole;
    }
    std::thread::sleep(SETTLED);
    let mut found = Look::Whole;
    for (path, before) in changed {
        if Stat::of(&path) == Some(before) {
            // Compiled by this process, a file that makes the compiler panic must not end the watching of all others.
            let examined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| host.examine(&path)));
            if examined.is_err() {
                tracing::error!(file = %path.display(), "plugin refused: it makes the compiler panic");
            }
            seen.insert(path, before);
        } else {
            found = Look::Unsettled;
        }
    }
    found
}
