//! The addresses that targets' names were resolved to.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::target::Target;

/// A name that could not be resolved is tried again after this long.
const RETRY: Duration = Duration::from_secs(30);

/// A name is resolved no more often than this, whatever its records say.
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
#[derive(Debug, Clone)]
pub(crate) enum Name {
    /// It is an address, and needs no resolving.
    Address(IpAddr),
    /// Nothing yet.
    Unknown {
        /// Whether somebody was told to resolve it.
        asked: bool,
    },
    /// The target's addresses.
    Known { resolution: Resolution, due: Duration },
    /// The name has no address.
    Failed { due: Duration },
}

impl Name {
    pub(crate) fn new(target: &Target) -> Self {
        match target.address {
            Some(address) => Self::Address(address),
            None => Self::Unknown { asked: false },
        }
    }

    /// When the name is to be resolved again.
    pub(crate) fn due(&self) -> Option<Duration> {
        match self {
            Self::Address(_) | Self::Unknown { asked: true } => None,
            Self::Unknown { asked: false } => Some(Duration::ZERO),
            Self::Known { due, .. } | Self::Failed { due } => Some(*due),
        }
    }

    /// Somebody was told to resolve the name, and is given some time.
    pub(crate) fn ask(&mut self, now: Duration) {
        match self {
            Self::Address(_) => {}
            Self::Unknown { asked } => *asked = true,
            Self::Known { due, .. } | Self::Failed { due } => *due = now + RETRY,
        }
    }

    /// Takes what the name was resolved to. Says whether the addresses are others than before.
    pub(crate) fn resolve(&mut self, resolution: Option<Resolution>, now: Duration) -> bool {
        let next = match resolution {
            Some(mut resolution) if !resolution.records.is_empty() => {
                // Name servers rotate their answers.
                resolution.records.sort();
                resolution.records.dedup();
                Self::Known { due: now + resolution.ttl.max(SHORTEST), resolution }
            }
            _ => Self::Failed { due: now + RETRY },
        };
        let changed = match (&*self, &next) {
            (Self::Known { resolution: old, .. }, Self::Known { resolution: new, .. }) => {
                old.records != new.records || old.kind != new.kind
            }
            (Self::Failed { .. }, Self::Failed { .. }) => false,
            _ => true,
        };
        *self = next;
        changed
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The word that the Admin API shows.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Address(IpAddr::V4(_)) => RecordType::A.name(),
            Self::Address(IpAddr::V6(_)) => RecordType::Aaaa.name(),
            Self::Known { resolution, .. } => resolution.kind.name(),
            Self::Unknown { .. } | Self::Failed { .. } => "unknown",
        }
    }
}
