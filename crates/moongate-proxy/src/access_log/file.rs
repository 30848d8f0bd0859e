//! A file that lines are appended to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// See the module's description.
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens the file, and makes it and the directories above it where they are missing.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new().append(true).create(true).open(&path)?;
        Ok(Self { path, file })
    }

    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.file.write_all(lines)
    }

    /// Opens the path anew. When that fails the file stays in use.
    pub(super) fn reopen(&mut self) -> io::Result<()> {
        *self = Self::open(self.path.clone())?;
        Ok(())
    }

    /// Opens the path anew if the file is not there any more.
    pub(super) fn look(&mut self) -> io::Result<()> {
        let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        let is_there = fs::metadata(&self.path).map(place).ok() == self.file.metadata().map(place).ok();
        if is_there { Ok(()) } else { self.reopen() }
    }
}
