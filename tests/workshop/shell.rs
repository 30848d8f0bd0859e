//! The shell that the reader of the page would sit at.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// A bash. What it started ends with it.
pub struct Shell {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    /// Starts in `folder`, with the programs of `programs` before all others.
    pub fn start(folder: &Path, programs: &[PathBuf]) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(programs.iter().cloned().chain(env::split_paths(&path))).unwrap();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder).env("PATH", path).env("LC_ALL", "C");
        // What is compiled has been compiled before with the same versions.
        command.env("CARGO_NET_OFFLINE", "true").env_remove("CARGO_TARGET_DIR").env_remove("RUST_LOG");
        let settings = env::vars_os().map(|(name, _)| name);
        for name in settings.filter(|name| name.to_string_lossy().starts_with("MOONGATE_")) {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.split(b'\n').map_while(Result::ok) {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
            }
        });
        let mut input = child.stdin.take().unwrap();
        // Jobs have numbers, but no lines that tell of them.
        writeln!(input, "exec 2>&1").unwrap();
        Self { child, input, lines }
    }

    /// Runs a command. Its exit code, and what it printed.
    pub fn run(&mut self, command: &str) -> (i32, String) {
        writeln!(self.input, "{command}\nprintf '\\n%s %s\\n' '{END}' $?").unwrap();
        let mut said = Vec::new();
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("`{command}` does not end and has printed\n{}", said.join("\n"));
            };
            if let Some(code) = line.strip_prefix(END) {
                return (code.trim().parse().unwrap(), said.join("\n").trim_end().to_owned());
            }
            said.push(line.trim_end().to_owned());
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

const END: &str = "--- that was all ---";

/// A plugin is compiled, at the first time with all that it depends on.
const PATIENCE: Duration = Duration::from_secs(280);
