//! Turns components into machine code.
//!
//! A compiler is a large program that reads what a stranger wrote, and needs many times as much memory as its input. The
//! gateway therefore has another process do it where it can: what goes wrong there goes wrong there, and the memory is
//! the system's again afterwards.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use nix::sys::resource::{Resource, setrlimit};
use wasmtime::Engine;
use wasmtime::error::format_err;

use crate::engine;
use crate::settings::bounds::COMPILER_SECONDS;

/// What compiles.
pub(crate) enum Compiler {
    /// This process.
    Here,
    /// A process of this program; see [`serve_compiler`].
    Program {
        program: PathBuf,
        /// Workers that the engine was made for.
        workers: usize,
    },
}

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum CompileError {
    /// The component is at fault.
    Component(wasmtime::Error),
    /// The file cannot be written.
    File(io::Error),
}

impl Compiler {
    /// Compiles a component into a file.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        component: &[u8],
        mut file: &File,
    ) -> Result<(), CompileError> {
        if let Self::Program { program, workers } = self {
            let mut command = Command::new(program);
            // Of the environment nothing is needed, and there may be secrets in it.
            command.env_clear().args([ASKED, &workers.to_string()]);
            let output = file.try_clone().map_err(CompileError::File)?;
            match command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::piped()).spawn() {
                Ok(child) => return wait(child, component),
                Err(error) => {
                    let program = program.display();
                    tracing::warn!(%program, %error, "no process for the compiler, compiling in this one");
                }
            }
        }
        let code = engine.precompile_component(component).map_err(CompileError::Component)?;
        file.write_all(&code).map_err(CompileError::File)
    }
}

fn wait(mut child: std::process::Child, component: &[u8]) -> Result<(), CompileError> {
    // Where it does not read to the end, its exit tells why.
    let _ = child.stdin.take().map(|mut input| input.write_all(component));
    let output = child.wait_with_output().map_err(CompileError::File)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_end();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(NOT_COMPILED) => Err(CompileError::Component(format_err!("{said}"))),
        Some(NOT_WRITTEN) => Err(CompileError::File(io::Error::other(said))),
        _ => Err(CompileError::Component(format_err!("the compiler ended with {}: {said}", output.status))),
    }
}

/// Is the compiler of a gateway, if the arguments of this process say so: reads a component from standard input and
/// writes machine code to standard output. The program that [`HostOptions::compiler`](crate::HostOptions::compiler)
/// names calls this first of all.
pub fn serve_compiler() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let workers =
        arguments.next().filter(|argument| argument == ASKED).and(arguments.next())?.parse().ok()?;
    // Should memory run out, this goes before any gateway. Where that cannot be said, nothing is lost.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let _ = setrlimit(Resource::RLIMIT_CPU, COMPILER_SECONDS, COMPILER_SECONDS);
    let (code, error) = match compile(workers) {
        Ok(()) => return Some(ExitCode::SUCCESS),
        Err(CompileError::Component(error)) => (NOT_COMPILED, format!("{error:#}")),
        Err(CompileError::File(error)) => (NOT_WRITTEN, error.to_string()),
    };
    let _ = writeln!(io::stderr(), "{error}");
    Some(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn compile(workers: usize) -> Result<(), CompileError> {
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(CompileError::File)?;
    let engine = engine::build(workers).map_err(CompileError::Component)?;
    let code = engine.precompile_component(&component).map_err(CompileError::Component)?;
    io::stdout().write_all(&code).and_then(|()| io::stdout().flush()).map_err(CompileError::File)
}

/// The first argument of a process that is to be the compiler. The second is how many workers the gateway has.
const ASKED: &str = "compile-plugin";
/// Exit codes, each with a text on standard error.
const NOT_COMPILED: i32 = 1;
const NOT_WRITTEN: i32 = 3;
