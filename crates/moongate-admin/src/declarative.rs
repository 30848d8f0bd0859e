//! `/config`: the declarative configuration of a node that has no database.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderValue, StatusCode};
use moongate_schema::text::inline_table;
use serde_json::{Value, json};

use crate::access::Access;
use crate::api::json_response;
use crate::arguments::Arguments;
use crate::body::{Fields, content_type};
use crate::error::ApiError;
use crate::node::{Declarative, LoadError, LoadOptions, Loaded, Source};

/// `GET /config`
pub(crate) async fn export(access: &Access) -> Result<Value, ApiError> {
    let config = declarative(access)?.export().await.map_err(|error| {
        tracing::error!(%error, "the configuration cannot be written down");
        ApiError::Unexpected
    })?;
    Ok(json!({"config": config}))
}

/// `POST /config`
pub(crate) async fn load(
    access: &Access,
    headers: &HeaderMap,
    arguments: Arguments,
    body: &[u8],
) -> Result<Response, ApiError> {
    let declarative = declarative(access)?;
    let Request { source, options } = Request::parse(headers, &arguments, body)?;
    match declarative.load(source, options).await {
        Ok(Loaded::Entities(entities)) => Ok(json_response(StatusCode::CREATED, &entities)),
        Ok(Loaded::Unchanged) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            Ok(response)
        }
        Err(error) => refuse(error),
    }
}

/// A configuration and how to load it.
#[derive(Debug, PartialEq)]
struct Request {
    source: Source,
    options: LoadOptions,
}

impl Request {
    fn parse(headers: &HeaderMap, arguments: &Arguments, body: &[u8]) -> Result<Self, ApiError> {
        let text = |text: &str| (!text.is_empty()).then(|| Source::Text(text.to_owned()));
        let is_yaml = content_type(headers)
            .is_some_and(|kind| kind.starts_with("application/yaml") || kind.starts_with("text/yaml"));
        let fields = if is_yaml { Fields::None } else { Fields::parse(headers, body)? };
        let option = |name: &str| match &fields {
            Fields::Json(object) | Fields::Form(object) => object.get(name).map(plain),
            Fields::None => None,
        };
        let option = |name: &str| option(name).or_else(|| arguments.first(name).map(str::to_owned));
        let options = LoadOptions {
            check_hash: option("check_hash").is_some(),
            flatten_errors: option("flatten_errors").is_some_and(|word| TRUE.contains(&word.as_str())),
        };
        let source = match &fields {
            _ if is_yaml => text(&String::from_utf8_lossy(body)),
            Fields::Json(object) if object.contains_key("_format_version") => {
                Some(Source::Json(Value::Object(object.clone())))
            }
            Fields::Json(object) | Fields::Form(object) => {
                object.get("config").and_then(Value::as_str).and_then(text)
            }
            Fields::None => arguments.first("config").and_then(text),
        };
        let source = source.ok_or_else(|| ApiError::refused("expected a declarative configuration"))?;
        Ok(Self { source, options })
    }
}

fn refuse(error: LoadError) -> Result<Response, ApiError> {
    let message = |status, text: &'static str| ApiError::Message(status, text.into());
    Err(match error {
        LoadError::Invalid { message, fields, flattened } => {
            ApiError::InvalidConfiguration { message, fields, flattened }
        }
        LoadError::Refused(why) => {
            let fields = json!({"error": why});
            let message = format!("declarative config is invalid: {}", inline_table(&fields));
            ApiError::InvalidConfiguration { message, fields, flattened: None }
        }
        LoadError::Busy { retry_after } => {
            let error = message(StatusCode::TOO_MANY_REQUESTS, "Currently loading previous configuration");
            let mut response = error.into_response();
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after.as_secs().max(1)));
            return Ok(response);
        }
        LoadError::Exiting => message(StatusCode::SERVICE_UNAVAILABLE, "Kong currently exiting"),
        LoadError::TimedOut => message(StatusCode::GATEWAY_TIMEOUT, "Timed out while loading configuration"),
    })
}

fn declarative(access: &Access) -> Result<&dyn Declarative, ApiError> {
    access.node().declarative().ok_or_else(|| ApiError::refused(WITH_DATABASE))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const TRUE: [&str; 4] = ["1", "true", "on", "yes"];
const WITH_DATABASE: &str = "this endpoint is only available when Kong is configured to not use a database";

#[cfg(test)]
mod tests;
