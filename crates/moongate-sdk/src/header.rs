//! Names of headers.

use crate::HeaderError;

/// Checks, by the gateway's own rules, whether a plugin may set a header of this name.
///
/// Meant for [`Plugin::new`](crate::Plugin::new): a name from the configuration that fails there is refused
/// with the configuration, instead of at every request.
///
/// # Errors
/// [`HeaderError::InvalidName`] and [`HeaderError::Forbidden`].
pub fn check_header_name(name: &str) -> Result<(), HeaderError> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(valid) {
        return Err(HeaderError::InvalidName);
    }
    if GATEWAYS.iter().any(|gateways| gateways.eq_ignore_ascii_case(name)) {
        return Err(HeaderError::Forbidden);
    }
    Ok(())
}

/// Headers that frame the message or belong to one connection, as in `http.wit`.
const GATEWAYS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_other_than_token_characters_are_invalid() {
        for name in ["", "x y", "x:", "x\r\ny", "é", "x\0"] {
            assert_eq!(check_header_name(name), Err(HeaderError::InvalidName), "{name:?}");
        }
        assert_eq!(check_header_name("X_a.b-1~"), Ok(()));
    }

    #[test]
    fn framing_headers_belong_to_the_gateway_in_any_case_of_letters() {
        for name in ["Content-Length", "TRANSFER-ENCODING", "te", "Connection"] {
            assert_eq!(check_header_name(name), Err(HeaderError::Forbidden), "{name}");
        }
    }
}
