//! What requests are balanced by: addresses, those of them that are available, and the order among them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::address::{Address, Key};
use crate::latency::Latency;
use crate::lineage::Lineage;
use crate::names::{Found, Name};
use crate::ring::Ring;
use crate::settings::{Algorithm, Settings};
use crate::status::Weights;
use crate::target::Target;
use crate::wheel;

/// Immutable; another one replaces it when addresses or their health change.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) lineage: Arc<Lineage>,
    /// The lineage's changes that the view knows of.
    pub(crate) changes: u64,
    pub(crate) addresses: Arc<[Arc<Address>]>,
    /// Indices of the addresses that requests may go to.
    pub(crate) available: Box<[u32]>,
    pub(crate) order: Order,
    /// Whether enough weight is available.
    pub(crate) healthy: bool,
    /// Whether some target's name has yet to be resolved.
    pub(crate) pending: bool,
    /// The positions of the targets whose names each request resolves anew.
    pub(crate) volatile: Arc<[usize]>,
}

/// The order among the addresses.
#[derive(Debug)]
pub(crate) enum Order {
    Wheel(Box<[u32]>),
    Ring(Arc<Ring>),
    LeastConnections,
    Latency,
}

impl View {
    /// A view of nothing that is out of date from the start.
    pub(crate) fn unmade(lineage: &Arc<Lineage>) -> Self {
        Self {
            lineage: Arc::clone(lineage),
            changes: UNMADE,
            addresses: Arc::default(),
            available: Box::default(),
            order: Order::LeastConnections,
            healthy: false,
            pending: true,
            volatile: Arc::default(),
        }
    }

    pub(crate) fn is_unmade(&self) -> bool {
        self.changes == UNMADE
    }

    /// Whether health has not changed since the view was made.
    pub(crate) fn is_current(&self) -> bool {
        self.changes == self.lineage.changes.load(Ordering::Acquire)
    }

    /// The view of newly known addresses.
    pub(crate) fn new(
        settings: &Settings,
        targets: &[Target],
        names: &[Name],
        lineage: &Arc<Lineage>,
    ) -> Self {
        let addresses = addresses(settings, targets, names, lineage);
        let ring = match settings.algorithm {
            Algorithm::ConsistentHashing => Ring::build(settings.slots, targets, &addresses),
            _ => Ring::default(),
        };
        if settings.algorithm == Algorithm::Latency {
            Latency::introduce(&addresses);
        }
        let pending = names.iter().any(Name::is_unknown);
        let volatile = names.iter().enumerate().filter(|(_, name)| name.is_volatile());
        let volatile = volatile.map(|(position, _)| position).collect();
        Self::of(settings, addresses.into(), Arc::new(ring), pending, volatile, lineage)
    }

    /// The view of the same addresses, with their health as it is now.
    pub(crate) fn renewed(&self, settings: &Settings) -> Self {
        let ring = match &self.order {
            Order::Ring(ring) => Arc::clone(ring),
            _ => Arc::default(),
        };
        let (addresses, volatile) = (Arc::clone(&self.addresses), Arc::clone(&self.volatile));
        Self::of(settings, addresses, ring, self.pending, volatile, &self.lineage)
    }

    fn of(
        settings: &Settings,
        addresses: Arc<[Arc<Address>]>,
        ring: Arc<Ring>,
        pending: bool,
        volatile: Arc<[usize]>,
        lineage: &Arc<Lineage>,
    ) -> Self {
        // Read before health is: whoever changes health later is noticed.
        let changes = lineage.changes.load(Ordering::Acquire);
        let checked = settings.checks.is_on();
        let is_available =
            |address: &Address| address.weight > 0 && (!checked || address.state.health.is_healthy());
        let available: Vec<(u32, u32)> = (0..)
            .zip(&*addresses)
            .filter(|(_, address)| is_available(address))
            .map(|(index, address)| (index, address.weight))
            .collect();
        let weights = Weights::new(
            addresses.iter().map(|address| u64::from(address.weight)).sum(),
            available.iter().map(|(_, weight)| u64::from(*weight)).sum(),
        );
        let order = match settings.algorithm {
            Algorithm::RoundRobin => Order::Wheel(wheel::build(&available)),
            Algorithm::ConsistentHashing => Order::Ring(ring),
            Algorithm::LeastConnections => Order::LeastConnections,
            Algorithm::Latency => Order::Latency,
        };
        Self {
            lineage: Arc::clone(lineage),
            changes,
            available: available.into_iter().map(|(index, _)| index).collect(),
            order,
            healthy: weights.exceed(settings.checks.threshold),
            pending,
            volatile,
            addresses,
        }
    }
}

/// No lineage has seen so many changes.
const UNMADE: u64 = u64::MAX;

/// The addresses of all targets.
fn addresses(
    settings: &Settings,
    targets: &[Target],
    names: &[Name],
    lineage: &Arc<Lineage>,
) -> Vec<Arc<Address>> {
    let mut addresses = Vec::new();
    for (at, (target, name)) in targets.iter().zip(names).enumerate() {
        let mut add = |ip, port, weight, srv_name: Option<&Arc<str>>| {
            let state = lineage.state(Key { ip, port, host: Arc::clone(&target.host) });
            let host = match (&settings.host_header, srv_name) {
                (Some(host), _) => host.as_str().into(),
                (None, Some(name)) if settings.use_srv_name => Arc::clone(name),
                _ => Arc::clone(&target.host),
            };
            addresses.push(Arc::new(Address::new(SocketAddr::new(ip, port), weight, at, host, state)));
        };
        match &name.found {
            Found::Address(ip) => add(*ip, target.port, target.weight, None),
            Found::Known { resolution, .. } => {
                for record in &resolution.records {
                    let weight = match record.weight {
                        // A target without weight gets no requests, whatever its records say.
                        Some(weight) if target.weight > 0 => u32::from(weight).max(1),
                        _ => target.weight,
                    };
                    add(record.ip, record.port.unwrap_or(target.port), weight, record.name.as_ref());
                }
            }
            Found::Unknown | Found::Failed { .. } => {}
        }
    }
    addresses
}
