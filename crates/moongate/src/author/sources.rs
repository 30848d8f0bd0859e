//! Whether somebody has changed a project.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The files of a project, and when each was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Fingerprint {
    /// Looks at all files below `path` that a person may have written, or at one file.
    pub(crate) fn of(path: &Path) -> Self {
        let mut files = Vec::new();
        collect(path, &mut files, 0);
        files.sort();
        Self(files)
    }
}

fn collect(path: &Path, files: &mut Vec<(PathBuf, Option<SystemTime>, u64)>, depth: usize) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if metadata.is_file() {
        files.push((path.to_owned(), metadata.modified().ok(), metadata.len()));
        return;
    }
    // A link may lead around in circles.
    if depth > DEEPEST {
        return;
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !MADE.contains(&name.as_ref()) && !name.starts_with('.') {
            collect(&entry.path(), files, depth + 1);
        }
    }
}

/// What tools make.
const MADE: [&str; 4] = ["target", "node_modules", "__pycache__", "Cargo.lock"];

const DEEPEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_and_what_tools_make_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("src")).unwrap();
        fs::create_dir_all(folder.path().join("target")).unwrap();
        let before = Fingerprint::of(folder.path());
        fs::write(folder.path().join("target/a.wasm"), "x").unwrap();
        fs::write(folder.path().join(".swp"), "x").unwrap();
        assert_eq!(Fingerprint::of(folder.path()), before);
        fs::write(folder.path().join("src/lib.rs"), "x").unwrap();
        let written = Fingerprint::of(folder.path());
        assert_ne!(written, before);
        fs::write(folder.path().join("src/lib.rs"), "xy").unwrap();
        assert_ne!(Fingerprint::of(folder.path()), written);
    }
}
