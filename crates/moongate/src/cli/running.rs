//! Commands for the gateway that runs at a prefix.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::client::{self, Answer};
use super::say;
use crate::prefix::Prefix;
use crate::properties::{Properties, Sources};

/// A gateway that was found running.
struct Found {
    pid: i32,
    prefix: Prefix,
    /// The prefix, as it was given.
    shown: String,
    token: Option<String>,
}

pub(super) fn health(sources: &Sources) -> anyhow::Result<()> {
    let found = Found::at(sources)?;
    if let Some(address) = found.prefix.admin_address() {
        let unwell = || {
            format!(
                "Moongate runs at {} (pid {}), but its Admin API at {address} does not answer",
                found.shown, found.pid
            )
        };
        let answer = found.ask(address, "GET", "/status", HEALTH_TIMEOUT).with_context(unwell)?;
        if answer.status != 200 {
            bail!("{} as it should: {}", unwell(), answer.message());
        }
    }
    say(&format!("Moongate is healthy at {}", found.shown));
    Ok(())
}

pub(super) fn reload(sources: &Sources) -> anyhow::Result<()> {
    let found = Found::at(sources)?;
    let Some(address) = found.prefix.admin_address() else {
        bail!(
            "the gateway at {} has no Admin API without TLS (see `admin_listen`) that could tell what came of it; run `kill \
             -HUP {}` and look at its log",
            found.shown,
            found.pid
        );
    };
    let answer = found
        .ask(address, "POST", "/moongate/reload", RELOAD_TIMEOUT)
        .with_context(|| format!("cannot ask the Admin API at {address}"))?;
    if answer.status != 200 {
        bail!("not reloaded, requests are served as before: {}", answer.message());
    }
    say("Moongate reloaded");
    Ok(())
}

pub(super) fn quit(sources: &Sources, timeout: u64) -> anyhow::Result<()> {
    let found = Found::at(sources)?;
    found.signal(Signal::SIGTERM)?;
    if found.has_ended(Duration::from_secs(timeout))? {
        say("Moongate stopped (gracefully)");
        return Ok(());
    }
    found.end()?;
    say("Timeout, Moongate stopped forcefully");
    Ok(())
}

pub(super) fn stop(sources: &Sources) -> anyhow::Result<()> {
    let found = Found::at(sources)?;
    found.signal(Signal::SIGTERM)?;
    found.end()?;
    say("Moongate stopped");
    Ok(())
}

impl Found {
    fn at(sources: &Sources) -> anyhow::Result<Self> {
        let contact = Properties::load_contact(sources)?;
        let shown = contact.prefix.display().to_string();
        let prefix = Prefix::new(&contact.prefix);
        match prefix.running()? {
            Some(pid) => Ok(Self { pid, prefix, shown, token: contact.admin_token }),
            None => bail!("Moongate is not running at {shown}"),
        }
    }

    fn ask(
        &self,
        address: SocketAddr,
        method: &str,
        path: &str,
        timeout: Duration,
    ) -> std::io::Result<Answer> {
        client::ask(address, method, path, self.token.as_deref(), timeout)
    }

    /// Makes a gateway end at once that was already told to end.
    fn end(&self) -> anyhow::Result<()> {
        // Two signals of a kind are one if the second comes before the first was seen, so they are repeated.
        for _ in 0..ATTEMPTS {
            if self.has_ended(PAUSE)? {
                return Ok(());
            }
            self.signal(Signal::SIGTERM)?;
        }
        bail!("Moongate at {} (pid {}) does not end; `kill -KILL {}` does it", self.shown, self.pid, self.pid)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        match kill(Pid::from_raw(self.pid), signal) {
            // It ended by itself.
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(error) => bail!("cannot signal pid {} of the gateway at {}: {error}", self.pid, self.shown),
        }
    }

    fn has_ended(&self, timeout: Duration) -> anyhow::Result<bool> {
        let mut waited = Duration::ZERO;
        loop {
            // Another gateway may have started in its place.
            if self.prefix.running()? != Some(self.pid) {
                return Ok(true);
            }
            if waited >= timeout {
                return Ok(false);
            }
            std::thread::sleep(LOOK);
            waited += LOOK;
        }
    }
}

const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// Plugins look at their configurations during a reload, each within its own budget.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(120);

const LOOK: Duration = Duration::from_millis(20);

const PAUSE: Duration = Duration::from_millis(100);

const ATTEMPTS: usize = 50;
