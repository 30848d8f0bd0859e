//! Names, tags and paths.

use serde_json::Value;

use super::text;
use crate::Check;

/// A name: letters, digits, `.`, `-`, `_`, `~` and everything beyond ASCII.
pub const NAME: Check = Check { name: "name", run: name };

/// A tag.
pub const TAG: Check = Check { name: "tag", run: tag };

/// The name of a header.
pub const HEADER_NAME: Check = Check { name: "header_name", run: header_name };

/// The name of a cookie.
pub const COOKIE_NAME: Check = Check { name: "cookie_name", run: cookie_name };

/// The characters and escapes of a path.
pub const PATH: Check = Check { name: "path", run: path };

fn name(value: &Value) -> Result<(), String> {
    let text = text(value);
    let allowed = |char: char| !char.is_ascii() || char.is_ascii_alphanumeric() || ".-_~".contains(char);
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "invalid value '{text}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
    ))
}

fn tag(value: &Value) -> Result<(), String> {
    let text = text(value);
    let allowed = |char: char| !char.is_ascii() || matches!(char, ' '..='~') && !matches!(char, ',' | '/');
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "invalid tag '{text}': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
    ))
}

fn header_name(value: &Value) -> Result<(), String> {
    let text = text(value);
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Ok(());
    }
    Err(format!("bad header name '{text}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"))
}

fn cookie_name(value: &Value) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/?={}[]".contains(&byte);
    if text(value).bytes().all(is_token) {
        return Ok(());
    }
    Err("contains one or more invalid characters. ASCII control characters (0-31;127), space, tab and the \
         characters ()<>@,;:\\\"/?={}[] are not allowed."
        .to_owned())
}

fn path(value: &Value) -> Result<(), String> {
    let text = text(value);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%:@!$&'()*+,;=".contains(&byte);
    if !text.bytes().all(allowed) {
        return Err(format!(
            "invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"
        ));
    }
    escapes_are_complete(text)
}

/// Every percent sign is followed by two hexadecimal digits.
pub(super) fn escapes_are_complete(path: &str) -> Result<(), String> {
    let mut parts = path.split('%');
    let _before_the_first = parts.next();
    for part in parts {
        let digits: String = part.chars().take(2).collect();
        if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!("invalid url-encoded value: '%{digits}'"));
        }
    }
    Ok(())
}
