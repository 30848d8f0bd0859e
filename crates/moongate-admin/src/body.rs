//! Request bodies: how large they may be, and which types are read.

use std::borrow::Cow;
use std::error::Error;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::LengthLimitError;
use moongate_schema::{Object, Schema};
use serde_json::Value;

use crate::arguments::Arguments;
use crate::error::ApiError;
use crate::{form, infer, multipart};

/// Reads a whole body.
///
/// # Errors
/// [`ApiError::TooLarge`] as soon as it exceeds [`LIMIT`] or announces that it will,
/// [`ApiError::UnreadableBody`] when it breaks off.
pub(crate) async fn read(body: Body) -> Result<Bytes, ApiError> {
    read_up_to(body, LIMIT).await
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_up_to(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    if body.size_hint().lower() > limit as u64 {
        return Err(ApiError::TooLarge { limit });
    }
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        if error.source().is_some_and(<dyn Error>::is::<LengthLimitError>) {
            ApiError::TooLarge { limit }
        } else {
            ApiError::UnreadableBody
        }
    })
}

/// What a request brings.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fields {
    /// Nothing.
    #[default]
    None,
    /// A JSON object, whose values have the types that they are meant to have.
    Json(Object),
    /// A form put together to an object. Its values are texts, except those that came as JSON.
    Form(Object),
}

impl Fields {
    /// Decodes a body by its content type.
    ///
    /// # Errors
    /// [`ApiError::UnsupportedMediaType`], [`ApiError::MalformedJson`], [`ApiError::TooManyArguments`], and
    /// [`ApiError::Unexpected`] for JSON that is no object, which is how Kong answers that.
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let Some(content_type) = content_type(headers) else {
            return if body.is_empty() { Ok(Self::None) } else { Err(ApiError::UnsupportedMediaType) };
        };
        if content_type.starts_with("application/json") {
            match serde_json::from_slice(body).map_err(|_| ApiError::MalformedJson)? {
                Value::Object(object) => Ok(Self::Json(object)),
                Value::Array(values) if values.is_empty() => Ok(Self::Json(Object::new())),
                _ => Err(ApiError::Unexpected),
            }
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            let arguments = Arguments::parse(&String::from_utf8_lossy(body))?;
            let fields = arguments.into_iter().map(|(name, value)| (name, Value::String(value)));
            Ok(Self::Form(form::assemble(fields)))
        } else if content_type.starts_with("multipart/form-data") {
            Ok(Self::Form(form::assemble(multipart::parse(&content_type, body)?)))
        } else {
            Err(ApiError::UnsupportedMediaType)
        }
    }

    /// The object as it came, with the texts of a form.
    pub(crate) fn into_object(self) -> Object {
        match self {
            Self::None => Object::new(),
            Self::Json(object) | Self::Form(object) => object,
        }
    }

    /// The object with the types that `schema` gives a form. `existing` is what it changes, if anything: it may
    /// have the field that chooses a sub-schema.
    pub(crate) fn typed(&self, schema: &Schema, existing: Option<&Object>) -> Object {
        match self {
            Self::None => Object::new(),
            Self::Json(object) => object.clone(),
            Self::Form(form) => {
                let chooses =
                    schema.all_subschemas().is_none_or(|subschemas| form.contains_key(&subschemas.key));
                let refining = if chooses { form } else { existing.unwrap_or(form) };
                infer::infer(schema, form.clone(), refining)
            }
        }
    }

    /// Whether a field of that name was sent.
    pub(crate) fn contains(&self, name: &str) -> bool {
        match self {
            Self::None => false,
            Self::Json(object) | Self::Form(object) => object.contains_key(name),
        }
    }
}

/// The content type, if one was sent.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// The largest body that is read, in bytes.
pub(crate) const LIMIT: usize = 10 << 20;
