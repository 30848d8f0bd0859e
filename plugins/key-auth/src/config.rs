//! The plugin's configuration.

use moongate_sdk::config;

/// Where keys are looked for; `schema.json` says what each of these means.
#[config]
pub struct Config {
    /// Names of the header, query argument or field of the body, in this order.
    #[serde(default = "apikey")]
    pub key_names: Vec<String>,
    /// Whether the upstream gets the request without the key.
    #[serde(default)]
    pub hide_credentials: bool,
    /// Id or username of the consumer that clients without a good key are.
    pub anonymous: Option<String>,
    /// Whether keys are looked for in headers.
    #[serde(default = "yes")]
    pub key_in_header: bool,
    /// Whether keys are looked for in the query.
    #[serde(default = "yes")]
    pub key_in_query: bool,
    /// Whether keys are looked for in the body.
    #[serde(default)]
    pub key_in_body: bool,
    /// Whether OPTIONS requests need a key as well.
    #[serde(default = "yes")]
    pub run_on_preflight: bool,
    /// The realm that clients without a good key are told.
    pub realm: Option<String>,
}

fn apikey() -> Vec<String> {
    vec!["apikey".into()]
}

fn yes() -> bool {
    true
}
