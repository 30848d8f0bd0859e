//! Keys that tokens are checked with.

use moongate_schema::{
    Check, CheckFailure, CheckFunction, Context, CustomCheck, EntityCheck, Field, Object, Schema, types,
};
use serde_json::Value;

use crate::pki;

pub(super) fn schema() -> Schema {
    let pem = Schema::record()
        .field("private_key", Field::string().optional().referenceable().encrypted())
        .field("public_key", Field::string().optional().referenceable())
        .entity_check(EntityCheck::at_least_one_of(&["private_key", "public_key"]));
    let kid = Field { unique: Some(false), ..Field::string().required() };
    Schema::entity("keys")
        .endpoint_key("name")
        .cache_key(&["kid", "set"])
        .field("id", types::id())
        .field("set", Field::foreign("key_sets").optional().cascade())
        .field("name", Field::string().optional().unique())
        .field("kid", kid)
        .field("jwk", Field::string().referenceable().encrypted())
        .field("pem", Field::record(pem).optional().check(Check { name: "key_pair", run: check_pem }))
        .field("tags", types::tags())
        .field("created_at", types::created_at())
        .field("updated_at", types::updated_at())
        .entity_check(EntityCheck::mutually_exclusive(&["pem", "jwk"]))
        .entity_check(EntityCheck::at_least_one_of(&["pem", "jwk"]))
        .entity_check(EntityCheck::Custom(CustomCheck {
            field_sources: ["jwk", "pem", "kid"].map(str::to_owned).to_vec(),
            run_with_missing_fields: false,
            run_with_invalid_fields: false,
            function: Some(CheckFunction { name: "key_material", run: check_material }),
        }))
        .described(&DESCRIPTIONS)
}

fn check_pem(value: &Value) -> Result<(), String> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    pki::check_key_pair(part("public_key"), part("private_key"))
}

fn check_material(key: &Object, _context: &Context<'_>) -> Result<(), CheckFailure> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let Some(jwk) = text("jwk") else { return Ok(()) };
    pki::check_jwk(jwk, text("kid")).map_err(|text| CheckFailure::Entity(text.to_owned()))
}

const DESCRIPTIONS: [(&str, &str); 5] = [
    ("kid", "The id that tokens name the key by, unique in its set."),
    ("set", "The set that the key belongs to."),
    ("name", "The unique name of the key."),
    ("jwk", "The key as a JSON Web Key, in a text."),
    ("pem", "The key in PEM form."),
];
