//! Cargo's target directory, where things may be kept between runs of the tests.

use std::path::{Path, PathBuf};

/// Where compiled plugins are shared among tests.
pub(crate) fn compile_cache() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    match directory_of(&program) {
        Some(target) => target.join("moongate-testing"),
        None => std::env::temp_dir().join("moongate-testing"),
    }
}

/// The directory that Cargo has marked, above one of its programs.
fn directory_of(program: &Path) -> Option<&Path> {
    program.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_directory_is_the_marked_one_above_the_program() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("debug/deps");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(directory_of(&deep.join("program")), None);
        std::fs::write(folder.path().join("CACHEDIR.TAG"), "").unwrap();
        assert_eq!(directory_of(&deep.join("program")), Some(folder.path()));
    }
}
