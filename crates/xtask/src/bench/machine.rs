//! Where a measurement was made.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::interrupt::Interrupt;
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
        format!("Machine: {model}, {} cores, Linux {}, {}", cores.available, kernel.trim(), line_of(date)),
        format!(
            "Programs: moongate at {}; {}; {}",
            line_of(git),
            version("nginx", "-v"),
            version("wrk", "-v")
        ),
    ]
}

/// How much of the machine is in use, from 0 to 1, while this process waits for a second. The load average would not
/// do: right after a build it is high on a machine that has nothing left to do.
pub(crate) fn busy(interrupt: &Interrupt) -> Result<f64> {
    let read = || {
        let stat = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        Ticks::read(&stat).context("cannot read /proc/stat")
    };
    let before = read()?;
    interrupt.sleep(Duration::from_secs(1))?;
    Ok(read()?.busy_since(&before))
}

/// Keeps idle cores awake for as long as the file is open.
///
/// The core of a virtual machine that falls asleep leaves it, and whoever wakes it pays microseconds of its own CPU time
/// for that. What a proxy costs would depend on how often its client and its upstream have nothing to do.
pub(crate) fn keep_awake() -> io::Result<File> {
    let mut file = File::options().write(true).open("/dev/cpu_dma_latency")?;
    file.write_all(&0_i32.to_ne_bytes())?;
    Ok(file)
}

/// Of all cores together.
#[derive(Debug)]
struct Ticks {
    total: f64,
    idle: f64,
}

impl Ticks {
    fn read(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Time of guests, from the ninth on, is part of the first two already.
        let ticks: Option<Vec<f64>> =
            line.split_ascii_whitespace().take(8).map(|field| field.parse().ok()).collect();
        let ticks = ticks?;
        Some(Self { total: ticks.iter().sum(), idle: ticks.get(3)? + ticks.get(4)? })
    }

    fn busy_since(&self, before: &Self) -> f64 {
        let total = self.total - before.total;
        if total > 0.0 { 1.0 - (self.idle - before.idle) / total } else { 0.0 }
    }
}

/// The first line that a program prints about itself.
fn version(program: &str, flag: &str) -> String {
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

    #[test]
    fn a_machine_is_busy_where_it_is_not_idle() {
        let ticks = |text| Ticks::read(text).unwrap();
        let before = ticks("cpu  100 0 50 800 50 0 0 0 7 7\ncpu0 1 2 3\n");
        let after = ticks("cpu  120 0 60 860 55 0 5 0 9 9\n");
        assert!((after.busy_since(&before) - 0.35).abs() < 1e-9);
        assert!(before.busy_since(&before).abs() < 1e-9);
        assert!(Ticks::read("intr 1").is_none());
    }
}
