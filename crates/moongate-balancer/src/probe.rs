//! Active checks: which addresses are to be probed when, as data.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::address::{Address, State};
use crate::health::Finding;
use crate::settings::{ActiveChecks, CheckType};

/// An address to be probed. Dropping it means that it was not.
#[derive(Debug)]
pub struct Probe {
    /// Where to connect to.
    pub socket: SocketAddr,
    /// Name for the Host header and, unless the settings say another, for TLS.
    pub host: Arc<str>,
    pub(crate) state: Arc<State>,
}

/// What a probe found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The connection, all that [`CheckType::Tcp`] asks for, was made.
    Connected,
    /// A response with this status.
    Status(u16),
    /// No connection, or none that a response came over.
    Failed,
    /// It took longer than the settings allow.
    TimedOut,
}

impl ProbeOutcome {
    /// What it says about the address; nothing for a status that nobody listed.
    pub(crate) fn finding(self, checks: &ActiveChecks) -> Option<Finding> {
        match self {
            Self::Connected => (checks.kind == CheckType::Tcp).then_some(Finding::Success),
            Self::Status(status) if checks.healthy_statuses.contains(status) => Some(Finding::Success),
            Self::Status(status) if checks.unhealthy_statuses.contains(status) => Some(Finding::HttpFailure),
            Self::Status(_) => None,
            Self::Failed => Some(Finding::TcpFailure),
            Self::TimedOut => Some(Finding::Timeout),
        }
    }
}

impl Probe {
    /// A probe of `address`, unless one is under way.
    pub(crate) fn begin(address: &Address) -> Option<Self> {
        if address.state.probing.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Self {
            socket: address.socket,
            host: Arc::clone(&address.host),
            state: Arc::clone(&address.state),
        })
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.state.probing.store(false, Ordering::Release);
    }
}

/// When to probe next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Schedule {
    healthy: Option<Duration>,
    unhealthy: Option<Duration>,
}

impl Schedule {
    /// Whether healthy and unhealthy addresses, in this order, are to be probed now.
    pub(crate) fn tick(&mut self, checks: &ActiveChecks, now: Duration) -> (bool, bool) {
        (
            tick(&mut self.healthy, checks.healthy_interval, now),
            tick(&mut self.unhealthy, checks.unhealthy_interval, now),
        )
    }
}

/// The first probe is made after one interval.
fn tick(next: &mut Option<Duration>, interval: Duration, now: Duration) -> bool {
    if interval.is_zero() {
        *next = None;
        return false;
    }
    match next {
        Some(at) if *at <= now => {
            *next = Some(now + interval);
            true
        }
        // The interval may have become shorter.
        Some(at) => {
            *at = (*at).min(now + interval);
            false
        }
        None => {
            *next = Some(now + interval);
            false
        }
    }
}
