//! Everything that the API refuses, and the one place where refusals become responses.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::api::json_response;
use crate::collection::Key;

/// Why a request is not answered with what it asked for.
///
/// The texts are read by programs; they are Kong's where Kong has one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No such path, or no such entity where the path names one.
    #[error("Not found")]
    NotFound,
    /// The path exists and does not take the method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// The body is said to be JSON and is not.
    #[error("Cannot parse JSON body")]
    MalformedJson,
    /// The body ended before it was complete.
    #[error("Cannot read the request body")]
    UnreadableBody,
    /// More than 1000 arguments.
    #[error("Too many arguments")]
    TooManyArguments,
    /// The body's type is none that the API reads.
    #[error("Unsupported media type")]
    UnsupportedMediaType,
    /// The body is larger than the API accepts.
    #[error("Request body is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The largest accepted size, in bytes.
        limit: usize,
    },
    /// An argument or the state of the node makes the request impossible.
    #[error("{0}")]
    Refused(String),
    /// A fault of the gateway or of a plugin; the log says more.
    #[error("An unexpected error occurred")]
    Unexpected,
    /// No entity to change.
    #[error("could not find the entity with {}", .0.describe())]
    NoSuchEntity(Key),
    /// A page's start that no earlier answer gave out.
    #[error("'{offset}' is not a valid offset: bad {encoding} encoding")]
    InvalidOffset {
        /// The argument as given.
        offset: String,
        /// What could not be decoded.
        encoding: &'static str,
    },
    /// A page size that is no number, or out of range.
    #[error("size must be {0}")]
    InvalidSize(&'static str),
    /// A value that the field behind an endpoint key can never have.
    #[error(
        "invalid value '{value}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
    )]
    InvalidUnique {
        /// The field.
        field: &'static str,
        /// The value as given.
        value: String,
    },
    /// A filter that cannot be applied.
    #[error("invalid option (tags: {0})")]
    InvalidTags(&'static str),
    /// A write, while entities come from a declarative configuration.
    #[error("cannot {operation} '{collection}' entities{} when not using a database", by(.field))]
    ReadOnly {
        /// What was asked for.
        operation: &'static str,
        /// Name of the collection.
        collection: &'static str,
        /// The endpoint key by which the entity was named; `None` for its id.
        field: Option<&'static str>,
    },
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoSuchEntity(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed | Self::ReadOnly { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unexpected => StatusCode::INTERNAL_SERVER_ERROR,
            Self::MalformedJson
            | Self::UnreadableBody
            | Self::TooManyArguments
            | Self::Refused(_)
            | Self::InvalidOffset { .. }
            | Self::InvalidSize(_)
            | Self::InvalidUnique { .. }
            | Self::InvalidTags(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// Code and name of the errors that Kong numbers; the others have a message only.
    fn number(&self) -> Option<(u8, String)> {
        let (code, name) = match self {
            Self::NoSuchEntity(_) => (6, "not found"),
            Self::InvalidOffset { .. } => (7, "invalid offset"),
            Self::InvalidSize(_) => (9, "invalid size"),
            Self::InvalidUnique { field, .. } => return Some((10, format!("invalid unique {field}"))),
            Self::InvalidTags(_) => (11, "invalid options"),
            Self::ReadOnly { .. } => (12, "operation unsupported"),
            _ => return None,
        };
        Some((code, name.to_owned()))
    }

    /// What is wrong with which part of the request, and the member that says so.
    fn details(&self) -> Option<(&'static str, Value)> {
        match self {
            Self::NoSuchEntity(key) => Some(("fields", key.to_json())),
            Self::InvalidTags(why) => Some(("options", json!({"tags": why}))),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        if let Some((code, name)) = self.number() {
            body.insert("code".to_owned(), code.into());
            body.insert("name".to_owned(), name.into());
        }
        body.insert("message".to_owned(), self.to_string().into());
        if let Some((member, value)) = self.details() {
            body.insert(member.to_owned(), value);
        }
        json_response(self.status(), &Value::Object(body))
    }
}

fn by(field: &Option<&'static str>) -> String {
    field.map_or_else(String::new, |field| format!(" by '{field}'"))
}
