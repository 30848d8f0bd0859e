//! What the API answers that is not about entities.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::access::Access;
use crate::api::json_response;
use crate::arguments::Arguments;
use crate::body::Fields;
use crate::error::ApiError;
use crate::resource::Fixed;
use crate::{
    attempt, cache, declarative, explain, information, log_level, metrics, openapi, plugins, schemas, tags,
    upload,
};

/// Answers `GET`.
pub(crate) async fn read(access: &Access, fixed: Fixed, arguments: &Arguments) -> Result<Response, ApiError> {
    let value = match fixed {
        Fixed::Information => information::node(access).await?,
        Fixed::Status => information::status(access, arguments).await?,
        Fixed::Dns => return Err(ApiError::Message(StatusCode::NOT_IMPLEMENTED, NO_DNS.into())),
        Fixed::Metrics => return Ok(metrics::answer(access).await),
        Fixed::Timers => information::timers(access),
        Fixed::Endpoints => information::endpoints(access),
        Fixed::OpenApi => openapi::document(access),
        Fixed::EnabledPlugins => information::enabled_plugins(access),
        Fixed::PluginConfigSchema(name) => schemas::plugin_config(access, &name)?,
        Fixed::PluginStates => plugins::states(access.plugins())?,
        Fixed::PluginState(name) => plugins::state(access.plugins(), &name)?,
        Fixed::EntitySchema(name) => schemas::entity(access, &name)?,
        Fixed::PluginSchema(name) => schemas::plugin(access, &name)?,
        Fixed::VaultSchema(name) => schemas::vault(access, &name)?,
        Fixed::FilterSchema(name) => return Err(schemas::unknown("filter", &name)),
        Fixed::Configuration => declarative::export(access).await?,
        Fixed::Cached(key) => cache::read(access, &key)?,
        Fixed::LogLevel => log_level::read(access),
        Fixed::DataPlanes => return Err(ApiError::refused(NO_CONTROL_PLANE)),
        Fixed::Tags => tags::list(access, None, arguments).await?,
        Fixed::Tagged(tag) => tags::list(access, Some(&tag), arguments).await?,
        // Answered before: a stream is no value.
        Fixed::Events => return Err(ApiError::MethodNotAllowed),
        Fixed::Robots
        | Fixed::PluginReload(_)
        | Fixed::Explanation
        | Fixed::Attempt
        | Fixed::Reload
        | Fixed::Validation(_)
        | Fixed::Cache
        | Fixed::NewLogLevel { .. } => {
            return Err(ApiError::MethodNotAllowed);
        }
    };
    Ok(json_response(StatusCode::OK, &value))
}

/// Answers every other method that the path takes.
pub(crate) async fn change(
    access: &Access,
    fixed: Fixed,
    fields: Fields,
    arguments: &Arguments,
) -> Result<Response, ApiError> {
    match fixed {
        Fixed::Reload => {
            access.node().reload().await.map_err(ApiError::refused)?;
            Ok(said("reloaded"))
        }
        Fixed::PluginReload(name) => upload::reload(access, &name).await,
        Fixed::Explanation => {
            Ok(json_response(StatusCode::OK, &explain::explain(access, &fields.into_object())?))
        }
        Fixed::Attempt => {
            Ok(json_response(StatusCode::OK, &attempt::attempt(access, &fields.into_object()).await?))
        }
        Fixed::Validation(entity) => {
            schemas::validate(access, &entity, fields.into_object()).await?;
            Ok(said("schema validation successful"))
        }
        Fixed::NewLogLevel { level, everywhere } => {
            Ok(said(&log_level::change(access, &level, everywhere, fields, arguments).await?))
        }
        Fixed::Tags | Fixed::Tagged(_) => Err(tags::unchangeable()),
        // What is in memory is what is configured, so there is nothing to forget.
        Fixed::Cache | Fixed::Cached(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Err(ApiError::MethodNotAllowed),
    }
}

fn said(message: &str) -> Response {
    let body: Value = json!({"message": message});
    json_response(StatusCode::OK, &body)
}

const NO_DNS: &str = "not implemented with the legacy DNS client";
const NO_CONTROL_PLANE: &str =
    "this endpoint is only available when Kong is configured to run as Control Plane for the cluster";
