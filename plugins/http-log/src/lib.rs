//! Sends records of requests to an HTTP server.

mod fields;

use std::collections::BTreeMap;
use std::time::Duration;

use moongate_sdk::http_client::Outgoing;
use moongate_sdk::{Error, OnLog, Plugin, Problem, Schema, config, export, log};

use crate::fields::CustomFields;

/// Where records go.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Where records are sent to.
    http_endpoint: String,
    /// Method of the requests.
    #[serde(default = "post")]
    method: String,
    /// Content type of the requests.
    #[serde(default = "json")]
    content_type: String,
    /// Milliseconds until the answer must be there.
    #[serde(default = "ten_seconds")]
    timeout: f64,
    /// Milliseconds for which an idle connection is kept; the gateway decides that.
    #[serde(rename = "keepalive")]
    _keepalive: Option<f64>,
    /// Replaced by `queue`.
    #[serde(rename = "retry_count")]
    _retry_count: Option<i64>,
    /// Replaced by `queue`.
    #[serde(rename = "queue_size")]
    _queue_size: Option<i64>,
    /// Replaced by `queue`.
    #[serde(rename = "flush_timeout")]
    _flush_timeout: Option<f64>,
    /// Headers of the requests.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// How records wait; the gateway keeps them.
    #[serde(default)]
    queue: Queue,
    /// Fields that are put into records.
    #[serde(default)]
    custom_fields_by_lua: BTreeMap<String, String>,
}

/// How records wait and are sent. All but one of the members are for the gateway.
#[config]
#[derive(Debug, Clone)]
#[serde(default)]
pub struct Queue {
    /// Most records in one request.
    max_batch_size: u64,
    /// Seconds.
    max_coalescing_delay: Option<f64>,
    /// Records.
    max_entries: Option<u64>,
    /// Bytes.
    max_bytes: Option<u64>,
    /// Seconds.
    max_retry_time: Option<f64>,
    /// Seconds.
    initial_retry_delay: Option<f64>,
    /// Seconds.
    max_retry_delay: Option<f64>,
    /// Batches.
    concurrency_limit: Option<i64>,
}

/// See the crate's description.
pub struct HttpLog {
    config: Config,
    fields: CustomFields,
}

impl Plugin for HttpLog {
    type Config = Config;
    const PRIORITY: i32 = 12;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(mut config: Config) -> Result<Self, Vec<Problem>> {
        config.http_endpoint = without_query(&config.http_endpoint).to_owned();
        let (fields, unknown) = CustomFields::new(&config.custom_fields_by_lua);
        for name in unknown {
            log::warn(&format!(
                "`custom_fields_by_lua.{name}` is left out: of Lua only `return` with a constant is understood"
            ));
        }
        Ok(Self { config, fields })
    }
}

impl OnLog for HttpLog {
    fn on_log(&self, records: &[String]) -> Result<(), Error> {
        let records: Vec<String> = records.iter().map(|record| self.fields.put_into(record)).collect();
        let body = match records.as_slice() {
            [record] if self.config.queue.max_batch_size == 1 => record.clone(),
            records => format!("[{}]", records.join(",")),
        };
        let Config { method, http_endpoint, content_type, timeout, headers, .. } = &self.config;
        let mut request = Outgoing::new(method.clone(), http_endpoint.clone())
            .header("content-type", content_type.clone())
            .timeout(Duration::from_secs_f64((timeout / 1000.0).clamp(0.001, 60.0)))
            .tls_verify(false)
            .body(body);
        for (name, value) in headers {
            request = request.header(name.to_ascii_lowercase(), value.clone());
        }
        let status = request.send()?.status;
        if status < 300 {
            return Ok(());
        }
        Err(Error::new(format!("request to {} failed with status code {status}", host(http_endpoint))))
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            max_batch_size: 1,
            max_coalescing_delay: None,
            max_entries: None,
            max_bytes: None,
            max_retry_time: None,
            initial_retry_delay: None,
            max_retry_delay: None,
            concurrency_limit: None,
        }
    }
}

/// A URL without what is behind its path.
fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// The host of a URL, for people to read: without the password that may stand before it.
fn host(url: &str) -> &str {
    let authority = url.split("//").nth(1).unwrap_or(url).split('/').next().unwrap_or(url);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn post() -> String {
    "POST".to_owned()
}

fn json() -> String {
    "application/json".to_owned()
}

fn ten_seconds() -> f64 {
    10_000.0
}

export!(HttpLog: OnLog);

#[cfg(test)]
mod tests;
