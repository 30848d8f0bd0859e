//! From which level on the node logs messages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::Access;
use crate::arguments::Arguments;
use crate::body::Fields;
use crate::error::ApiError;
use crate::infer;
use crate::node::{Announcement, LogLevel};

/// `GET /debug/node/log-level`
pub(crate) fn read(access: &Access) -> Value {
    json!({"message": format!("log level: {}", access.node().log_level())})
}

/// `PUT /debug/node/log-level/{level}`, or the same for all nodes, with what there is to say about it.
pub(crate) async fn change(
    access: &Access,
    level: &str,
    everywhere: bool,
    fields: Fields,
    arguments: &Arguments,
) -> Result<String, ApiError> {
    if access.node().declarative().is_some() {
        let message = "cannot change log level when not using a database".into();
        return Err(ApiError::Message(http::StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let level: LogLevel = level.parse().map_err(|error| ApiError::refused(format!("{error}: {level}")))?;
    let timeout = match fields.into_object().remove("timeout") {
        Some(Value::String(text)) => infer::number(&text).and_then(|number| number.as_f64()),
        Some(value) => value.as_f64(),
        None => arguments.one("timeout")?.and_then(|text| infer::number(text)?.as_f64()),
    };
    let timeout = timeout.unwrap_or(60.0);
    if timeout < 0.0 {
        return Err(ApiError::refused("timeout must be greater than or equal to 0"));
    }
    let timeout = Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX);
    if everywhere {
        access.announce(&Announcement::LogLevel { level, timeout }).await?;
    }
    if access.node().log_level() == level {
        return Ok(format!("log level is already {level}"));
    }
    access.node().set_log_level(level, timeout);
    Ok("log level changed".to_owned())
}
