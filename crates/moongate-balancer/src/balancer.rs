//! See the crate's description.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::address::{Address, AddressId};
use crate::health::Finding;
use crate::lineage::Lineage;
use crate::names::{Found, Name, Resolution};
use crate::probe::{Probe, ProbeOutcome, Schedule};
use crate::settings::{Algorithm, Settings};
use crate::status::{AddressStatus, HealthWord, TargetStatus, UpstreamStatus, Weights};
use crate::target::Target;
use crate::view::{Order, View};
use crate::{latency, least_connections, ring};

/// Balances the requests to one upstream over its targets.
///
/// Its settings and targets do not change; when the upstream's do, another balancer [inherits](Self::inherit)
/// from it.
#[derive(Debug)]
pub struct Balancer {
    settings: Settings,
    targets: Vec<Target>,
    view: ArcSwap<View>,
    /// Locked by whoever makes a new view.
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    lineage: Arc<Lineage>,
    /// One for each target.
    names: Vec<Name>,
    schedule: Schedule,
}

/// What an address is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// [`hash`](crate::hash) of what the settings' hash sources found, for [`Algorithm::ConsistentHashing`].
    pub hash: Option<u32>,
    /// The addresses that this request was sent to before. Round-robin goes on to the next place whether or not
    /// it was tried; the others avoid them while there are others.
    pub tried: &'a [AddressId],
    /// The time, for [`Algorithm::Latency`].
    pub now: Duration,
    /// A random number, for [`Algorithm::Latency`].
    pub random: u64,
}

/// Why there is no address for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPeer {
    /// None is available.
    #[error("no target of the upstream is available")]
    Unavailable,
    /// None is available as yet, but names are being resolved.
    #[error("the names of the upstream's targets are not resolved yet")]
    Pending,
}

/// Why an address's health cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetHealthError {
    /// Health counts for nothing as no check is configured.
    #[error("no health check is configured")]
    ChecksOff,
    /// The upstream has no such target.
    #[error("no such target")]
    UnknownTarget,
    /// The target has no such address.
    #[error("no such address")]
    UnknownAddress,
}

/// What became of a proxied request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A response with this status.
    Status(u16),
    /// No connection, or none that a response came over.
    Failed,
    /// The upstream was too slow.
    TimedOut,
}

/// An address became healthy or unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthChange {
    /// The target's host.
    pub host: Arc<str>,
    /// The address.
    pub ip: IpAddr,
    /// Its port.
    pub port: u16,
    /// Whether it is healthy now.
    pub healthy: bool,
}

impl Balancer {
    /// A balancer that knows nothing about its targets yet. Round-robin begins at place `start`, which should be
    /// random so that the nodes of a cluster do not begin with the same target.
    pub fn new(settings: Settings, targets: Vec<Target>, start: usize) -> Self {
        let lineage = Arc::new(Lineage::new(start));
        let names = targets.iter().map(Name::new).collect();
        Self {
            view: ArcSwap::from_pointee(View::unmade(&lineage)),
            inner: Mutex::new(Inner { lineage, names, schedule: Schedule::default() }),
            settings,
            targets,
        }
    }

    /// Takes over from `other`, which balanced the same upstream until now: the place on the wheel and what is
    /// known about targets that both have. To be called before the first request.
    pub fn inherit(&self, other: &Self, now: Duration) {
        let (lineage, schedule, names) = {
            let inner = other.inner.lock();
            let names: Vec<Found> = inner.names.iter().map(|name| name.found.clone()).collect();
            (Arc::clone(&inner.lineage), inner.schedule, names)
        };
        let mut inner = self.inner.lock();
        inner.schedule = schedule;
        for (target, name) in self.targets.iter().zip(&mut inner.names) {
            let known = other.targets.iter().zip(&names).find(|(theirs, _)| theirs.host == target.host);
            if let Some((_, found)) = known
                && name.is_unknown()
            {
                // Who resolves it for the other will report to the other.
                name.found = found.clone();
            }
        }
        if !self.settings.checks.is_on() {
            // Once nothing is checked any more nobody could find out that an address is healthy again.
            lineage.heal();
        }
        inner.lineage = lineage;
        let same = self.settings == other.settings && self.targets == other.targets;
        let view = other.view.load_full();
        let view = if same && !view.is_unmade() { view } else { Arc::new(self.make(&inner)) };
        self.view.store(view);
        inner.lineage.forget_unused(now);
    }

    /// The upstream's settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The upstream's targets.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether the names of some targets have not been resolved yet, not even without success.
    pub fn is_pending(&self) -> bool {
        self.view().pending
    }

    /// Whether names are to be resolved before an address is chosen: some [were not yet](Self::is_pending), or
    /// [are for each request](Self::volatile_names).
    pub fn is_unsettled(&self) -> bool {
        let view = self.view();
        view.pending || !view.volatile.is_empty()
    }

    /// The targets whose addresses are good for one request only: their positions and names. What they are resolved to is
    /// for [`Balancer::resolved`].
    pub fn volatile_names(&self) -> Vec<(usize, Arc<str>)> {
        let view = self.view();
        let target = |position: &usize| Some((*position, Arc::clone(&self.targets.get(*position)?.host)));
        view.volatile.iter().filter_map(target).collect()
    }

    /// Chooses the address that a request goes to.
    ///
    /// # Errors
    /// See [`NoPeer`].
    pub fn pick(&self, request: &Request<'_>) -> Result<Pick, NoPeer> {
        let view = self.view();
        if !view.healthy {
            return Err(if view.pending { NoPeer::Pending } else { NoPeer::Unavailable });
        }
        let turn = || view.lineage.cursor.0.fetch_add(1, Ordering::Relaxed);
        let address = match &view.order {
            Order::Wheel(wheel) => turn()
                .checked_rem(wheel.len())
                .and_then(|place| wheel.get(place))
                .and_then(|index| view.addresses.get(*index as usize)),
            Order::Ring(ring) => {
                let hash = request.hash.unwrap_or_else(|| ring::hash(b""));
                let index = avoiding(request.tried, |tried| {
                    ring.find(hash, |index| {
                        view.available.binary_search(&index).is_ok()
                            && view.addresses.get(index as usize).is_some_and(|at| !tried.contains(&at.id()))
                    })
                });
                index.and_then(|index| view.addresses.get(index as usize))
            }
            Order::LeastConnections => {
                let start = turn();
                avoiding(request.tried, |tried| {
                    least_connections::choose(&view.addresses, &view.available, tried, start)
                })
            }
            Order::Latency => avoiding(request.tried, |tried| {
                latency::choose(&view.addresses, &view.available, tried, request.random, request.now)
            }),
        };
        let address = address.ok_or(NoPeer::Unavailable)?;
        let counted = self.settings.algorithm == Algorithm::LeastConnections;
        if counted {
            address.state.active.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Pick { address: Arc::clone(address), counted })
    }

    /// Takes note of what became of a request.
    pub fn report(&self, pick: &Pick, outcome: Outcome) -> Option<HealthChange> {
        let checks = &self.settings.checks.passive;
        let finding = match outcome {
            Outcome::Status(status) if checks.healthy_statuses.contains(status) => Finding::Success,
            Outcome::Status(status) if checks.unhealthy_statuses.contains(status) => Finding::HttpFailure,
            Outcome::Status(_) => return None,
            Outcome::Failed => Finding::TcpFailure,
            Outcome::TimedOut => Finding::Timeout,
        };
        let address = &pick.address;
        let healthy = address.state.health.count(finding, &checks.limits)?;
        self.changed();
        Some(HealthChange {
            host: Arc::clone(&address.host),
            ip: address.socket.ip(),
            port: address.socket.port(),
            healthy,
        })
    }

    /// Whether there can ever be names to resolve or addresses to probe.
    pub fn needs_upkeep(&self) -> bool {
        let active = &self.settings.checks.active;
        !active.healthy_interval.is_zero()
            || !active.unhealthy_interval.is_zero()
            || self.targets.iter().any(|target| target.address.is_none())
    }

    /// The targets whose names are to be resolved now: their positions and names. Whoever asks has to report
    /// with [`Balancer::resolved`]; the same target is not handed out again meanwhile.
    pub fn names_due(&self, now: Duration) -> Vec<(usize, Arc<str>)> {
        let mut inner = self.inner.lock();
        let due = self.targets.iter().zip(&mut inner.names).enumerate();
        due.filter_map(|(at, (target, name))| name.ask(now).then(|| (at, Arc::clone(&target.host)))).collect()
    }

    /// Takes the addresses of the target at `position`, or none if its name could not be resolved.
    pub fn resolved(&self, position: usize, resolution: Option<Resolution>, now: Duration) {
        let mut inner = self.inner.lock();
        let Some(name) = inner.names.get_mut(position) else { return };
        if name.resolve(resolution, now) {
            self.view.store(Arc::new(self.make(&inner)));
            inner.lineage.forget_unused(now);
        }
    }

    /// The addresses that are to be probed now. A probe that is under way is not handed out again.
    pub fn probes_due(&self, now: Duration) -> Vec<Probe> {
        let active = &self.settings.checks.active;
        let (healthy, unhealthy) = self.inner.lock().schedule.tick(active, now);
        if !healthy && !unhealthy {
            return Vec::new();
        }
        let view = self.view();
        let due = view.addresses.iter().filter(|address| {
            address.weight > 0 && if address.state.health.is_healthy() { healthy } else { unhealthy }
        });
        due.filter_map(|address| Probe::begin(address)).collect()
    }

    /// Takes note of what a probe found out.
    pub fn probed(&self, probe: &Probe, outcome: ProbeOutcome) -> Option<HealthChange> {
        let active = &self.settings.checks.active;
        let healthy = probe.state.health.count(outcome.finding(active)?, &active.limits)?;
        self.changed();
        Some(HealthChange {
            host: Arc::clone(&probe.host),
            ip: probe.socket.ip(),
            port: probe.socket.port(),
            healthy,
        })
    }

    /// Makes a target healthy or unhealthy: all its addresses, or the one with `ip` and, if given, `port`.
    /// `target` is its host and port.
    ///
    /// # Errors
    /// See [`SetHealthError`].
    pub fn set_health(
        &self,
        target: &str,
        address: Option<(IpAddr, Option<u16>)>,
        healthy: bool,
    ) -> Result<(), SetHealthError> {
        let position = self.targets.iter().position(|known| known.is_named(target));
        let position = position.ok_or(SetHealthError::UnknownTarget)?;
        if !self.settings.checks.is_on() {
            return Err(SetHealthError::ChecksOff);
        }
        let mut found = false;
        for known in self.view().addresses.iter().filter(|known| known.target == position) {
            let is_meant = address.is_none_or(|(ip, port)| {
                known.socket.ip() == ip && port.is_none_or(|port| known.socket.port() == port)
            });
            if is_meant {
                known.state.health.set(healthy);
                found = true;
            }
        }
        self.changed();
        if found || address.is_none() { Ok(()) } else { Err(SetHealthError::UnknownAddress) }
    }

    /// The state of the upstream and its targets.
    pub fn status(&self) -> UpstreamStatus {
        let checked = self.settings.checks.is_on();
        let kinds: Vec<_> = self.inner.lock().names.iter().map(|name| name.found.kind()).collect();
        let view = self.view();
        let mut targets: Vec<TargetStatus> = self
            .targets
            .iter()
            .zip(kinds)
            .map(|(target, kind)| TargetStatus {
                host: target.host.to_string(),
                port: target.port,
                dns: kind,
                node_weight: target.weight,
                weight: Weights::new(0, 0),
                addresses: Vec::new(),
                health: HealthWord::DnsError,
            })
            .collect();
        let (mut total, mut available) = (0, 0);
        for address in view.addresses.iter() {
            let Some(target) = targets.get_mut(address.target) else { continue };
            let healthy = !checked || address.state.health.is_healthy();
            let health = match (checked, healthy) {
                (false, _) => HealthWord::Off,
                (true, true) => HealthWord::Healthy,
                (true, false) => HealthWord::Unhealthy,
            };
            let weight = u64::from(address.weight);
            let usable = if healthy { weight } else { 0 };
            total += weight;
            available += usable;
            target.weight = Weights::new(target.weight.total + weight, target.weight.available + usable);
            target.addresses.push(AddressStatus {
                ip: address.socket.ip(),
                port: address.socket.port(),
                weight: address.weight,
                health,
            });
        }
        for target in &mut targets {
            target.health = TargetStatus::word(&target.addresses);
        }
        let weight = Weights::new(total, available);
        UpstreamStatus { healthy: weight.exceed(self.settings.checks.threshold), weight, checked, targets }
    }

    /// The view to balance by.
    fn view(&self) -> Guard<Arc<View>> {
        let view = self.view.load();
        if view.is_current() {
            return view;
        }
        drop(view);
        let inner = self.inner.lock();
        let view = self.view.load();
        // Another worker may have been faster.
        if !view.is_current() {
            let renewed = if view.is_unmade() { self.make(&inner) } else { view.renewed(&self.settings) };
            self.view.store(Arc::new(renewed));
        }
        self.view.load()
    }

    fn make(&self, inner: &Inner) -> View {
        View::new(&self.settings, &self.targets, &inner.names, &inner.lineage)
    }

    /// Health has changed.
    fn changed(&self) {
        self.view.load().lineage.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Chooses among what was not tried, or among all when that leaves nothing.
fn avoiding<T>(tried: &[AddressId], choose: impl Fn(&[AddressId]) -> Option<T>) -> Option<T> {
    choose(tried).or_else(|| if tried.is_empty() { None } else { choose(&[]) })
}

/// The address that a request goes to. Dropped when the request is over.
#[derive(Debug)]
pub struct Pick {
    address: Arc<Address>,
    /// Whether the request is counted among those under way.
    counted: bool,
}

impl Pick {
    /// Takes note of how long the address took to be connected to and to begin its response.
    pub fn took(&self, taken: Duration, now: Duration) {
        self.address.state.latency.record(taken, now);
    }
}

impl std::ops::Deref for Pick {
    type Target = Address;

    fn deref(&self) -> &Address {
        &self.address
    }
}

impl Drop for Pick {
    fn drop(&mut self) {
        if self.counted {
            self.address.state.active.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
