//! What a plugin says when something is wrong.

use std::fmt;

/// A failure of the plugin itself, with a text for the log.
///
/// Any error converts into it by `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// The text.
    pub fn message(&self) -> &str {
        &self.0
    }

    #[doc(hidden)]
    pub fn into_message(self) -> String {
        self.0
    }
}

// `Error` does not implement `std::error::Error`, so that this conversion can exist.
impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Why a header was refused. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// The name is empty or has characters that no header name may have.
    InvalidName,
    /// The value has a line break, a NUL or another control character.
    InvalidValue,
    /// The header frames the message or belongs to one connection; the gateway sets it.
    Forbidden,
    /// The value is longer than 64 KiB, or there are 1,000 lines already.
    TooLarge,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidName => "not a valid header name",
            Self::InvalidValue => "not a valid header value",
            Self::Forbidden => "header belongs to the gateway",
            Self::TooLarge => "header is too large, or there are too many",
        })
    }
}

impl std::error::Error for HeaderError {}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a dotted path into the configuration; empty for the whole.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl Problem {
    /// A problem at a place of the configuration.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}
