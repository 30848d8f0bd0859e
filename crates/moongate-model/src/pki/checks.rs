//! What the entities' schemas check, with the texts of their errors.

use serde_json::Value;

use super::certificate::Certificate;
use super::key::{any_public_key, private_key, public_key};
use super::{PkiError, is_reference, jwk};

/// Field validator of a certificate: `invalid certificate: …` unless the text has a readable one.
///
/// # Errors
/// The field's error text.
pub fn check_certificate(pem: &str) -> Result<(), String> {
    if is_reference(pem) {
        return Ok(());
    }
    match Certificate::from_pem(pem) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("invalid certificate: {error}")),
    }
}

/// Field validator of a private key: `invalid key: …` unless the text has a readable one.
///
/// # Errors
/// The field's error text.
pub fn check_key(pem: &str) -> Result<(), String> {
    if is_reference(pem) {
        return Ok(());
    }
    match private_key(pem) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("invalid key: {error}")),
    }
}

/// Entity check of a certificate and its key, and of the alternative pair if there is one: each key must belong to its
/// certificate, and the pairs must be of different types. Unreadable texts, the field validators' matter, pass.
///
/// # Errors
/// The entity error's text.
pub fn check_certificate_pairs(
    main: (&str, &str),
    alternative: Option<(&str, &str)>,
) -> Result<(), &'static str> {
    if belong_together(main) == Some(false) {
        return Err("certificate does not match key");
    }
    let Some(alternative) = alternative else {
        return Ok(());
    };
    if belong_together(alternative) == Some(false) {
        return Err("alternative certificate does not match key");
    }
    match (Certificate::from_pem(main.0), Certificate::from_pem(alternative.0)) {
        (Ok(main), Ok(alternative)) if main.public_key().same_type(alternative.public_key()) => Err(
            "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided \
                 certificates were both of the same type",
        ),
        _ => Ok(()),
    }
}

/// Entity check of an authority's certificate: one only, not expired at `now` (seconds since 1970), and allowed to sign
/// others. An unreadable text, the field validator's matter, passes.
///
/// # Errors
/// The entity error's text.
pub fn check_ca_certificate(pem: &str, now: i64) -> Result<(), &'static str> {
    if pem.matches("-----BEGIN CERTIFICATE-----").count() > 1 {
        return Err("please submit only one certificate at a time");
    }
    let Ok(certificate) = Certificate::from_pem(pem) else {
        return Ok(());
    };
    if certificate.not_after() < now {
        return Err("certificate expired, \"Not After\" time is in the past");
    }
    if !certificate.is_authority() {
        return Err(
            "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint",
        );
    }
    Ok(())
}

/// SHA-256 of the first certificate's DER form in lower-case hexadecimal digits, or nothing when it is unreadable.
#[must_use]
pub fn certificate_digest(pem: &str) -> Option<String> {
    let certificate = Certificate::from_pem(pem).ok()?;
    Some(certificate.digest().to_owned())
}

/// Entity check of a JSON Web Key: JSON, its `kid` is `kid`, and a key that can be loaded.
///
/// # Errors
/// The entity error's text.
pub fn check_jwk(jwk: &str, kid: Option<&str>) -> Result<(), &'static str> {
    if is_reference(jwk) {
        return Ok(());
    }
    let Ok(parsed) = serde_json::from_str::<Value>(jwk) else {
        return Err("could not json decode jwk string");
    };
    if parsed.get("kid").and_then(Value::as_str) != kid {
        return Err("kid in jwk.kid must be equal to keys.kid");
    }
    match parsed.as_object() {
        Some(members) if jwk::is_loadable(members) => Ok(()),
        _ => Err("could not load JWK, likely not a valid key"),
    }
}

/// Field validator of the two halves of a key, of which either may be absent: both readable, and of one key.
///
/// # Errors
/// The field's error text.
pub fn check_key_pair(public: Option<&str>, private: Option<&str>) -> Result<(), String> {
    if [public, private].into_iter().flatten().any(is_reference) {
        return Ok(());
    }
    let public = match public.map(public_key) {
        Some(Err(_)) => return Err("could not load public key".to_owned()),
        other => other.and_then(Result::ok),
    };
    let private = match private.map(private_key) {
        Some(Err(error)) => return Err(format!("could not load private key: {error}")),
        other => other.and_then(Result::ok),
    };
    match (public, private) {
        (Some(public), Some(private)) if public != *private.public_key() => {
            Err("public key does not match private key".to_owned())
        }
        _ => Ok(()),
    }
}

/// Field validator of a key that verifies signatures: `invalid key` unless the text has a readable key, of which a
/// private one will do too.
///
/// # Errors
/// The field's error text.
pub fn check_public_key(pem: &str) -> Result<(), &'static str> {
    match any_public_key(pem) {
        Ok(_) => Ok(()),
        Err(_) => Err("invalid key"),
    }
}

/// Whether the certificate is for the key; nothing when one of them cannot be read.
fn belong_together((certificate, key): (&str, &str)) -> Option<bool> {
    let certificate: Result<_, PkiError> = Certificate::from_pem(certificate);
    let key = private_key(key);
    Some(certificate.ok()?.public_key() == key.ok()?.public_key())
}
