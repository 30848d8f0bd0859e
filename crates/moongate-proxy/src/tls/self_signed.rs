//! The certificate of a gateway that was given none.

use rcgen::{CertificateParams, DnType, KeyPair};

/// Makes a certificate for `localhost` that nobody has a reason to trust, valid for twenty years, and its key, both in PEM.
///
/// # Errors
/// When the system has no randomness.
pub fn self_signed() -> Result<(String, String), rcgen::Error> {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.distinguished_name.push(DnType::OrganizationName, "Moongate");
    let now = std::time::SystemTime::now();
    // A clock that is a little behind must not find it not yet valid.
    params.not_before = (now - DAY).into();
    params.not_after = (now + 20 * 365 * DAY).into();
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
