//! The core entities with two plugins, of which one has credentials and groups.

use moongate_model::core::{RouterFlavor, catalog};
use moongate_schema::{Auto, CatalogBuilder, Field, Schema, types};

/// A catalog to which further plugins can be added.
pub(crate) fn builder() -> CatalogBuilder {
    let limits = Schema::record()
        .field("minute", Field::number().gt(0))
        .field("policy", Field::string().one_of(["local", "redis"]).default("local").required())
        .field("codes", Field::array(Field::integer()))
        .field("headers", Field::map(Field::string(), Field::string()));
    let keys = Schema::record()
        .field("key_names", Field::array(Field::string()).default(serde_json::json!(["apikey"])));
    let core = catalog(RouterFlavor::TraditionalCompatible)
        .plugin("limits", plugin().field("config", types::config(limits)))
        .plugin(
            "key-auth",
            plugin().field("consumer", types::no_consumer()).field("config", types::config(keys)),
        );
    entities(core)
}

/// Adds what the plugins have of their own.
pub(crate) fn entities(builder: CatalogBuilder) -> CatalogBuilder {
    builder.entity(credentials()).entity(groups())
}

fn plugin() -> Schema {
    Schema::record().field("protocols", types::protocols_http())
}

fn credentials() -> Schema {
    Schema::entity("keyauth_credentials")
        .admin_name("key-auths")
        .admin_nested_name("key-auth")
        .endpoint_key("key")
        .cache_key(&["key"])
        .with_ttl()
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("consumer", Field::foreign("consumers").cascade().required())
        .field("key", Field::string().unique().auto(Auto::RandomString))
        .field("tags", types::tags())
}

fn groups() -> Schema {
    Schema::entity("acls")
        .cache_key(&["consumer", "group"])
        .field("id", types::id())
        .field("created_at", types::created_at())
        .field("consumer", Field::foreign("consumers").cascade().required())
        .field("group", Field::string().required())
        .field("tags", types::tags())
}
