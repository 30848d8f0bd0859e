//! Turns away requests with large bodies.
//!
//! A body whose length is not told beforehand is read, as far as the limit; beyond `MOST_READ` it is not, so that
//! many such requests at a time do not fill the memory.

use moongate_sdk::{BodyError, Decision, Error, OnRequest, Plugin, Problem, Request, Schema, config, export};

/// How large a body may be.
#[config]
#[derive(Clone)]
pub struct Config {
    /// The largest body, in the unit of `size_unit`.
    #[serde(default = "largest")]
    allowed_payload_size: i64,
    /// What `allowed_payload_size` counts.
    #[serde(default)]
    size_unit: Unit,
    /// Whether requests must say how long their body is.
    #[serde(default)]
    require_content_length: bool,
}

/// What a size is counted in.
#[config]
#[derive(Debug, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// 1,048,576 bytes.
    #[default]
    Megabytes,
    /// 1,024 bytes.
    Kilobytes,
    /// Bytes.
    Bytes,
}

/// See the crate's description.
pub struct RequestSizeLimiting {
    allowed: u64,
    require_length: bool,
}

impl Plugin for RequestSizeLimiting {
    type Config = Config;
    const PRIORITY: i32 = 951;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let unit = match config.size_unit {
            Unit::Megabytes => 1024 * 1024,
            Unit::Kilobytes => 1024,
            Unit::Bytes => 1,
        };
        let allowed = u64::try_from(config.allowed_payload_size).unwrap_or_default().saturating_mul(unit);
        Ok(Self { allowed, require_length: config.require_content_length })
    }
}

impl OnRequest for RequestSizeLimiting {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let length = request.header_text("content-length").and_then(|length| length.parse::<u64>().ok());
        let is_too_large = match (length, self.require_length) {
            (Some(length), _) => length > self.allowed,
            (None, _) if request.header("transfer-encoding").is_some() => self.read(request)?.is_too_large,
            (None, require_length) => {
                // Whether there is a body is not said, so it is looked for.
                let Body { is_empty, is_too_large } = self.read(request)?;
                if is_empty && require_length {
                    return Ok(Decision::fail(411, "A valid Content-Length header is required"));
                }
                is_too_large
            }
        };
        if !is_too_large {
            return Ok(Decision::Continue);
        }
        let expects =
            request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        Ok(Decision::fail(if expects { 417 } else { 413 }, "Request size limit exceeded"))
    }
}

/// What there is to know of a body whose length is not told beforehand.
struct Body {
    is_empty: bool,
    is_too_large: bool,
}

impl RequestSizeLimiting {
    /// Reads the body to see how long it is.
    fn read(&self, request: &Request) -> Result<Body, Error> {
        match request.body(self.allowed.min(MOST_READ)) {
            Ok(body) => Ok(Body { is_empty: body.is_empty(), is_too_large: false }),
            Err(BodyError::TooLarge) => Ok(Body { is_empty: false, is_too_large: self.allowed <= MOST_READ }),
            Err(BodyError::Gone) => Ok(Body { is_empty: false, is_too_large: false }),
            Err(error @ BodyError::Broken) => Err(error.into()),
        }
    }
}

fn largest() -> i64 {
    128
}

/// Bytes.
const MOST_READ: u64 = 8 * 1024 * 1024;

export!(RequestSizeLimiting: OnRequest);

#[cfg(test)]
mod tests;
