//! Typed views of the core entities, for those who serve requests.
//!
//! A view is made of a row that its schema found valid, so a row that does not fit is a mistake of the gateway, and
//! not of who configures it. Fields that a view does not have are not lost: they are in the row.

mod certificate;
mod consumer;
mod key;
mod plugin;
mod protocol;
mod reference;
mod route;
mod service;
mod target;
mod upstream;
mod vault;

pub use certificate::{CaCertificate, Certificate, Sni};
pub use consumer::Consumer;
pub use key::{Key, KeyPem, KeySet};
pub use plugin::Plugin;
pub use protocol::Protocol;
pub use reference::Reference;
pub use route::{HttpsRedirectStatus, PathHandling, Route, SourceOrDestination};
pub use service::Service;
pub use target::Target;
pub use upstream::{
    ActiveHealthcheck, ActiveHealthy, ActiveUnhealthy, Algorithm, HashInput, HealthcheckType, Healthchecks,
    PassiveHealthcheck, PassiveHealthy, PassiveUnhealthy, Upstream,
};
pub use vault::Vault;
