//! Schemas of configurations.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// What configurations of a plugin may contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schema {
    /// JSON Schema, draft 2020-12, as JSON text.
    Json(String),
    /// The gateway's own schema form, as JSON text: an object whose `fields` are those of the whole plugin
    /// entity, as `GET /schemas/plugins/<name>` shows it.
    Native(String),
}

impl Schema {
    /// The schema of a type, with its doc comments as descriptions.
    pub fn of<T: JsonSchema>() -> Self {
        let generator = SchemaSettings::draft2020_12().into_generator();
        Self::Json(generator.into_root_schema_for::<T>().to_value().to_string())
    }

    /// A schema in the gateway's own form, usually `Schema::native(include_str!("schema.json"))`.
    ///
    /// For plugins that need what JSON Schema cannot say: shorthands, rules across fields, references to
    /// secrets, fields of the plugin entity itself such as `protocols`.
    pub fn native(json: impl Into<String>) -> Self {
        Self::Native(json.into())
    }

    /// The text of the schema, in whichever form.
    pub fn text(&self) -> &str {
        match self {
            Self::Json(text) | Self::Native(text) => text,
        }
    }
}
