//! Keys that tokens are checked with.

use moongate_schema::{
    CheckFailure, CheckFunction, CustomCheck, EntityCheck, Field, Object, Schema, is_reference, types,
};
use serde_json::Value;

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
        .field("pem", Field::record(pem).optional())
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
}

fn check_material(key: &Object) -> Result<(), CheckFailure> {
    let Some(jwk) = key.get("jwk").filter(|jwk| !is_reference(jwk)).and_then(Value::as_str) else {
        return Ok(());
    };
    let failure = |text: &str| CheckFailure::Entity(text.to_owned());
    let jwk: Value = serde_json::from_str(jwk).map_err(|_| failure("could not json decode jwk string"))?;
    if jwk.get("kid") != key.get("kid") {
        return Err(failure("kid in jwk.kid must be equal to keys.kid"));
    }
    Ok(())
}
