//! The beginning of a plugin.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::language::Language;

/// Why there is no beginning.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TemplateError {
    /// The name is none.
    #[error(
        "`{0}` cannot be the name of a plugin: it is made of lower-case letters, digits and dashes, begins with a \
         letter and has at most 64 of them"
    )]
    Name(String),
    /// Somebody has been here before.
    #[error("{}: is there already; choose another name, or another directory with `--into`", .0.display())]
    Taken(PathBuf),
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes a new project into `directory`, and gives its files as they are seen from there.
///
/// `sdk` is what a Rust plugin depends on, as it stands in Cargo.toml.
pub(crate) fn write(
    name: &str,
    language: Language,
    directory: &Path,
    sdk: &str,
) -> Result<Vec<PathBuf>, TemplateError> {
    if !is_name(name) {
        return Err(TemplateError::Name(name.to_owned()));
    }
    let occupied = fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || directory.is_file() {
        return Err(TemplateError::Taken(directory.to_owned()));
    }
    let mut written = Vec::new();
    for (path, text) in files(language) {
        let text =
            text.replace("{{name}}", name).replace("{{Name}}", &capitals(name)).replace("{{sdk}}", sdk);
        let file = directory.join(path);
        let wrong = |source| TemplateError::File { path: file.clone(), source };
        fs::create_dir_all(file.parent().unwrap_or(directory)).map_err(wrong)?;
        fs::write(&file, text).map_err(wrong)?;
        written.push(path.into());
    }
    Ok(written)
}

/// Where the SDK of Rust plugins is: the checkout that this program was built from while it is there, else the
/// registry.
pub(crate) fn sdk() -> String {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../moongate-sdk");
    match fs::canonicalize(checkout) {
        Ok(path) => at(&path),
        Err(_) => format!("\"{}\"", crate::VERSION),
    }
}

/// The dependency on an SDK in a directory.
pub(crate) fn at(path: &Path) -> String {
    format!("{{ path = {:?} }}", path.display().to_string())
}

fn is_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The name as that of a type.
fn capitals(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    name.split('-').filter_map(word).collect()
}

macro_rules! template {
    ($path:literal) => {
        include_str!(concat!("../../templates/", $path))
    };
}

macro_rules! contract {
    ($($file:literal),+) => {
        [$((
            concat!("wit/deps/moongate-plugin/", $file),
            include_str!(concat!("../../../../wit/", $file)),
        )),+]
    };
}

/// The files of a template, by their place in the project.
fn files(language: Language) -> Vec<(&'static str, &'static str)> {
    let mut files = vec![("tests/cases.yaml", template!("cases.yaml"))];
    if language != Language::Rust {
        files.push(("wit/world.wit", template!("world.wit")));
        files.extend(CONTRACT);
    }
    match language {
        Language::Rust => files.extend([
            ("Cargo.toml", template!("rust/Cargo.toml.in")),
            ("src/lib.rs", template!("rust/lib.rs")),
            ("src/tests.rs", template!("rust/tests.rs")),
            (".gitignore", "/target\n"),
        ]),
        Language::JavaScript => files.extend([
            ("package.json", template!("javascript/package.json")),
            ("plugin.js", template!("javascript/plugin.js")),
            (".gitignore", "/node_modules\n/target\n"),
        ]),
        Language::Python => files.extend([
            ("pyproject.toml", template!("python/pyproject.toml")),
            ("app.py", template!("python/app.py")),
            ("lifecycle.py", template!("python/lifecycle.py")),
            (".gitignore", "/.venv\n/target\n__pycache__\n"),
        ]),
        Language::C => {
            files.extend([
                ("plugin.c", template!("c/plugin.c")),
                ("json.h", include_str!("../../../../examples/c/json.h")),
                (".gitignore", "/.venv\n/target\n"),
            ]);
        }
    }
    files
}

/// The contract, which projects in other languages than Rust have a copy of.
const CONTRACT: [(&str, &str); 7] = contract!(
    "world.wit",
    "lifecycle.wit",
    "hooks.wit",
    "http.wit",
    "log.wit",
    "context.wit",
    "capabilities.wit"
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::project::Project;

    #[test]
    fn a_new_project_is_one_in_every_language() {
        for language in [Language::Rust, Language::JavaScript, Language::Python, Language::C] {
            let folder = tempfile::tempdir().unwrap();
            let directory = folder.path().join("my-guard");
            let files = write("my-guard", language, &directory, &sdk()).unwrap();
            for file in &files {
                let text = fs::read_to_string(directory.join(file)).unwrap();
                assert!(!text.contains("{{"), "{}: {text}", file.display());
            }
            let project = Project::open(&directory, None).unwrap();
            assert_eq!((project.language, project.name.as_str()), (language, "my-guard"));
            assert!(project.cases().is_file());
        }
    }

    #[test]
    fn every_file_of_the_contract_is_in_the_templates() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".wit"))
            .collect();
        files.sort();
        let mut known: Vec<_> = CONTRACT.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
        known.sort_unstable();
        assert_eq!(files, known);
    }

    #[test]
    fn the_guide_shows_the_template() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/plugins/first-plugin.md");
        let page = fs::read_to_string(page).unwrap();
        let shown = page.split("```rust\n").nth(1).unwrap().split("```").next().unwrap();
        let template = template!("rust/lib.rs").replace("{{name}}", "hello").replace("{{Name}}", "Hello");
        assert!(
            template.contains(shown),
            "docs/plugins/first-plugin.md shows another plugin than the template"
        );
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "").unwrap();
        let error = write("guard", Language::C, folder.path(), "").unwrap_err();
        assert!(error.to_string().contains("is there already"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_name_that_the_gateway_would_refuse_is_refused_at_once() {
        for name in ["", "Guard", "my_guard", "1st", "-a", "a/b"] {
            let error = write(name, Language::C, Path::new("/nowhere"), "").unwrap_err();
            assert!(matches!(error, TemplateError::Name(_)), "{name}: {error}");
        }
        assert_eq!(capitals("my-guard-2"), "MyGuard2");
    }
}
