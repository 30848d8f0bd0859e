//! Turns components into machine code.
//!
//! A compiler is a large program that reads what a stranger wrote, and needs many times as much memory as its input. The
//! gateway therefore has another process do it where it can: what goes wrong there goes wrong there, and the memory is
//! the system's again afterwards.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::getppid;
use wasmtime::Engine;
use wasmtime::error::format_err;

use crate::engine;
use crate::settings::bounds::COMPILER_SECONDS;

/// What compiles.
pub(crate) enum Compiler {
    /// This process.
    Here,
    /// A process of this program; see [`serve_compiler`].
    Program(PathBuf),
}

/// Why there is no code.
#[derive(Debug)]
pub(crate) enum CompileError {
    /// The component is at fault.
    Component(wasmtime::Error),
    /// The process ended, and it is not certain whose fault that is: it was killed, or memory ran out.
    Ended(String),
    /// The file cannot be written.
    File(io::Error),
}

impl Compiler {
    /// Compiles a component into an empty file.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub(crate) fn compile(
        &self,
        engine: &Engine,
        component: &[u8],
        mut file: &File,
    ) -> Result<(), CompileError> {
        if let Self::Program(program) = self {
            let mut command = Command::new(program);
            // Of the environment nothing is needed, and there may be secrets in it. In a group of its own, for what a
            // terminal sends to the gateway's is not meant for it.
            command.env_clear().args([ASKED, &std::process::id().to_string()]).process_group(0);
            let output = file.try_clone().map_err(CompileError::File)?;
            match command.stdin(Stdio::piped()).stdout(output).stderr(Stdio::piped()).spawn() {
                Ok(child) => return wait(child, component),
                Err(error) => {
                    let program = program.display();
                    tracing::warn!(%program, %error, "no process for the compiler, the gateway itself compiles");
                }
            }
        }
        let code = engine.precompile_component(component).map_err(CompileError::Component)?;
        file.write_all(&code).map_err(CompileError::File)
    }
}

fn wait(mut child: Child, component: &[u8]) -> Result<(), CompileError> {
    // Where it does not read to the end, its exit tells why.
    let _ = child.stdin.take().map(|mut input| input.write_all(component));
    let output = child.wait_with_output().map_err(CompileError::File)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_end();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(NOT_COMPILED) => Err(CompileError::Component(format_err!("{said}"))),
        Some(NOT_WRITTEN) => Err(CompileError::File(io::Error::other(said))),
        _ => Err(CompileError::Ended(format!("{} {said}", output.status).trim_end().to_owned())),
    }
}

/// Is the compiler of a gateway, if the arguments of this process say so: reads a component from standard input and
/// writes machine code to standard output. The program that [`HostOptions::compiler`](crate::HostOptions::compiler)
/// names calls this first of all.
pub fn serve_compiler() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    arguments.next().filter(|argument| argument == ASKED)?;
    let gateway: Option<i32> = arguments.next().and_then(|argument| argument.to_str()?.parse().ok());
    // It goes with its gateway, also if that is gone already.
    let _ = set_pdeathsig(Signal::SIGKILL);
    if gateway != Some(getppid().as_raw()) {
        return Some(ExitCode::FAILURE);
    }
    // Requests go first.
    let _ = rustix::process::nice(10);
    // Should memory run out, this goes before any gateway. Where that cannot be said, nothing is lost.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let _ = setrlimit(Resource::RLIMIT_CPU, COMPILER_SECONDS, COMPILER_SECONDS);
    let (code, error) = match compile() {
        Ok(()) => return Some(ExitCode::SUCCESS),
        Err(CompileError::Component(error)) => (NOT_COMPILED, format!("{error:#}")),
        Err(CompileError::File(error)) => (NOT_WRITTEN, error.to_string()),
        Err(CompileError::Ended(error)) => (ENDED, error),
    };
    let _ = writeln!(io::stderr(), "{error}");
    Some(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn compile() -> Result<(), CompileError> {
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component).map_err(|error| CompileError::Ended(error.to_string()))?;
    let engine = engine::for_compiling().map_err(|error| CompileError::Ended(format!("{error:#}")))?;
    let code = engine.precompile_component(&component).map_err(CompileError::Component)?;
    io::stdout().write_all(&code).and_then(|()| io::stdout().flush()).map_err(CompileError::File)
}

/// The first argument of a process that is to be the compiler. The second is the gateway's process id.
const ASKED: &str = "compile-plugin";
/// Exit codes, each with a text on standard error. Rust itself uses 1 and 101 for what nobody foresaw.
const NOT_COMPILED: i32 = 3;
const NOT_WRITTEN: i32 = 4;
const ENDED: i32 = 5;
