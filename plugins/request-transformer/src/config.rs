//! The plugin's configuration.

use moongate_sdk::config;

/// What is changed, in this order: first what is removed, then what gets another name, another value, what is added
/// where it is missing, and what is added in any case.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Method of the request that goes upstream.
    pub http_method: Option<String>,
    /// Names.
    #[serde(default)]
    pub remove: Names,
    /// `old:new`
    #[serde(default)]
    pub rename: Changes,
    /// `name:value`
    #[serde(default)]
    pub replace: Replacements,
    /// `name:value`
    #[serde(default)]
    pub add: Changes,
    /// `name:value`
    #[serde(default)]
    pub append: Changes,
}

/// Lists for the parts of a request.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Names {
    /// Of the body, if it is JSON or a form.
    pub body: Vec<String>,
    /// Of the headers.
    pub headers: Vec<String>,
    /// Of the query.
    pub querystring: Vec<String>,
}

/// Lists of pairs for the parts of a request.
pub type Changes = Names;

/// Lists of pairs for the parts of a request, and another path.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Replacements {
    /// Of the body, if it is JSON or a form.
    pub body: Vec<String>,
    /// Of the headers.
    pub headers: Vec<String>,
    /// Of the query.
    pub querystring: Vec<String>,
    /// Path that goes upstream.
    pub uri: Option<String>,
}
