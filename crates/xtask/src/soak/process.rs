//! What the gateway holds, as /proc tells.

use std::fs;

use anyhow::{Context, Result};

/// Of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Resources {
    /// Bytes that are resident.
    pub(super) memory: u64,
    /// Files and sockets that are open.
    pub(super) descriptors: usize,
}

impl Resources {
    pub(super) fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the gateway has ended")?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        let memory = memory.context("/proc tells no resident memory")? * 1024;
        let descriptors =
            fs::read_dir(format!("/proc/{pid}/fd")).context("cannot count descriptors")?.count();
        Ok(Self { memory, descriptors })
    }

    /// The median of each, which single peaks do not move.
    pub(super) fn typical(samples: &[Self]) -> Self {
        let mut memory: Vec<_> = samples.iter().map(|sample| sample.memory).collect();
        let mut descriptors: Vec<_> = samples.iter().map(|sample| sample.descriptors).collect();
        memory.sort_unstable();
        descriptors.sort_unstable();
        let middle = samples.len() / 2;
        Self {
            memory: memory.get(middle).copied().unwrap_or_default(),
            descriptors: descriptors.get(middle).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_holds_something() {
        let before = Resources::of(std::process::id()).unwrap();
        assert!(before.memory > 100_000 && before.descriptors > 2);
    }

    #[test]
    fn a_peak_is_not_typical() {
        let sample = |memory| Resources { memory, descriptors: 3 };
        assert_eq!(Resources::typical(&[sample(5), sample(900), sample(6)]).memory, 6);
    }
}
