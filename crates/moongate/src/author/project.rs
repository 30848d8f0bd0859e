//! A directory in which a plugin is written.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::language::Language;

/// Why a directory is no project.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    /// There is no such directory.
    #[error("{}: is no directory; name that of a plugin, or make one with `moongate plugin new NAME`", .0.display())]
    NoDirectory(PathBuf),
    /// There is nothing to build.
    #[error(
        "{}: no plugin is written here: there is no Cargo.toml, package.json, pyproject.toml or .c file; `moongate \
         plugin new NAME` makes a project",
        .0.display()
    )]
    Nothing(PathBuf),
    /// There are several things to build.
    #[error("{}: there are files of {}; say which to build with `--lang`", directory.display(), names(languages))]
    Several {
        /// Where.
        directory: PathBuf,
        /// Which.
        languages: Vec<Language>,
    },
    /// The project has no name.
    #[error("{}: {problem}", file.display())]
    Name {
        /// The file that has to say it.
        file: PathBuf,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
}

/// A directory in which a plugin is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    pub(crate) directory: PathBuf,
    pub(crate) language: Language,
    /// What the file of the plugin is called.
    pub(crate) name: String,
}

impl Project {
    /// Looks at a directory; the language is told by its files unless it is given.
    pub(crate) fn open(directory: &Path, language: Option<Language>) -> Result<Self, ProjectError> {
        if !directory.is_dir() {
            return Err(ProjectError::NoDirectory(directory.to_owned()));
        }
        let language = match language {
            Some(language) => language,
            None => match found(directory).as_slice() {
                [] => return Err(ProjectError::Nothing(directory.to_owned())),
                [language] => *language,
                several => {
                    let (directory, languages) = (directory.to_owned(), several.to_vec());
                    return Err(ProjectError::Several { directory, languages });
                }
            },
        };
        let name = name(directory, language)?;
        Ok(Self { directory: directory.to_owned(), language, name })
    }

    /// Where a build puts the plugin.
    pub(crate) fn artifact(&self) -> PathBuf {
        self.directory.join("target").join(format!("{}.wasm", self.name))
    }

    /// The requests that the plugin is tested with.
    pub(crate) fn cases(&self) -> PathBuf {
        self.directory.join("tests/cases.yaml")
    }
}

/// The file that tells the language, and for C whatever ends in `.c`.
fn found(directory: &Path) -> Vec<Language> {
    let mut found = Vec::new();
    for (file, language) in [
        ("Cargo.toml", Language::Rust),
        ("package.json", Language::JavaScript),
        ("pyproject.toml", Language::Python),
    ] {
        if directory.join(file).is_file() {
            found.push(language);
        }
    }
    // Rust crates and Python packages may well have some C in them.
    if found.is_empty() && !c_files(directory).is_empty() {
        found.push(Language::C);
    }
    found
}

/// The C files of a project, in order.
pub(super) fn c_files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = [directory.to_owned(), directory.join("src")]
        .iter()
        .filter_map(|directory| fs::read_dir(directory).ok())
        .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    files.sort();
    files
}

fn name(directory: &Path, language: Language) -> Result<String, ProjectError> {
    let (file, name, wanted) = match language {
        Language::Rust => {
            let file = directory.join("Cargo.toml");
            let name = toml_string(&read(&file)?, "package", "name");
            (file, name, "there is no `name` under [package]")
        }
        Language::Python => {
            let file = directory.join("pyproject.toml");
            let name = toml_string(&read(&file)?, "project", "name");
            (file, name, "there is no `name` under [project]")
        }
        Language::JavaScript => {
            let file = directory.join("package.json");
            let json: Result<Value, _> = serde_json::from_str(&read(&file)?);
            let json =
                json.map_err(|error| ProjectError::Name { file: file.clone(), problem: error.to_string() })?;
            let name = json.get("name").and_then(Value::as_str);
            // The scope of a package is no part of its file's name.
            let name = name.map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
            (file, name, "there is no `name`")
        }
        Language::C => {
            let file = directory.join("wit/world.wit");
            let name = read(&file)?.lines().find_map(package).map(str::to_owned);
            (file, name, "there is no `package local:NAME;`")
        }
    };
    name.ok_or_else(|| ProjectError::Name { file, problem: wanted.to_owned() })
}

fn read(file: &Path) -> Result<String, ProjectError> {
    fs::read_to_string(file)
        .map_err(|error| ProjectError::Name { file: file.to_owned(), problem: error.to_string() })
}

/// The text under a key of a table: enough of TOML for a name that cargo or pip have accepted.
fn toml_string(text: &str, table: &str, key: &str) -> Option<String> {
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            inside = header.strip_suffix(']').is_some_and(|header| header.trim() == table);
        } else if inside
            && let Some(value) = line.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('='))
        {
            let value = value.trim_start();
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return Some(value.get(1..)?.split(quote).next()?.to_owned());
        }
    }
    None
}

/// The name in the line of a WIT file that names its package.
fn package(line: &str) -> Option<&str> {
    let name = line.strip_prefix("package ")?.trim().strip_suffix(';')?.split_once(':')?.1;
    Some(name.split_once('@').map_or(name, |(name, _)| name))
}

fn names(languages: &[Language]) -> String {
    languages.iter().map(|language| language.name()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Project, ProjectError>) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("my-plugin");
        for (name, text) in files {
            let file = directory.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let project = Project::open(&directory, None);
        (folder, project)
    }

    #[test]
    fn the_files_tell_the_language_and_the_name() {
        let cargo = "[lib]\nname = \"other\"\n[package]\nversion = '1'\nname = \"guard\" # the guard\n";
        for (file, text, language, name) in [
            ("Cargo.toml", cargo, Language::Rust, "guard"),
            ("package.json", r#"{"name": "@me/guard"}"#, Language::JavaScript, "guard"),
            ("pyproject.toml", "[project]\nname = 'guard'\n", Language::Python, "guard"),
            ("src/guard.c", "", Language::C, "guard"),
        ] {
            let world = ("wit/world.wit", "package local:guard;\n\nworld plugin {}\n");
            let (_folder, project) = project(&[(file, text), world]);
            let project = project.unwrap();
            assert_eq!((project.language, project.name.as_str()), (language, name), "{file}");
        }
    }

    #[test]
    fn nothing_and_two_things_are_told() {
        let nowhere = Project::open(Path::new("/nowhere"), None).unwrap_err().to_string();
        assert!(nowhere.starts_with("/nowhere: is no directory; "), "{nowhere}");
        let (_folder, nothing) = project(&[("notes.txt", "")]);
        assert!(nothing.unwrap_err().to_string().contains("`moongate plugin new NAME`"));
        let (_folder, two) = project(&[("Cargo.toml", ""), ("package.json", "{}")]);
        let message = two.unwrap_err().to_string();
        assert!(message.ends_with("Rust and JavaScript; say which to build with `--lang`"), "{message}");
    }

    #[test]
    fn a_name_that_is_missing_is_told_with_its_file() {
        let (_folder, project) = project(&[("Cargo.toml", "[workspace]\nname = \"x\"\n")]);
        let message = project.unwrap_err().to_string();
        assert!(message.ends_with("Cargo.toml: there is no `name` under [package]"), "{message}");
    }
}
