//! What the tests of this crate share: a catalog with some plugins and entities of plugins.

use moongate_schema::{
    Auto, Catalog, Context, EntityCheck, Field, Hook, Object, Schema, SystemRandomness, Transformation, types,
};
use serde_json::{Value, json};

use crate::core::{RouterFlavor, catalog as core_catalog};
use crate::{Declaration, DeclarativeError, Entities, Format, parse};

/// The time of all tests, in seconds.
pub(crate) const NOW: i64 = 1_700_000_000;

/// The core entities, and some plugins like those of Kong.
pub(crate) fn catalog() -> Catalog {
    let config = |fields: Schema| Schema::record().field("config", types::config(fields));
    let mut catalog = core_catalog(RouterFlavor::TraditionalCompatible);
    for name in [
        "cors",
        "request-termination",
        "prometheus",
        "exact",
        "limited",
        "idle",
        "p",
        "stray",
        "streams",
        "wide",
    ] {
        catalog = catalog.plugin(name, config(Schema::record().field("limit", Field::integer())));
    }
    let of_path = Schema::record().field("path", Field::string().required());
    let counting = Schema::record()
        .field("minute", Field::number().gt(0))
        .field("hour", Field::number().gt(0))
        .field("policy", Field::string().one_of(["local", "redis"]).default("local"));
    let key_names = Field::array(Field::string()).required().default(json!(["apikey"]));
    catalog
        .plugin("file-log", config(of_path))
        .plugin(
            "rate-limiting",
            config(counting).entity_check(EntityCheck::at_least_one_of(&["config.minute", "config.hour"])),
        )
        .plugin(
            "key-auth",
            config(Schema::record().field("key_names", key_names)).field("consumer", types::no_consumer()),
        )
        .entity(credential("acls", &["consumer", "group"]).field("group", Field::string().required()))
        .entity(
            credential("keyauth_credentials", &["key"])
                .endpoint_key("key")
                .with_ttl()
                .field("key", Field::string().unique().auto(Auto::RandomString)),
        )
        .entity(
            credential("basicauth_credentials", &["username"])
                .endpoint_key("username")
                .field("username", Field::string().required().unique())
                .field("password", Field::string().required())
                .transformation(Transformation {
                    input: vec!["password".to_owned()],
                    needs: vec!["consumer.id".to_owned()],
                    on_write: Hook { name: "shout", run: shout },
                }),
        )
        .entity(
            credential("hmacauth_credentials", &["username"])
                .endpoint_key("username")
                .field("username", Field::string().required().unique())
                .field("secret", Field::string().auto(Auto::RandomString)),
        )
        .build()
        .unwrap()
}

fn credential(name: &str, cache_key: &[&str]) -> Schema {
    Schema::entity(name)
        .cache_key(cache_key)
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("consumer", Field::foreign("consumers").required().cascade())
        .field("tags", types::tags())
}

/// Stands for hashing.
fn shout(values: &[&Value]) -> Result<Object, String> {
    let [Value::String(password), Value::String(consumer)] = values else {
        return Err("no texts".to_owned());
    };
    let shouted = format!("{}@{consumer}", password.to_uppercase());
    Ok([("password".to_owned(), shouted.into())].into_iter().collect())
}

/// Reads a configuration with the catalog of tests.
pub(crate) fn declaration(text: &str) -> Result<Declaration, DeclarativeError> {
    parse(text, Format::Auto, &catalog(), &Context::new(NOW as u64 * 1000, &SystemRandomness))
}

/// The entities of a configuration that is right.
pub(crate) fn declared(text: &str) -> Entities {
    Entities::from_rows(&declaration(text).unwrap().rows).unwrap()
}
