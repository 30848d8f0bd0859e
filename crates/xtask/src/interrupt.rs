//! Ctrl-C.
//!
//! A signal only sets a flag. Whoever waits looks at it a few times a second and returns [`Interrupted`], and the
//! values that are dropped on the way out end what was started. Children do not see Ctrl-C themselves, because each
//! is started in a process group of its own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::clock::Stopwatch;

/// Knows whether the user wants to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on signals set the flag instead of ending the process. A second one ends it all the same.
    pub(crate) fn watch() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // In this order: the first signal finds the flag unset and then sets it.
            flag::register_conditional_shutdown(signal, 1, Arc::clone(&flag))
                .and_then(|_| flag::register(signal, Arc::clone(&flag)))
                .context("cannot watch for signals")?;
        }
        Ok(Self(flag))
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted.into()) } else { Ok(()) }
    }

    pub(crate) fn sleep(&self, duration: Duration) -> Result<()> {
        let watch = Stopwatch::start();
        loop {
            self.check()?;
            match duration.checked_sub(watch.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(SLICE)),
                _ => return Ok(()),
            }
        }
    }
}

/// The user asked to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

const SLICE: Duration = Duration::from_millis(50);
