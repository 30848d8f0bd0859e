//! Notices that the file of the declarative configuration has changed.

use std::io;
use std::path::{Path, PathBuf};

use moongate_watch::{Look, SETTLED, Stat};

use crate::control::Requests;

/// The file as it was when somebody last looked.
#[derive(Debug)]
pub(crate) struct WatchedFile {
    path: PathBuf,
    seen: Option<Stat>,
}

impl WatchedFile {
    /// To be called before the file is read: what changes from now on is noticed.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), seen: Stat::of(path) }
    }

    /// Asks `requests` to read the file again whenever it has changed, until nobody takes requests any more.
    ///
    /// # Errors
    /// There is no thread for it.
    pub(crate) fn watch(mut self, requests: Requests) -> io::Result<()> {
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).to_owned();
        moongate_watch::watch("declarative-watch", vec![directory], move || self.look(&requests))
    }

    fn look(&mut self, requests: &Requests) -> Look {
        if requests.is_over() {
            return Look::Over;
        }
        let now = Stat::of(&self.path);
        if now == self.seen {
            return Look::Whole;
        }
        if now.is_none() {
            let file = self.path.display();
            tracing::warn!(%file, "the declarative configuration is gone, what it declared is served on");
            self.seen = now;
            return Look::Whole;
        }
        std::thread::sleep(SETTLED);
        if Stat::of(&self.path) != now {
            return Look::Unsettled;
        }
        self.seen = now;
        tracing::info!(file = %self.path.display(), "the declarative configuration has changed");
        requests.read_file();
        Look::Whole
    }
}
