//! Request bodies: how large they may be, and which types are read.

use std::error::Error;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::LengthLimitError;
use serde_json::Value;

use crate::arguments::Arguments;
use crate::error::ApiError;

/// Reads a whole body.
///
/// # Errors
/// [`ApiError::TooLarge`] as soon as it exceeds [`LIMIT`] or announces that it will,
/// [`ApiError::UnreadableBody`] when it breaks off.
pub(crate) async fn read(body: Body) -> Result<Bytes, ApiError> {
    if body.size_hint().lower() > LIMIT as u64 {
        return Err(ApiError::TooLarge { limit: LIMIT });
    }
    axum::body::to_bytes(body, LIMIT).await.map_err(|error| {
        if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) {
            ApiError::TooLarge { limit: LIMIT }
        } else {
            ApiError::UnreadableBody
        }
    })
}

/// The fields of an entity as a request brings them.
pub(crate) enum Fields {
    /// From a JSON object.
    Json(Value),
    /// From a form.
    Form(Arguments),
    /// There are none that can be told apart.
    Opaque,
}

impl Fields {
    /// Decodes a body by its content type.
    ///
    /// # Errors
    /// [`ApiError::UnsupportedMediaType`], [`ApiError::MalformedJson`], [`ApiError::TooManyArguments`], and
    /// [`ApiError::Unexpected`] for JSON that is no object, which is how Kong answers that.
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let Some(content_type) = headers.get(CONTENT_TYPE) else {
            return if body.is_empty() { Ok(Self::Opaque) } else { Err(ApiError::UnsupportedMediaType) };
        };
        let is = |expected: &str| content_type.as_bytes().starts_with(expected.as_bytes());
        if is("application/json") {
            let value: Value = serde_json::from_slice(body).map_err(|_| ApiError::MalformedJson)?;
            let object = value.is_object() || value.as_array().is_some_and(Vec::is_empty);
            if object { Ok(Self::Json(value)) } else { Err(ApiError::Unexpected) }
        } else if is("application/x-www-form-urlencoded") {
            Arguments::parse(&String::from_utf8_lossy(body)).map(Self::Form)
        } else if is("multipart/form-data") {
            Ok(Self::Opaque)
        } else {
            Err(ApiError::UnsupportedMediaType)
        }
    }

    /// Whether a field of that name was sent.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::Json(value) => value.get(name).is_some(),
            Self::Form(arguments) => arguments.contains(name),
            Self::Opaque => false,
        }
    }
}

/// The largest body that is read, in bytes.
pub(crate) const LIMIT: usize = 10 << 20;
