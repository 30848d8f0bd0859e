//! The body of a request.

use std::fmt;

use serde::de::DeserializeOwned;

use super::Request;
use crate::{BodyError, text};

impl Request<'_> {
    /// The whole body, of at most so many bytes; empty where the request has none. Waits for the client until it is
    /// there; what was read goes upstream all the same. Of a body that an earlier plugin set, it is that one. Once
    /// the request is on its way or answered, as in response hooks, it is gone.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn body(&self, limit: u64) -> Result<Vec<u8>, BodyError> {
        self.0.body(limit).map_err(Into::into)
    }

    /// The body, read as JSON whatever its content type says.
    ///
    /// # Errors
    /// See [`ParseError`].
    pub fn json_body<T: DeserializeOwned>(&self, limit: u64) -> Result<T, ParseError> {
        serde_json::from_slice(&self.body(limit)?).map_err(|error| ParseError::Invalid(error.to_string()))
    }

    /// Names and values of a form body (`application/x-www-form-urlencoded`), decoded, with all duplicates; none
    /// where the body is of another content type.
    ///
    /// # Errors
    /// See [`BodyError`].
    pub fn form_body(&self, limit: u64) -> Result<Vec<(String, String)>, BodyError> {
        let content_type = self.header_text("content-type").unwrap_or_default();
        if !text::is_media_type(&content_type, "application/x-www-form-urlencoded") {
            return Ok(Vec::new());
        }
        self.body(limit).map(|body| text::pairs(&String::from_utf8_lossy(&body)))
    }
}

/// Why a body could not be read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParseError {
    /// There is no body to look at.
    Body(BodyError),
    /// It is something else; the text says where.
    Invalid(String),
}

impl From<BodyError> for ParseError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Invalid(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ParseError {}
