//! Functions that schemas of plugins can name.

use std::num::NonZeroU32;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use moongate_schema::{Check, Functions, Hook, Object, Randomness as _, SystemRandomness};
use serde_json::Value;

use super::certificates;
use crate::pki;

/// The functions that schemas in JSON can name: the checks of [`moongate_schema::checks`], those of certificates
/// and keys, and the transformations of credentials.
pub fn functions() -> Functions {
    Functions::standard()
        .with_check(certificates::CERTIFICATE)
        .with_check(certificates::KEY)
        .with_check(PUBLIC_KEY)
        .with_hook(BASIC_AUTH_PASSWORD)
        .with_hook(OAUTH2_CLIENT_SECRET)
}

/// A text with a public key, or a private one.
const PUBLIC_KEY: Check = Check { name: "public_key", run: check_public_key };

/// The hash of a password, which its consumer's id goes into. `input`: the password; `needs`: the id.
const BASIC_AUTH_PASSWORD: Hook = Hook { name: "basic_auth_password", run: hash_password };

/// The hash of a client's secret, if it is to be hashed. `input`: whether it is; `needs`: the secret.
const OAUTH2_CLIENT_SECRET: Hook = Hook { name: "oauth2_client_secret", run: hash_secret };

fn check_public_key(value: &Value) -> Result<(), String> {
    pki::check_public_key(value.as_str().unwrap_or_default()).map_err(str::to_owned)
}

/// The format is that of credentials which are moved here; it is no good hash for passwords.
fn hash_password(values: &[&Value]) -> Result<Object, String> {
    let [Value::String(password), Value::String(consumer)] = values else {
        return Err("a password needs its consumer".to_owned());
    };
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("{password}{consumer}").as_bytes());
    Ok(Object::from_iter([("password".to_owned(), Value::from(hex::encode(hash)))]))
}

fn hash_secret(values: &[&Value]) -> Result<Object, String> {
    let [Value::Bool(true), Value::String(secret)] = values else { return Ok(Object::new()) };
    let (mut salt, mut hash) = ([0; 16], [0; 32]);
    SystemRandomness.fill(&mut salt);
    pbkdf2::derive(PBKDF2_HMAC_SHA512, ROUNDS, &salt, secret.as_bytes(), &mut hash);
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    let text = format!("$pbkdf2-sha512$i={ROUNDS},l=32${salt}${hash}");
    Ok(Object::from_iter([("client_secret".to_owned(), Value::from(text))]))
}

/// The number of rounds of the key derivation.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(10_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

#[cfg(test)]
mod tests {
    use moongate_schema::{Context, Operation, Schema, SeededRandomness};
    use serde_json::json;

    use super::super::{RouterFlavor, catalog};
    use super::*;

    fn credentials() -> Schema {
        let declaration = json!({
            "name": "basicauth_credentials",
            "primary_key": ["id"],
            "endpoint_key": "username",
            "cache_key": ["username"],
            "admin_api_name": "basic-auths",
            "admin_api_nested_name": "basic-auth",
            "fields": [
                {"id": {"type": "string", "uuid": true, "auto": true}},
                {"created_at": {"type": "integer", "timestamp": true, "auto": true}},
                {"consumer": {"type": "foreign", "reference": "consumers", "required": true, "on_delete": "cascade"}},
                {"username": {"type": "string", "required": true, "unique": true}},
                {"password": {"type": "string", "required": true, "encrypted": true}}
            ],
            "transformations": [
                {"input": ["password"], "needs": ["consumer.id"], "on_write": "basic_auth_password"}
            ]
        });
        Schema::from_json(&declaration, &functions()).unwrap()
    }

    #[test]
    fn a_password_is_stored_as_its_hash() {
        let catalog = catalog(RouterFlavor::default()).entity(credentials()).build().unwrap();
        let schema = catalog.entity_by_admin_path("basic-auths").unwrap();
        let randomness = SeededRandomness::new(1);
        let context = Context::new(1_700_000_000_000, &randomness);
        let object = |value: Value| value.as_object().unwrap().clone();
        let consumer = json!({"id": "0a0b0c0d-0000-4000-8000-000000000003"});
        let given = object(json!({"username": "u", "password": "p", "consumer": consumer}));
        let given = schema.complete(given, Operation::Insert, &context).unwrap();
        let mut row = given.clone();
        assert_eq!(schema.validate(&row, Operation::Insert, &context), Ok(()));
        schema.transform(&mut row, &given).unwrap();
        assert_eq!(row["password"].as_str().unwrap().len(), 40);
        assert_ne!(row["password"], given["password"]);

        // The hash needs the consumer, so a change of the password has to name it.
        let needs = "schema violation (all or none of these fields must be set: 'password', 'consumer.id')";
        for (patch, refused) in [
            (json!({"password": "q"}), Some(needs)),
            (json!({"consumer": {"id": "0a0b0c0d-0000-4000-8000-000000000004"}}), Some(needs)),
            (json!({"password": "q", "consumer": consumer}), None),
            (json!({"username": "v"}), None),
            (json!({"username": "v", "consumer": consumer}), None),
        ] {
            let (patch, mut whole) = schema.change(&row, object(patch), &context).unwrap();
            let checked = schema.validate_change(&row, &patch, &whole, &context);
            assert_eq!(checked.err().map(|problems| problems.message()).as_deref(), refused, "{patch:?}");
            schema.transform(&mut whole, &patch).unwrap();
            let is_changed = whole["password"] != row["password"];
            assert_eq!(is_changed, patch.contains_key("password"), "{patch:?}");
        }

        let lonely = object(json!({"username": "u", "password": "p"}));
        let lonely = schema.complete(lonely, Operation::Insert, &context).unwrap();
        assert_eq!(
            schema.validate(&lonely, Operation::Insert, &context).unwrap_err().message(),
            "2 schema violations (all or none of these fields must be set: 'password', 'consumer.id'; consumer: \
             required field missing)"
        );
    }

    #[test]
    fn a_password_has_the_hash_that_other_gateways_give_it() {
        let consumer = json!("d885e256-1abe-5e24-80b6-8f68fe59ea8e");
        let hashed = (BASIC_AUTH_PASSWORD.run)(&[&json!("p"), &consumer]).unwrap();
        assert_eq!(hashed["password"], "57fc7fc3f5bc5c86c8935d267ca72823ce046872");
    }

    #[test]
    fn a_client_secret_is_hashed_only_when_asked_for() {
        let secret = json!("sec");
        assert_eq!((OAUTH2_CLIENT_SECRET.run)(&[&json!(false), &secret]), Ok(Object::new()));
        let hash = |_| (OAUTH2_CLIENT_SECRET.run)(&[&json!(true), &secret]).unwrap()["client_secret"].clone();
        let [one, two] = [(), ()].map(hash);
        assert_ne!(one, two);
        let text = one.as_str().unwrap();
        assert!(text.starts_with("$pbkdf2-sha512$i=10000,l=32$") && text.len() == 94, "{text}");
    }
}
