//! Certificates that the gateway shows to clients, or to services.

use moongate_schema::{
    Check, CheckFailure, CheckFunction, Context, EntityCheck, Field, Object, Schema, types,
};
use serde_json::Value;

use crate::pki::{self, Certificate, PublicKey};

pub(super) fn schema() -> Schema {
    let check = |fields: &[&str], name, run| EntityCheck::custom(fields, CheckFunction { name, run });
    Schema::entity("certificates")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("cert", certificate().required().referenceable())
        .field("key", key().required().referenceable().encrypted())
        .field("cert_alt", certificate().optional().referenceable())
        .field("key_alt", key().optional().referenceable().encrypted())
        .field("tags", types::tags())
        .field("snis", Field::array(types::wildcard_host().required()).optional().transient())
        .entity_check(EntityCheck::mutually_required(&["cert_alt", "key_alt"]))
        .entity_check(check(&["cert", "key"], "certificate_pair", check_pair))
        .entity_check(check(&["cert_alt", "key_alt"], "alternative_certificate_pair", check_alternative_pair))
        .entity_check(check(&["cert", "cert_alt"], "certificate_types", check_types))
        .described(&DESCRIPTIONS)
}

/// A text with a certificate.
pub(super) const CERTIFICATE: Check =
    Check { name: "certificate", run: |value| pki::check_certificate(value.as_str().unwrap_or_default()) };

/// A text with a private key.
pub(super) const KEY: Check =
    Check { name: "key", run: |value| pki::check_key(value.as_str().unwrap_or_default()) };

pub(super) fn certificate() -> Field {
    Field::string().check(CERTIFICATE)
}

fn key() -> Field {
    Field::string().check(KEY)
}

fn check_pair(row: &Object, _context: &Context<'_>) -> Result<(), CheckFailure> {
    belong_together(row, "cert", "key", "certificate does not match key")
}

fn check_alternative_pair(row: &Object, _context: &Context<'_>) -> Result<(), CheckFailure> {
    belong_together(row, "cert_alt", "key_alt", "alternative certificate does not match key")
}

fn check_types(row: &Object, _context: &Context<'_>) -> Result<(), CheckFailure> {
    match (public_key(row, "cert"), public_key(row, "cert_alt")) {
        (Some(main), Some(alternative)) if main.same_type(&alternative) => {
            Err(CheckFailure::Entity(SAME_TYPE.to_owned()))
        }
        _ => Ok(()),
    }
}

/// What cannot be read, such as a reference to a secret, passes.
fn belong_together(row: &Object, certificate: &str, key: &str, text: &str) -> Result<(), CheckFailure> {
    let key = row.get(key).and_then(Value::as_str).and_then(|pem| pki::private_key(pem).ok());
    match (public_key(row, certificate), key) {
        (Some(certificate), Some(key)) if certificate != *key.public_key() => {
            Err(CheckFailure::Entity(text.to_owned()))
        }
        _ => Ok(()),
    }
}

fn public_key(row: &Object, certificate: &str) -> Option<PublicKey> {
    let certificate = Certificate::from_pem(row.get(certificate)?.as_str()?).ok()?;
    Some(certificate.public_key().clone())
}

const SAME_TYPE: &str = "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), \
                         the provided certificates were both of the same type";

const DESCRIPTIONS: [(&str, &str); 5] = [
    ("cert", "The certificate in PEM form, with those of the authorities between it and a trusted one."),
    ("key", "The private key of the certificate in PEM form."),
    ("cert_alt", "A certificate with another type of key, for clients that do not take the first."),
    ("key_alt", "The private key of the second certificate in PEM form."),
    ("snis", "The server names that the certificate is shown for."),
];
