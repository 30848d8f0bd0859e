//! The schemas of everything that can be configured.

use moongate_hooks::{ConfigSchema, PluginSchema};
use moongate_model::core::{self, RouterFlavor};
use moongate_schema::{Catalog, CatalogError, Field, Functions, Schema, SchemaError};
use serde_json::json;

/// The core entities and the `plugins` with what they declare.
///
/// A plugin whose schema is not understood can be used all the same: it looks at its configurations itself. The log
/// says so.
pub(crate) fn build(flavor: RouterFlavor, plugins: &[PluginSchema]) -> Result<Catalog, CatalogError> {
    let functions = core::functions();
    let core = core::catalog(flavor);
    let add = |catalog: moongate_schema::CatalogBuilder, plugin: &PluginSchema| {
        let schema = sub_schema(&plugin.config, &functions).unwrap_or_else(|error| {
            let plugin = &plugin.name;
            tracing::warn!(plugin, %error, "schema not understood, configurations are only checked by the plugin itself");
            anything()
        });
        catalog.plugin(&plugin.name, schema)
    };
    plugins.iter().fold(core, add).build()
}

fn sub_schema(schema: &ConfigSchema, functions: &Functions) -> Result<Schema, SchemaError> {
    match schema {
        ConfigSchema::JsonSchema(schema) => Schema::plugin_from_json_schema(schema, functions),
        ConfigSchema::Native(schema) => Schema::from_json(schema, functions),
    }
}

/// The schema of a plugin that takes any configuration.
fn anything() -> Schema {
    Schema::record().field("config", Field::json().required().default(json!({})))
}
