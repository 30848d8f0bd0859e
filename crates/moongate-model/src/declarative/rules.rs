//! What texts in fields must look like.
//!
//! A rule gives the text of the problem when it is broken. These texts are part of the interface: tools
//! that manage configurations look for them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regex::Regex;
use uuid::Uuid;

use crate::path::{path_regex, resolve};

/// A rule for a text.
pub(super) trait Check: Fn(&str) -> Result<(), String> {}

impl<F: Fn(&str) -> Result<(), String>> Check for F {}

pub(super) fn uuid(text: &str) -> Result<(), String> {
    let is_uuid = text.len() == 36 && Uuid::try_parse(text).is_ok();
    is_uuid.then_some(()).ok_or_else(|| "expected a valid UUID".to_owned())
}

pub(super) fn name(text: &str) -> Result<(), String> {
    let allowed = |char: char| !char.is_ascii() || char.is_ascii_alphanumeric() || ".-_~".contains(char);
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "invalid value '{text}': the only accepted ascii characters are alphanumerics or ., -, _, and ~"
    ))
}

pub(super) fn tag(text: &str) -> Result<(), String> {
    let allowed = |char: char| !char.is_ascii() || matches!(char, ' '..='~') && !matches!(char, ',' | '/');
    if text.chars().all(allowed) {
        return Ok(());
    }
    Err(format!(
        "invalid tag '{text}': expected printable ascii (except `,` and `/`) or valid utf-8 sequences"
    ))
}

/// A host name or an address, without a port.
pub(super) fn host(text: &str) -> Result<(), String> {
    match Host::parse(text) {
        Ok(Host { port: Some(_), .. }) => Err("must not have a port".to_owned()),
        Ok(_) => Ok(()),
        Err(_) => Err(format!("invalid value: {text}")),
    }
}

/// A host name with at most one label that is a wildcard, or an address; either may have a port.
pub(super) fn route_host(text: &str) -> Result<(), String> {
    let mut stars = text.match_indices('*');
    let star = stars.next();
    if stars.next().is_some() {
        return Err("invalid wildcard: must have at most one wildcard".to_owned());
    }
    let name = text.rsplit_once(':').map_or(text, |(name, _)| name);
    if star.is_some() && !name.starts_with("*.") && !name.ends_with(".*") {
        return Err("invalid wildcard: must be placed at leftmost or rightmost label".to_owned());
    }
    Host::parse(&text.replace('*', "any")).map(drop)
}

/// A TLS server name with at most one wildcard, at one of its ends.
pub(super) fn wildcard_sni(text: &str) -> Result<(), String> {
    let mut stars = text.match_indices('*');
    if let Some((at, _)) = stars.next() {
        if stars.next().is_some() {
            return Err("only one wildcard must be specified".to_owned());
        }
        if at != 0 && at + 1 != text.len() {
            return Err("wildcard must be leftmost or rightmost character".to_owned());
        }
    }
    match Host::parse(&text.replace('*', "any")) {
        Ok(Host { is_address: true, .. }) => Err("must not be an IP".to_owned()),
        Ok(Host { port: Some(_), .. }) => Err("must not have a port".to_owned()),
        Ok(_) => Ok(()),
        Err(_) => Err(format!("invalid value: {text}")),
    }
}

/// The path of a service.
pub(super) fn path(text: &str) -> Result<(), String> {
    if !text.starts_with('/') {
        return Err("should start with: /".to_owned());
    }
    has_no_empty_segment(text)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~/%:@!$&'()*+,;=".contains(&byte);
    if !text.bytes().all(allowed) {
        return Err(format!(
            "invalid path: '{text}' (characters outside of the reserved list of RFC 3986 found)"
        ));
    }
    escapes_are_complete(text)
}

/// A path of a route: a prefix in its normal form, or a regular expression behind a `~`.
///
/// An expression can be right and still use something that the router's engine does not have, or be too
/// large for it. That is a problem of the route as a whole, and is returned.
pub(super) fn route_path(text: &str) -> Result<Option<String>, String> {
    if !text.starts_with('/') && !text.starts_with("~/") {
        return Err("should start with: / (fixed path) or ~/ (regex path)".to_owned());
    }
    has_no_empty_segment(text)?;
    escapes_are_complete(text)?;
    if let Some(expression) = text.strip_prefix('~') {
        let Err(error) = path_regex(expression) else { return Ok(None) };
        let reason = reason_of(&error);
        let is_unsupported = UNSUPPORTED_IN_EXPRESSIONS.iter().any(|feature| reason.contains(feature));
        return if is_unsupported {
            Ok(Some(reason))
        } else {
            Err(format!("invalid regex: '{expression}' (PCRE returned: {reason})"))
        };
    }
    match resolve(text) {
        Ok((normal, _)) if normal == text => Ok(None),
        Ok((normal, _)) => Err(format!("non-normalized path, consider use '{normal}' instead")),
        Err(error) => Err(format!("invalid path: '{text}' ({error})")),
    }
}

/// What is wrong with the regular expression of a header's value, if anything is.
pub(super) fn header_regex_problem(expression: &str) -> Option<String> {
    let error = Regex::new(expression).err()?;
    Some(reason_of(&error))
}

/// The engine's report shows the expression with a marker below the mistake; the reason comes last.
fn reason_of(error: &regex::Error) -> String {
    let report = error.to_string();
    let last = report.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

pub(super) fn method(text: &str) -> Result<(), String> {
    let is_method = text.bytes().all(|byte| byte.is_ascii_uppercase());
    is_method.then_some(()).ok_or_else(|| format!("invalid value: {text}"))
}

pub(super) fn header_name(text: &str) -> Result<(), String> {
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(format!("bad header name '{text}', allowed characters are A-Z, a-z, 0-9, '_', and '-'"));
    }
    if text.eq_ignore_ascii_case("host") {
        return Err(
            "cannot contain 'host' header, which must be specified in the 'hosts' attribute".to_owned()
        );
    }
    Ok(())
}

pub(super) fn ip_or_cidr(text: &str) -> Result<(), String> {
    let is_valid = match text.split_once('/') {
        None => text.parse::<IpAddr>().is_ok(),
        Some((address, bits)) => {
            let longest = address.parse().map(|address: IpAddr| if address.is_ipv4() { 32 } else { 128 });
            let bits = bits.parse::<u8>();
            matches!((longest, bits), (Ok(longest), Ok(bits)) if bits <= longest)
        }
    };
    is_valid.then_some(()).ok_or_else(|| format!("invalid ip or cidr range: '{text}'"))
}

/// A host name or an address, taken apart.
#[derive(Debug)]
struct Host {
    is_address: bool,
    port: Option<u16>,
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        let unbracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        if unbracketed.is_some() || text.matches(':').count() > 1 {
            let (address, port) = unbracketed.unwrap_or((text, ""));
            let port = match port.strip_prefix(':') {
                Some(port) => Some(port_number(port)?),
                None if port.is_empty() => None,
                None => return Err(format!("invalid ipv6 address: {text}")),
            };
            let address = address.parse::<Ipv6Addr>();
            return address
                .map(|_| Self { is_address: true, port })
                .map_err(|_| format!("invalid ipv6 address: {text}"));
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port_number(port)?)),
            None => (text, None),
        };
        if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            let address = name.parse::<Ipv4Addr>();
            return address
                .map(|_| Self { is_address: true, port })
                .map_err(|_| format!("invalid ipv4 address: {text}"));
        }
        let labels = name.strip_suffix('.').unwrap_or(name).split('.');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        for label in labels {
            if label.is_empty() || label.ends_with('-') || !label.bytes().all(allowed) {
                return Err(format!("invalid hostname: {text}"));
            }
        }
        Ok(Self { is_address: false, port })
    }
}

fn port_number(text: &str) -> Result<u16, String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if is_number { text.parse().ok() } else { None };
    number.ok_or_else(|| "invalid port number".to_owned())
}

fn has_no_empty_segment(path: &str) -> Result<(), String> {
    if path.contains("//") { Err("must not have empty segments".to_owned()) } else { Ok(()) }
}

fn escapes_are_complete(path: &str) -> Result<(), String> {
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

/// How the engine's reports tell expressions that it cannot run from those that are wrong.
const UNSUPPORTED_IN_EXPRESSIONS: [&str; 3] = ["look-around", "backreferences", "exceeds size limit"];

/// The protocols, as messages list them.
pub(super) const PROTOCOLS: &str = "grpc, grpcs, http, https, tcp, tls, tls_passthrough, udp";

#[cfg(test)]
mod tests;
