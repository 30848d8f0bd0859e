//! What processes have used, as /proc tells.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::unistd::{SysconfVar, sysconf};

/// Of one process with all its threads, or of several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) processor_time: Duration,
    /// Bytes that are resident.
    pub(crate) memory: u64,
}

/// The processes that do the work of `pid`: its children where it has some, as nginx has, and otherwise itself.
pub(crate) fn serving(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let name = entry.context("cannot read /proc")?.file_name();
        let Some(candidate) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since it was listed.
        let stat = fs::read_to_string(format!("/proc/{candidate}/stat")).unwrap_or_default();
        if Stat::read(&stat).is_some_and(|stat| stat.parent == pid) {
            children.push(candidate);
        }
    }
    Ok(if children.is_empty() { vec![pid] } else { children })
}

pub(crate) fn total(processes: &[u32]) -> Result<Usage> {
    let mut total = Usage::default();
    for pid in processes {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} has ended during the measurement"))?;
        let stat = Stat::read(&stat).with_context(|| format!("cannot read /proc/{pid}/stat: {stat}"))?;
        total.processor_time += Duration::from_secs(stat.ticks) / system(SysconfVar::CLK_TCK)?;
        total.memory += stat.resident_pages * u64::from(system(SysconfVar::PAGE_SIZE)?);
    }
    Ok(total)
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// In user mode and in the kernel.
    ticks: u64,
    resident_pages: u64,
}

impl Stat {
    /// Reads a line of /proc/PID/stat. The program's name stands in parentheses and may itself contain any.
    fn read(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // proc(5) counts from 1, and the name is its second field.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            parent: u32::try_from(field(4)?).ok()?,
            ticks: field(14)? + field(15)?,
            resident_pages: field(24)?,
        })
    }
}

fn system(name: SysconfVar) -> Result<u32> {
    let value = sysconf(name).with_context(|| format!("cannot ask for {name:?}"))?;
    value.and_then(|value| u32::try_from(value).ok()).with_context(|| format!("{name:?} is unknown"))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_skipped() {
        let line =
            "4711 (a) R 9 (b) S 4242 1 1 0 -1 4194560 900 0 3 0 120 45 7 8 20 0 1 0 100 5000000 321 9 1 1";
        assert_eq!(Stat::read(line), Some(Stat { parent: 4242, ticks: 165, resident_pages: 321 }));
        assert_eq!(Stat::read("4711 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_serves_itself_or_through_its_children() {
        let pid = std::process::id();
        assert!(total(&[pid]).unwrap().memory > 100_000);
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        assert!(serving(pid).unwrap().contains(&child.id()));
        assert_eq!(serving(child.id()).unwrap(), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
