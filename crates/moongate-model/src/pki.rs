//! Certificates and keys as the entities carry them: PEM text.
//!
//! Field validators and entity checks of `certificates`, `ca_certificates`, `keys` and `jwt_secrets` call the `check_*`
//! functions; whoever serves the certificates takes [`certificate_chain`] and [`private_key`]. Parsing accepts what the
//! entities may hold, which is more than TLS can use: a 1024-bit RSA key passes here and is refused when it is to serve.
//!
//! A value which is a vault reference, `{vault://…}`, is not looked into: what it stands for is known only later.

mod certificate;
mod checks;
mod der;
mod jwk;
mod key;

pub use certificate::{Certificate, certificate_chain};
pub use checks::{
    certificate_digest, check_ca_certificate, check_certificate, check_certificate_pairs, check_jwk,
    check_key, check_key_pair, check_public_key,
};
pub use key::{PrivateKey, PublicKey, any_public_key, private_key, public_key};

/// Why a PEM text is no usable certificate or key. The text is a fragment that fits after `invalid certificate: ` or
/// `invalid key: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The text has no PEM section of the wanted kind.
    #[error("no {0} found in the PEM text")]
    Missing(&'static str),
    /// The text's PEM armour is broken, for example its base64.
    #[error("malformed PEM text: {0}")]
    Pem(String),
    /// The key is encrypted with a passphrase.
    #[error("the private key is encrypted")]
    Encrypted,
    /// The section's bytes are not the structure that its label promises.
    #[error("malformed {0}")]
    Malformed(&'static str),
}

/// Whether `value` is a reference into a vault instead of a value.
fn is_reference(value: &str) -> bool {
    value.starts_with("{vault://") && value.ends_with('}')
}

#[cfg(test)]
mod tests;
