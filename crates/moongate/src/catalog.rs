//! The schemas of everything that can be configured.

use moongate_hooks::{ConfigSchema, PluginSchema};
use moongate_model::core::{self, RouterFlavor};
use moongate_schema::{Catalog, CatalogError, Field, Functions, Schema, SchemaError};
use serde_json::json;

use crate::routing;

/// The core entities and the `plugins` with what they declare.
///
/// Some values of settings need a `database`; without one they are not known.
///
/// A plugin whose schema is not understood can be used all the same: it looks at its configurations itself. The log
/// says so.
pub(crate) fn build(
    flavor: RouterFlavor,
    database: bool,
    plugins: &[PluginSchema],
) -> Result<Catalog, CatalogError> {
    let functions = if database { core::functions() } else { core::functions().without_database() };
    let core_names: Vec<String> =
        core::catalog(flavor).build()?.entities().iter().map(|schema| schema.name().to_owned()).collect();
    let core = core::catalog_with(flavor, routing::check(flavor));
    let add = |catalog: moongate_schema::CatalogBuilder, plugin: &PluginSchema| {
        let schema = sub_schema(&plugin.config, &functions).unwrap_or_else(|error| {
            let plugin = &plugin.name;
            tracing::warn!(plugin, %error, "schema not understood, configurations are only checked by the plugin itself");
            anything()
        });
        let is_own = |entity: &&serde_json::Value| {
            let name = entity.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
            let taken = core_names.iter().any(|known| known == name);
            if taken {
                let plugin = &plugin.name;
                tracing::error!(
                    plugin,
                    entity = name,
                    "is an entity of the gateway, the plugin's is left out"
                );
            }
            !taken
        };
        let entities = plugin.entities.iter().filter(is_own).filter_map(|entity| {
            Schema::from_json(entity, &functions)
                .inspect_err(|error| {
                    let plugin = &plugin.name;
                    tracing::error!(plugin, %error, "schema of an entity not understood, it is left out");
                })
                .ok()
        });
        entities.fold(catalog.plugin(&plugin.name, schema), moongate_schema::CatalogBuilder::entity)
    };
    plugins.iter().fold(core, add).build()
}

fn sub_schema(schema: &ConfigSchema, functions: &Functions) -> Result<Schema, SchemaError> {
    match schema {
        ConfigSchema::JsonSchema(schema) => Schema::plugin_from_json_schema(schema, functions),
        ConfigSchema::Native(schema) => Schema::from_json(schema, functions),
    }
}

/// Whether the schema of a plugin's configuration is understood.
pub(crate) fn understand(schema: &ConfigSchema) -> Result<(), SchemaError> {
    sub_schema(schema, &core::functions()).map(drop)
}

/// Whether the schema of a plugin's entity is understood.
pub(crate) fn understand_entity(schema: &serde_json::Value) -> Result<(), SchemaError> {
    Schema::from_json(schema, &core::functions()).map(drop)
}

/// The schema of a plugin that takes any configuration.
fn anything() -> Schema {
    Schema::record().field("config", Field::json().required().default(json!({})))
}
