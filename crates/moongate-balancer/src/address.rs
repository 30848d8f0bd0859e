//! One address of a target, and what is known about it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use http::HeaderValue;

use crate::health::Health;
use crate::latency::Latency;

/// Tells addresses apart, for as long as the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressId(u64);

/// One address of a target, as the settings and the target at hand make it.
#[derive(Debug)]
pub struct Address {
    pub(crate) socket: SocketAddr,
    pub(crate) weight: u32,
    /// Position of its target.
    pub(crate) target: usize,
    /// The name that the address is addressed by.
    pub(crate) host: Arc<str>,
    authority: Arc<str>,
    host_with_port: HeaderValue,
    bare_host: HeaderValue,
    pub(crate) state: Arc<State>,
}

impl Address {
    pub(crate) fn new(
        socket: SocketAddr,
        weight: u32,
        target: usize,
        host: Arc<str>,
        state: Arc<State>,
    ) -> Self {
        // Host names and addresses are valid values; anything else would be refused when it is configured.
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self {
            host_with_port: value(&format!("{host}:{}", socket.port())),
            bare_host: value(&host),
            authority: socket.to_string().into(),
            socket,
            weight,
            target,
            host,
            state,
        }
    }

    /// Where to connect to.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// `address:port`; names pools of connections.
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// The name that the target is addressed by, without a port: the upstream's `host_header`, the name in the
    /// SRV record where that is asked for, or the target's own.
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// [`Address::host`] with the port, unless that is `default_port`.
    pub fn host_header(&self, default_port: u16) -> &HeaderValue {
        if self.socket.port() == default_port { &self.bare_host } else { &self.host_with_port }
    }

    /// Tells the address apart from others.
    pub fn id(&self) -> AddressId {
        self.state.id
    }
}

/// What is known about an address. Outlives the settings and targets that it is known for.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) id: AddressId,
    pub(crate) health: Health,
    /// Requests under way.
    pub(crate) active: AtomicU32,
    pub(crate) latency: Latency,
    /// Whether a probe is under way.
    pub(crate) probing: AtomicBool,
}

impl State {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: AddressId(NEXT.fetch_add(1, Ordering::Relaxed)),
            health: Health::default(),
            active: AtomicU32::new(0),
            latency: Latency::default(),
            probing: AtomicBool::new(false),
        }
    }
}

/// What an address is known by when targets change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    /// The target's host.
    pub(crate) host: Arc<str>,
}
