//! Which headers a plugin may touch, and what a header from a plugin must look like.
//!
//! Message framing belongs to the gateway. A plugin that could write `content-length` or break out of a
//! header line could make the gateway and an upstream disagree about where a request ends.

use http::header::{HeaderName, HeaderValue};

/// Why a header from a plugin was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is empty or holds characters that no header name may hold.
    #[error("not a valid header name")]
    InvalidName,
    /// The value holds a line break, a NUL or another control character.
    #[error("not a valid header value")]
    InvalidValue,
    /// The header frames the message or belongs to one connection; the gateway sets it.
    #[error("header belongs to the gateway")]
    Forbidden,
    /// The value is longer than [`MAX_VALUE`], or there are [`MAX_LINES`] lines already.
    #[error("header is too large, or there are too many")]
    TooLarge,
}

/// Longest value that a plugin may set, in bytes.
pub const MAX_VALUE: usize = 64 * 1024;

/// Header lines that a message may have after a plugin added one.
pub const MAX_LINES: usize = 1_000;

/// Checks the name and value of a header that comes from a plugin.
///
/// # Errors
/// See [`HeaderError`].
pub fn parse_header(name: &[u8], value: &[u8]) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let name = parse_header_name(name)?;
    if value.len() > MAX_VALUE {
        return Err(HeaderError::TooLarge);
    }
    let value = HeaderValue::from_bytes(value).map_err(|_| HeaderError::InvalidValue)?;
    Ok((name, value))
}

/// Checks the name of a header that a plugin wants to change or remove.
///
/// # Errors
/// [`HeaderError::InvalidName`] and [`HeaderError::Forbidden`].
pub fn parse_header_name(name: &[u8]) -> Result<HeaderName, HeaderError> {
    let name = HeaderName::from_bytes(name).map_err(|_| HeaderError::InvalidName)?;
    if is_reserved(&name) { Err(HeaderError::Forbidden) } else { Ok(name) }
}

fn is_reserved(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "content-length"
            | "expect"
            | "keep-alive"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_line_break_is_refused() {
        assert_eq!(parse_header(b"x", b"a\r\nset-cookie: b"), Err(HeaderError::InvalidValue));
        assert_eq!(parse_header(b"x", b"a\nb"), Err(HeaderError::InvalidValue));
        assert_eq!(parse_header(b"x", b"a\0b"), Err(HeaderError::InvalidValue));
    }

    #[test]
    fn a_value_that_is_not_utf_8_is_kept() {
        let (_, value) = parse_header(b"x-latin", b"caf\xe9").unwrap();
        assert_eq!(value.as_bytes(), b"caf\xe9");
    }

    #[test]
    fn framing_and_hop_by_hop_headers_belong_to_the_gateway() {
        for name in ["Content-Length", "transfer-encoding", "Connection", "Keep-Alive", "TE", "Upgrade"] {
            assert_eq!(parse_header(name.as_bytes(), b"1"), Err(HeaderError::Forbidden), "{name}");
            assert_eq!(parse_header_name(name.as_bytes()), Err(HeaderError::Forbidden), "{name}");
        }
        assert!(parse_header(b"Content-Type", b"text/plain").is_ok());
    }

    #[test]
    fn a_name_with_a_space_or_colon_is_refused() {
        assert_eq!(parse_header(b"x y", b"1"), Err(HeaderError::InvalidName));
        assert_eq!(parse_header(b"x:", b"1"), Err(HeaderError::InvalidName));
        assert_eq!(parse_header(b"", b"1"), Err(HeaderError::InvalidName));
    }
}
