//! The functions that fields are checked with, by name.

mod address;
mod names;
mod plugins;
mod route;
mod url;

pub use address::{
    HOST, HOST_WITH_PORT, Host, HostError, IP, IP_OR_CIDR, SNI, TARGET, UPSTREAM_NAME, WILDCARD_HOST,
};
pub use names::{COOKIE_NAME, HEADER_NAME, NAME, PATH, TAG};
pub use plugins::{
    CACHE_MEMORY, HEADER_PAIR, HEADER_RENAME, ONE_AUTHORIZATION, RATE_LIMITS, REGEX_OR_STAR, RISING_LIMITS,
    TERMINATING_RESPONSE, VALUE_PAIR,
};
pub use route::{ROUTE_HOST, ROUTER_PATH, is_regex, regex_problem, unsupported_in_router};
pub use url::{REDIRECT_URI, URL, Url};

use serde_json::Value;

use crate::Check;

/// The checks that a schema in JSON can name.
pub const ALL: &[Check] = &[
    COOKIE_NAME,
    HEADER_NAME,
    HEADER_PAIR,
    HEADER_RENAME,
    HOST,
    HOST_WITH_PORT,
    IP,
    IP_OR_CIDR,
    NAME,
    ONE_AUTHORIZATION,
    PATH,
    RATE_LIMITS,
    REDIRECT_URI,
    REGEX_OR_STAR,
    RISING_LIMITS,
    ROUTER_PATH,
    ROUTE_HOST,
    SNI,
    TAG,
    TARGET,
    TERMINATING_RESPONSE,
    UPSTREAM_NAME,
    URL,
    VALUE_PAIR,
    WILDCARD_HOST,
];

/// The text that a check of texts looks at; other values are another rule's business.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
