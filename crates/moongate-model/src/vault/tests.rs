use serde_json::json;
use uuid::Uuid;

use super::*;

fn environment(name: &str) -> Option<String> {
    let value = match name {
        "DB_PASSWORD" => "secret",
        "MY_DB_PASSWORD" => "mine",
        "OTHER_DB_PASSWORD" => "other",
        "ACCOUNT" => r#"{"user": "u", "port": 5, "deep": {}}"#,
        _ => return None,
    };
    Some(value.to_owned())
}

fn vaults() -> Collection<Vault> {
    let vault = |id, prefix: &str, name: &str, config: Value| Vault {
        id: Uuid::from_u128(id),
        created_at: 1,
        updated_at: 1,
        prefix: prefix.to_owned(),
        name: name.to_owned(),
        description: None,
        config: config.as_object().unwrap().clone(),
        tags: None,
    };
    vec![
        vault(1, "mine", "env", json!({"prefix": "my-"})),
        vault(2, "plain", "env", json!({"prefix": null})),
        vault(3, "far", "bank", json!({})),
    ]
    .into()
}

fn resolved(reference: &str) -> Result<String, SecretError> {
    Secrets::new(&vaults(), &environment).resolve(reference)
}

#[test]
fn a_variable_is_named_in_upper_case_behind_the_prefix() {
    for (reference, secret) in [
        ("{vault://env/db-password}", "secret"),
        ("{vault://env/DB_PASSWORD}", "secret"),
        ("{vault://env/db-password?prefix=my_}", "mine"),
        ("{vault://mine/db-password}", "mine"),
        ("{vault://mine/db-password?prefix=other-}", "other"),
        ("{vault://plain/db-password}", "secret"),
        ("{vault://env/db%2dpassword}", "secret"),
        ("{vault://env/db-password#1}", "secret"),
        ("{vault://env/account/user}", "u"),
        ("{vault://env/account/port}", "5"),
    ] {
        assert_eq!(resolved(reference).as_deref(), Ok(secret), "{reference}");
    }
}

#[test]
fn a_reference_to_nothing_tells_why() {
    for (reference, error) in [
        ("{vault://env}", SecretError::Malformed),
        ("{vault://env/}", SecretError::Malformed),
        ("{vault:///x}", SecretError::Malformed),
        ("vault://env/x", SecretError::Malformed),
        ("{vault://env/x-y}", SecretError::Missing("X_Y".to_owned())),
        ("{vault://far/x}", SecretError::UnknownVault("far".to_owned())),
        ("{vault://nowhere/x}", SecretError::UnknownVault("nowhere".to_owned())),
        ("{vault://env/account/none}", SecretError::NoMember("none".to_owned())),
        ("{vault://env/account/deep}", SecretError::NoMember("deep".to_owned())),
        ("{vault://env/db-password/user}", SecretError::NoMember("user".to_owned())),
    ] {
        assert_eq!(resolved(reference), Err(error), "{reference}");
    }
}

#[test]
fn only_fields_that_allow_references_are_resolved() {
    let secret = || Field::string().referenceable();
    let schema = Schema::record()
        .field("password", secret())
        .field("name", Field::string())
        .field("redis", Field::record(Schema::record().field("password", secret())))
        .field("list", Field::array(secret()))
        .field("map", Field::map(Field::string(), secret()));
    let reference = "{vault://env/db-password}";
    let Value::Object(mut object) = json!({
        "password": reference,
        "name": reference,
        "redis": {"password": "{vault://env/none}", "host": reference},
        "list": ["as it is", reference],
        "map": {"k": "{vault://env}"},
    }) else {
        panic!()
    };
    let unresolved = Secrets::new(&vaults(), &environment).resolve_fields(&schema, &mut object);
    assert_eq!(
        Value::Object(object),
        json!({
            "password": "secret",
            "name": reference,
            "redis": {"password": "", "host": reference},
            "list": ["as it is", "secret"],
            "map": {"k": ""},
        })
    );
    let unresolved: Vec<String> = unresolved.iter().map(ToString::to_string).collect();
    assert_eq!(
        unresolved,
        [
            "map.k: {vault://env} cannot be resolved: the reference is not of the form {vault://VAULT/RESOURCE}",
            "redis.password: {vault://env/none} cannot be resolved: the environment variable NONE is not set",
        ]
    );
}
