//! TLS towards clients and towards upstreams.
//!
//! What depends on properties is made once, when the proxy starts: protocol versions, cipher suites, session tickets. What
//! depends on entities belongs to a snapshot: which certificate answers to which server name, and how upstreams are spoken
//! to. So a new configuration changes certificates without touching connections or the sessions that clients resume.

mod certificates;
mod cipher;
mod identity;
mod listener;
mod options;
mod self_signed;
mod session;
mod ticketer;
mod upstream;
mod verifier;

pub(crate) use certificates::Certificates;
pub use cipher::{CipherError, CipherSuites};
pub use identity::{IdentityError, TlsIdentity};
pub(crate) use listener::TlsListeners;
pub use options::{TlsOptions, TlsVersion};
pub use self_signed::self_signed;
pub(crate) use session::{TlsSession, handshake};
pub use upstream::UpstreamTlsOptions;
pub(crate) use upstream::{Secured, TlsClient, TlsClients, UpstreamTls};
