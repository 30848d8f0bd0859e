//! How a plugin is built in each language.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::language::Language;
use super::project::{Project, c_files};
use super::tools::{
    C_COMPILER, CARGO, COMPONENTIZE_JS, COMPONENTIZE_PY, MissingTool, Tool, WASM_TOOLS, WIT_BINDGEN,
};

/// Why there is no plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// A program is not there.
    #[error(transparent)]
    Tool(#[from] MissingTool),
    /// Rust is there, its library for WebAssembly is not.
    #[error(
        "{}: this Rust has no standard library for {TARGET}; get it with\nrustup target add {TARGET}",
        directory.display()
    )]
    Target {
        /// The project.
        directory: PathBuf,
    },
    /// A program has said no. What it said is on the screen.
    #[error("{}: `{command}` failed ({status})", directory.display())]
    Failed {
        /// The project.
        directory: PathBuf,
        /// What was run.
        command: String,
        /// How it ended.
        status: String,
    },
    /// A file of the project is not as it must be.
    #[error("{}: {problem}", file.display())]
    Project {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// Builds a plugin and gives its file.
pub(crate) fn build(project: &Project) -> Result<PathBuf, BuildError> {
    let artifact = project.artifact();
    let directory = project.directory.join("target");
    fs::create_dir_all(&directory).map_err(wrong(&directory))?;
    // Below the target directory, so that a build that fails leaves the plugin of the last one alone.
    let fresh = directory.join(format!("{}.wasm.new", project.name));
    match project.language {
        Language::Rust => rust(project, &fresh)?,
        Language::JavaScript => javascript(project, &fresh)?,
        Language::Python => python(project, &fresh)?,
        Language::C => c(project, &fresh)?,
    }
    fs::rename(&fresh, &artifact).map_err(wrong(&fresh))?;
    Ok(artifact)
}

/// Looks for what a plugin in Rust is built with, and gives cargo.
///
/// # Errors
/// Without cargo, or without the standard library for plugins.
pub(crate) fn cargo(project: &Project) -> Result<PathBuf, BuildError> {
    let cargo = CARGO.find(&project.directory, project.language)?;
    let mut libraries = Command::new("rustc");
    libraries.args(["--print", "target-libdir", "--target", TARGET]).current_dir(&project.directory);
    if let Ok(found) = libraries.stderr(Stdio::null()).output()
        && !Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_dir()
    {
        return Err(BuildError::Target { directory: project.directory.clone() });
    }
    Ok(cargo)
}

fn rust(project: &Project, artifact: &Path) -> Result<(), BuildError> {
    let cargo = cargo(project)?;
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    // Cargo tells where it put the file, which its settings may have decided.
    let messages = output(project, command)?;
    let built = messages.lines().rev().find_map(component).ok_or_else(|| BuildError::Project {
        file: project.directory.join("Cargo.toml"),
        problem: "no component is made of this crate; it needs `crate-type = [\"cdylib\"]` under [lib]"
            .to_owned(),
    })?;
    fs::copy(&built, artifact).map_err(wrong(&built))?;
    Ok(())
}

/// The component that a message of cargo is about.
fn component(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let files = message.get("filenames")?.as_array()?;
    let component = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"))?;
    Some(component.into())
}

fn javascript(project: &Project, artifact: &Path) -> Result<(), BuildError> {
    let file = project.directory.join("package.json");
    let text = fs::read_to_string(&file).map_err(wrong(&file))?;
    let package: Value = serde_json::from_str(&text)
        .map_err(|error| BuildError::Project { file: file.clone(), problem: error.to_string() })?;
    let main = package.get("main").and_then(Value::as_str).unwrap_or("plugin.js");
    needs(project, main)?;
    let mut command = tool(project, &COMPONENTIZE_JS)?;
    command.args([main, "--wit", "wit", "--world-name", WORLD]);
    // What would need interfaces of WASI that no plugin gets.
    for feature in ["http", "fetch-event", "stdio"] {
        command.args(["--disable", feature]);
    }
    command.arg("--out");
    command.arg(below(project, artifact));
    run(project, command)
}

fn python(project: &Project, artifact: &Path) -> Result<(), BuildError> {
    needs(project, "app.py")?;
    let mut command = tool(project, &COMPONENTIZE_PY)?;
    command.args(["--wit-path", "wit", "--world", WORLD, "componentize", "app", "--stub-wasi", "--output"]);
    command.arg(below(project, artifact));
    run(project, command)
}

fn c(project: &Project, artifact: &Path) -> Result<(), BuildError> {
    let files = c_files(&project.directory);
    needs(project, "wit")?;
    let mut bindings = tool(project, &WIT_BINDGEN)?;
    bindings.args(["c", "wit", "--world", WORLD, "--out-dir", BINDINGS]);
    bindings.args(["--autodrop-borrows", "yes"]);
    let compiler = C_COMPILER.find(&project.directory, project.language)?;
    let wasm_tools = WASM_TOOLS.find(&project.directory, project.language)?;
    output(project, bindings)?;

    let guard = format!("{BINDINGS}/guard.c");
    let file = project.directory.join(&guard);
    fs::write(&file, GUARD).map_err(wrong(&file))?;
    let generated = |name: &str| format!("{BINDINGS}/{WORLD}{name}");
    let module = format!("{BINDINGS}/module.wasm");
    let mut compile = Command::new(compiler);
    compile.args(["cc", "--target=wasm32-wasi", "-mexec-model=reactor", "-Oz", "-flto", "-s", "-Wall"]);
    compile.args(["-fno-stack-protector", "-Wl,-z,stack-size=131072", "-I", BINDINGS, "-o", &module]);
    compile.args(files.iter().map(|file| below(project, file)));
    compile.args([generated(".c"), generated("_component_type.o"), guard]);
    run(project, compile)?;

    let mut component = Command::new(wasm_tools);
    component.args(["component", "new", &module, "-o"]).arg(below(project, artifact));
    run(project, component)
}

fn tool(project: &Project, tool: &Tool) -> Result<Command, BuildError> {
    Ok(Command::new(tool.find(&project.directory, project.language)?))
}

/// A file as it is seen from the project, where builds run.
fn below(project: &Project, file: &Path) -> PathBuf {
    file.strip_prefix(&project.directory).unwrap_or(file).to_owned()
}

fn needs(project: &Project, name: &str) -> Result<(), BuildError> {
    let file = project.directory.join(name);
    if file.exists() {
        return Ok(());
    }
    let problem = format!(
        "is missing; a plugin in {} is written in it, as `moongate plugin new` lays it out",
        project.language.name()
    );
    Err(BuildError::Project { file, problem })
}

/// Runs a program with its output on the screen.
fn run(project: &Project, mut command: Command) -> Result<(), BuildError> {
    // What it prints is progress, and standard output belongs to the results.
    command.current_dir(&project.directory).stdin(Stdio::null()).stdout(io::stderr());
    let status = command.status();
    finished(project, &command, status)
}

/// Runs a program and gives what it prints to its standard output.
fn output(project: &Project, mut command: Command) -> Result<String, BuildError> {
    command.current_dir(&project.directory).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output();
    let text = output.as_ref().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    finished(project, &command, output.map(|output| output.status))?;
    Ok(text)
}

fn finished(
    project: &Project,
    command: &Command,
    status: io::Result<std::process::ExitStatus>,
) -> Result<(), BuildError> {
    let status = match status {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let words = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    let command = std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ");
    Err(BuildError::Failed { directory: project.directory.clone(), command, status })
}

fn wrong(file: &Path) -> impl FnOnce(io::Error) -> BuildError {
    let file = file.to_owned();
    move |error| BuildError::Project { file, problem: error.to_string() }
}

/// The C library's guard of the stack takes a random number at the start, for which the component would import WASI.
const GUARD: &str = "\
#include <stdint.h>
uintptr_t __stack_chk_guard = 0x5bd1e995;
void __stack_chk_fail(void) { __builtin_trap(); }
";

const TARGET: &str = "wasm32-wasip2";

/// The name of the world in the project's own WIT file.
const WORLD: &str = "plugin";

/// Where the C side of the contract is written.
const BINDINGS: &str = "target/bindings";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_found_among_cargos_messages() {
        assert_eq!(
            component(r#"{"reason": "compiler-artifact", "filenames": ["/a/b.d", "/a/b.wasm"]}"#),
            Some("/a/b.wasm".into())
        );
        assert_eq!(component(r#"{"reason": "compiler-artifact", "filenames": ["/a/b.rlib"]}"#), None);
        assert_eq!(component("   Compiling b"), None);
    }

    #[test]
    fn a_project_without_its_file_is_told_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("package.json"), r#"{"name": "guard", "main": "guard.js"}"#).unwrap();
        let project = Project::open(folder.path(), None).unwrap();
        let message = build(&project).unwrap_err().to_string();
        assert!(
            message.ends_with(
                "guard.js: is missing; a plugin in JavaScript is written in it, as `moongate plugin new` lays it out"
            ),
            "{message}"
        );
    }
}
