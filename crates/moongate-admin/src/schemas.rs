//! `/schemas`: what entities, plugins and vaults may look like, and whether something does.

use std::sync::Arc;

use http::StatusCode;
use moongate_schema::{Object, Operation, Schema};
use serde_json::{Value, json};

use crate::access::Access;
use crate::error::ApiError;

/// `GET /schemas/{name}`
pub(crate) fn entity(access: &Access, name: &str) -> Result<Value, ApiError> {
    Ok(entity_schema(access, name)?.to_json())
}

/// `GET /schemas/plugins/{name}`
pub(crate) fn plugin(access: &Access, name: &str) -> Result<Value, ApiError> {
    let schema = access.catalog().plugin(name).map_err(|_| unknown("plugin", name))?;
    Ok(schema.to_json())
}

/// `GET /schemas/vaults/{name}`
pub(crate) fn vault(access: &Access, name: &str) -> Result<Value, ApiError> {
    let schema = access.catalog().vault(name).map_err(|_| unknown("vault", name))?;
    Ok(schema.to_json())
}

/// `GET /plugins/schema/{name}`, where older clients look: just the configuration.
pub(crate) fn plugin_config(access: &Access, name: &str) -> Result<Value, ApiError> {
    let schema = access.catalog().plugin(name).map_err(|_| unknown("plugin", name))?;
    let config = schema.field_named("config").and_then(|field| field.fields());
    Ok(config.map_or_else(|| json!({"fields": []}), |config| config.to_json()))
}

/// `POST /schemas/{name}/validate`
///
/// Nothing is looked up: a reference only has to be well-formed. The texts of a form are taken as they are. The plugin is
/// asked what it makes of its configuration.
pub(crate) async fn validate(access: &Access, name: &str, fields: Object) -> Result<(), ApiError> {
    let schema = entity_schema(access, name)?;
    let context = access.context();
    let object = schema.complete(fields, Operation::Insert, &context)?;
    schema.validate(&object, Operation::Insert, &context)?;
    Ok(access.node().judge(name, object).await?)
}

/// That there is no such schema.
pub(crate) fn unknown(kind: &str, name: &str) -> ApiError {
    ApiError::Message(StatusCode::NOT_FOUND, format!("No {kind} named '{name}'").into())
}

fn entity_schema<'a>(access: &'a Access, name: &str) -> Result<&'a Arc<Schema>, ApiError> {
    access.catalog().entity(name).ok_or_else(|| unknown("entity", name))
}
