//! Certificates of authorities that services' certificates are checked against.

use moongate_schema::{
    CheckFailure, CheckFunction, Context, EntityCheck, Field, Hook, Object, Schema, Transformation, types,
};
use serde_json::Value;

use super::certificates::certificate;
use crate::pki;

pub(super) fn schema() -> Schema {
    Schema::entity("ca_certificates")
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .field("cert", certificate().required())
        .field("cert_digest", Field::string().unique())
        .field("tags", types::tags())
        .entity_check(EntityCheck::custom(
            &["cert"],
            CheckFunction { name: "certificate_authority", run: check_authority },
        ))
        .transformation(Transformation {
            input: vec!["cert".to_owned()],
            needs: Vec::new(),
            on_write: Hook { name: "certificate_digest", run: digest },
        })
        .described(&DESCRIPTIONS)
}

fn check_authority(row: &Object, context: &Context<'_>) -> Result<(), CheckFailure> {
    let Some(pem) = row.get("cert").and_then(Value::as_str) else { return Ok(()) };
    let now = i64::try_from(context.now()).unwrap_or(i64::MAX);
    pki::check_ca_certificate(pem, now).map_err(|text| CheckFailure::Entity(text.to_owned()))
}

fn digest(values: &[&Value]) -> Result<Object, String> {
    let pem = values.first().and_then(|pem| pem.as_str()).unwrap_or_default();
    let digest = pki::certificate_digest(pem).ok_or("the certificate cannot be read")?;
    Ok(Object::from_iter([("cert_digest".to_owned(), Value::from(digest))]))
}

const DESCRIPTIONS: [(&str, &str); 2] = [
    ("cert", "The certificate of the authority in PEM form."),
    ("cert_digest", "The SHA-256 digest of the certificate, in hexadecimal digits. The gateway computes it."),
];
