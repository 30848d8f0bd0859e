//! The plugin's configuration.

use moongate_sdk::config;

/// What is kept, and for how long.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Statuses of responses that are kept.
    #[serde(default = "response_code")]
    pub response_code: Vec<u16>,
    /// Methods of requests whose responses are kept.
    #[serde(default = "request_method")]
    pub request_method: Vec<String>,
    /// Content types of responses that are kept, with their parameters.
    #[serde(default = "content_type")]
    pub content_type: Vec<String>,
    /// Seconds for which responses are kept.
    #[serde(default = "five_minutes")]
    pub cache_ttl: u64,
    /// Where responses are kept; only `memory` is known.
    pub strategy: Strategy,
    /// Whether `Cache-Control` of requests and responses is obeyed.
    #[serde(default)]
    pub cache_control: bool,
    /// Whether paths in other letter cases are the same.
    #[serde(default)]
    pub ignore_uri_case: bool,
    /// Seconds after which responses are forgotten, whatever `cache_ttl` says.
    pub storage_ttl: Option<u64>,
    /// The part of memory; each plugin has one of its own here.
    #[serde(default)]
    pub memory: Memory,
    /// Query arguments that tell responses apart; all of them otherwise.
    #[serde(default)]
    pub vary_query_params: Vec<String>,
    /// Headers that tell responses apart.
    #[serde(default)]
    pub vary_headers: Vec<String>,
    /// Headers that tell of the cache.
    #[serde(default)]
    pub response_headers: ResponseHeaders,
}

/// Where responses are kept.
#[config]
#[derive(Debug, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// In the memory of the node.
    Memory,
}

/// A part of memory.
#[config]
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Its name.
    #[serde(rename = "dictionary_name")]
    _dictionary_name: Option<String>,
}

/// Headers that tell of the cache.
#[config]
#[derive(Debug, Clone)]
#[serde(default)]
pub struct ResponseHeaders {
    /// How long the response has been kept, in seconds.
    pub age: bool,
    /// What became of the request.
    #[serde(rename = "X-Cache-Status")]
    pub status: bool,
    /// What the response is kept under.
    #[serde(rename = "X-Cache-Key")]
    pub key: bool,
}

impl Default for ResponseHeaders {
    fn default() -> Self {
        Self { age: true, status: true, key: true }
    }
}

fn response_code() -> Vec<u16> {
    vec![200, 301, 404]
}

fn request_method() -> Vec<String> {
    vec!["GET".to_owned(), "HEAD".to_owned()]
}

fn content_type() -> Vec<String> {
    vec!["text/plain".to_owned(), "application/json".to_owned()]
}

fn five_minutes() -> u64 {
    300
}
