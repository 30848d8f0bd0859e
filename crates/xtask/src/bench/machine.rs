//! Where a measurement was made.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::process;
use crate::workspace::Workspace;

/// Who runs where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cores {
    /// Of the client and the upstream.
    pub(crate) load: usize,
    /// Of the proxy.
    pub(crate) proxy: usize,
    available: usize,
}

impl Cores {
    /// The first core and the last of those that this process may use.
    pub(crate) fn choose() -> Result<Self> {
        let allowed = sched_getaffinity(Pid::from_raw(0)).context("cannot ask which cores may be used")?;
        let cores: Vec<usize> =
            (0..CpuSet::count()).filter(|core| allowed.is_set(*core) == Ok(true)).collect();
        let (Some(&load), Some(&proxy)) = (cores.first(), cores.last()) else {
            anyhow::bail!("no core may be used");
        };
        Ok(Self { load, proxy, available: cores.len() })
    }

    pub(crate) fn are_shared(self) -> bool {
        self.load == self.proxy
    }
}

/// One line on the machine and one on the programs.
pub(crate) fn describe(workspace: &Workspace, cores: Cores) -> Vec<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["describe", "--always", "--dirty"]);
    let mut date = Command::new("date");
    date.args(["-u", "+%Y-%m-%d %H:%M UTC"]);
    vec![
        format!(
            "Machine: {model}, {} cores, Linux {}, {}; load average before: {}",
            cores.available,
            kernel.trim(),
            line_of(date),
            load_average()
        ),
        format!(
            "Programs: moongate at {}; {}; {}",
            line_of(git),
            version("nginx", "-v"),
            version("wrk", "-v")
        ),
    ]
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_ascii_whitespace().next().unwrap_or("unknown").to_owned()
}

/// The first line that a program prints about itself.
pub(crate) fn version(program: &str, flag: &str) -> String {
    let Some(path) = process::find_program(program) else { return format!("{program} (not installed)") };
    let mut command = Command::new(path);
    command.arg(flag);
    line_of(command)
}

fn line_of(mut command: Command) -> String {
    let Ok(output) = command.output() else { return "unknown".to_owned() };
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or("unknown");
    line.split(" Copyright").next().unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cores_exist() {
        let cores = Cores::choose().unwrap();
        assert!(cores.load <= cores.proxy);
        assert_eq!(cores.are_shared(), cores.available == 1);
    }
}
