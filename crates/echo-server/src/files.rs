//! Reads files under one directory, and nothing outside it.
//!
//! The path is resolved before it is compared, so neither `..` nor a symbolic link leads out. Somebody who can swap
//! files inside the root while a request is being answered is trusted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(crate) struct FileRoot {
    /// Absolute and free of links.
    root: PathBuf,
    max_size: usize,
}

impl FileRoot {
    /// Confines to the directory `path` and to files of at most `max_size` bytes.
    pub(crate) fn open(path: &Path, max_size: usize) -> io::Result<Self> {
        let root = path.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root, max_size })
    }

    /// What is at `wanted`, which is relative to the root also when it begins with a slash. Blocks on the disk.
    pub(crate) fn read(&self, wanted: &str) -> Result<Found, FileError> {
        let path = self.root.join(wanted.trim_start_matches('/')).canonicalize()?;
        if !path.starts_with(&self.root) {
            return Err(FileError::NotFound);
        }
        let metadata = fs::metadata(&path)?;
        if metadata.is_dir() {
            let mut names = fs::read_dir(&path)?
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<io::Result<Vec<_>>>()?;
            names.sort_unstable();
            return Ok(Found::Directory(names));
        }
        // Opening a pipe would wait for a writer.
        if !metadata.is_file() {
            return Err(FileError::NotFound);
        }
        let mut content = Vec::new();
        File::open(&path)?.take((self.max_size as u64).saturating_add(1)).read_to_end(&mut content)?;
        if content.len() > self.max_size {
            return Err(FileError::TooLarge { max_size: self.max_size });
        }
        Ok(Found::File(content))
    }
}

#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// Names in their order.
    Directory(Vec<String>),
    File(Vec<u8>),
}

/// Why there is nothing to show.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum FileError {
    /// Also what lies outside the root or cannot be read: the answer must not tell these apart.
    #[error("no such file or directory")]
    NotFound,
    #[error("the file is larger than {max_size} bytes")]
    TooLarge { max_size: usize },
}

impl From<io::Error> for FileError {
    fn from(_: io::Error) -> Self {
        Self::NotFound
    }
}
