//! Addresses of resources.

use serde_json::Value;

use super::text;
use crate::Check;

/// A URL with a scheme and a host.
pub const URL: Check = Check { name: "url", run: url };

/// An absolute URL without a fragment.
pub const REDIRECT_URI: Check = Check { name: "redirect_uri", run: redirect_uri };

/// The parts of a URL, taken as they come: none of them is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Url<'a> {
    /// The part before the colon.
    pub scheme: Option<&'a str>,
    /// The host, without the brackets of an IPv6 address. Empty when there is none.
    pub host: &'a str,
    /// The text behind the host's colon.
    pub port: Option<&'a str>,
    /// The path with everything behind it. Empty when there is none.
    pub path: &'a str,
    /// The text behind `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Takes a text apart. Without `//` everything behind the scheme is path.
    pub fn parts(text: &'a str) -> Self {
        let (text, fragment) = match text.split_once('#') {
            Some((text, fragment)) => (text, Some(fragment)),
            None => (text, None),
        };
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash)),
            None => ("", rest),
        };
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (address, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Self { scheme, host, port, path, fragment }
    }

    /// Whether there is a user, or a user and a password, before the host.
    pub(super) fn has_user(text: &str) -> bool {
        let authority = text.split_once("//").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
        authority.is_some_and(|authority| authority.contains('@'))
    }
}

fn url(value: &Value) -> Result<(), String> {
    let url = Url::parts(text(value));
    if url.host.is_empty() {
        return Err("missing host in url".to_owned());
    }
    if url.scheme.is_none() {
        return Err("missing scheme in url".to_owned());
    }
    Ok(())
}

fn redirect_uri(value: &Value) -> Result<(), String> {
    let text = text(value);
    let url = Url::parts(text);
    if url.scheme.is_none() || url.host.is_empty() {
        return Err(format!("cannot parse '{text}'"));
    }
    if url.fragment.is_some() {
        return Err(format!("fragment not allowed in '{text}'"));
    }
    Ok(())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}
