//! Processes that run beside this one.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::clock::Stopwatch;
use crate::interrupt::Interrupt;

/// Keeps properties of the gateway in the environment from a command: they count more than those in a file.
pub(crate) fn forget_properties(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MOONGATE_") {
            command.env_remove(name);
        }
    }
}

/// A child that runs until it is stopped; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts `command` with its output going to the file `log`.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone().with_context(|| format!("cannot write {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {}", shown(&command)))?;
        Ok(Self { name: name.to_owned(), child, log: log.to_owned() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error with the end of its log when the process has ended on its own.
    pub(crate) fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait().with_context(|| format!("cannot watch {}", self.name))?
        else {
            return Ok(());
        };
        let output = tail(&self.output(), TAIL_LINES);
        bail!("{} has ended ({status}); the end of {}:\n{output}", self.name, self.log.display());
    }

    /// Returns once `probe` is content.
    ///
    /// # Errors
    ///
    /// With what the probe said last, when the process ends or `limit` passes before.
    pub(crate) fn wait_until(
        &mut self,
        limit: Duration,
        interrupt: &Interrupt,
        mut probe: impl FnMut() -> Result<()>,
    ) -> Result<()> {
        let watch = Stopwatch::start();
        loop {
            self.check()?;
            match probe() {
                Ok(()) => return Ok(()),
                Err(error) if watch.elapsed() > limit => {
                    let what = format!(
                        "{} was not ready after {} s, its log is {}",
                        self.name,
                        limit.as_secs(),
                        self.log.display()
                    );
                    return Err(error.context(what));
                }
                Err(_) => interrupt.sleep(PROBE_PAUSE)?,
            }
        }
    }

    /// Asks the process to end and does not wait. Asking several before the first is dropped lets them end together.
    pub(crate) fn terminate(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(self.group(), Signal::SIGTERM);
        }
    }

    /// Waits for a process that ends by itself and returns what it printed.
    pub(crate) fn finish(mut self, interrupt: &Interrupt) -> Result<String> {
        let status = loop {
            match self.child.try_wait().with_context(|| format!("cannot watch {}", self.name))? {
                Some(status) => break status,
                None => interrupt.sleep(PROBE_PAUSE)?,
            }
        };
        let output = self.output();
        ensure!(status.success(), "{} failed ({status}):\n{output}", self.name);
        Ok(output)
    }

    fn output(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    fn group(&self) -> Pid {
        // Linux has no process ids above 2^22.
        Pid::from_raw(i32::try_from(self.child.id()).unwrap_or(i32::MAX))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.terminate();
        let watch = Stopwatch::start();
        while matches!(self.child.try_wait(), Ok(None)) {
            if watch.elapsed() > STOP_LIMIT {
                eprintln!("{} did not end within {} s and is killed", self.name, STOP_LIMIT.as_secs());
                let _ = killpg(self.group(), Signal::SIGKILL);
                drop(self.child.wait());
                return;
            }
            thread::sleep(STOP_PAUSE);
        }
    }
}

/// Runs `command` to its end with this process's output; anything but success is an error.
pub(crate) fn run(mut command: Command) -> Result<()> {
    eprintln!("$ {}", shown(&command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(&command)))?;
    require(&command, status)
}

/// Runs `command` to its end and returns what it printed.
pub(crate) fn capture(mut command: Command) -> Result<Vec<u8>> {
    let output = command.stderr(Stdio::inherit()).output();
    let Output { status, stdout, .. } =
        output.with_context(|| format!("cannot start {}", shown(&command)))?;
    require(&command, status)?;
    Ok(stdout)
}

/// Whether `command` can be started and succeeds; it prints nothing.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The first file of that name on PATH, or in the directories where Debian keeps servers.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

fn require(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// The command as one would type it, with the program's name in place of its path.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(program)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
}

const TAIL_LINES: usize = 40;
const PROBE_PAUSE: Duration = Duration::from_millis(100);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const STOP_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_gone_once_it_is_dropped() {
        let log = std::env::temp_dir().join(format!("xtask-service-{}.log", std::process::id()));
        let mut command = Command::new("sleep");
        command.arg("60");
        let mut service = Service::start("sleeper", command, &log).unwrap();
        let pid = service.group();
        assert!(service.check().is_ok());
        drop(service);
        assert!(kill(pid, None).is_err());
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn the_end_of_a_service_is_reported_with_its_log() {
        let log = std::env::temp_dir().join(format!("xtask-ended-{}.log", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such luck; exit 3"]);
        let mut service = Service::start("unlucky", command, &log).unwrap();
        service.child.wait().unwrap();
        let message = service.check().unwrap_err().to_string();
        assert!(message.starts_with("unlucky has ended (exit status: 3)"), "{message}");
        assert!(message.ends_with("no such luck"), "{message}");
        fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_failing_command_is_named_without_its_directory() {
        let mut command = Command::new("/bin/false");
        command.arg("now");
        assert_eq!(run(command).unwrap_err().to_string(), "`false now` failed (exit status: 1)");
    }

    #[test]
    fn the_tail_is_the_last_lines() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
