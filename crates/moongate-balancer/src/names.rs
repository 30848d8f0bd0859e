//! The addresses that targets' names were resolved to.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::target::Target;

/// A name that could not be resolved is tried again after this long.
const RETRY: Duration = Duration::from_secs(30);

/// A name is resolved no more often than this beside requests, whatever its records say.
const SHORTEST: Duration = Duration::from_secs(1);

/// What a name was resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// Where the records came from.
    pub kind: RecordType,
    /// One entry for each address.
    pub records: Vec<Record>,
    /// How long this is true.
    pub ttl: Duration,
}

/// One address that a name was resolved to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The address.
    pub ip: IpAddr,
    /// The port of an SRV record; the target's own otherwise.
    pub port: Option<u16>,
    /// The weight of an SRV record, where 0 counts as 1; the target's own otherwise.
    pub weight: Option<u16>,
    /// The name in an SRV record.
    pub name: Option<Arc<str>>,
}

/// The type of DNS record that gave addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordType {
    /// IPv4.
    A,
    /// IPv6.
    Aaaa,
    /// Services.
    Srv,
}

impl RecordType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Srv => "SRV",
        }
    }
}

/// What is known about one target's name.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) found: Found,
    /// Whether somebody was told to resolve it, and has not reported yet.
    asked: bool,
}

/// What a name was resolved to.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// It is an address, and needs no resolving.
    Address(IpAddr),
    /// Nothing yet.
    Unknown,
    /// The target's addresses.
    Known { resolution: Resolution, due: Duration },
    /// The name has no address.
    Failed { due: Duration },
}

impl Name {
    pub(crate) fn new(target: &Target) -> Self {
        let found = target.address.map_or(Found::Unknown, Found::Address);
        Self { found, asked: false }
    }

    /// Whether the name is to be resolved now. Whoever is told so has to report.
    pub(crate) fn ask(&mut self, now: Duration) -> bool {
        let is_due = match self.found {
            Found::Address(_) => false,
            Found::Unknown => true,
            Found::Known { due, .. } | Found::Failed { due } => due <= now,
        };
        let ask = is_due && !self.asked;
        self.asked |= ask;
        ask
    }

    /// Takes what the name was resolved to. Says whether the addresses are others than before.
    pub(crate) fn resolve(&mut self, resolution: Option<Resolution>, now: Duration) -> bool {
        let next = match resolution {
            Some(mut resolution) if !resolution.records.is_empty() => {
                // Name servers rotate their answers.
                resolution.records.sort();
                resolution.records.dedup();
                Found::Known { due: now + resolution.ttl.max(SHORTEST), resolution }
            }
            _ => Found::Failed { due: now + RETRY },
        };
        let changed = match (&self.found, &next) {
            (Found::Known { resolution: old, .. }, Found::Known { resolution: new, .. }) => {
                old.records != new.records || old.kind != new.kind || old.ttl.is_zero() != new.ttl.is_zero()
            }
            (Found::Failed { .. }, Found::Failed { .. }) => false,
            _ => true,
        };
        *self = Self { found: next, asked: false };
        changed
    }

    /// Whether what it was resolved to is true for a moment only.
    pub(crate) fn is_volatile(&self) -> bool {
        matches!(&self.found, Found::Known { resolution, .. } if resolution.ttl.is_zero())
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.found, Found::Unknown)
    }
}

impl Found {
    /// The word that the Admin API shows.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Address(IpAddr::V4(_)) => RecordType::A.name(),
            Self::Address(IpAddr::V6(_)) => RecordType::Aaaa.name(),
            Self::Known { resolution, .. } => resolution.kind.name(),
            Self::Unknown | Self::Failed { .. } => "unknown",
        }
    }
}
