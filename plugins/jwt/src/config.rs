//! The plugin's configuration.

use moongate_sdk::config;

/// Where tokens are looked for and what is verified; `schema.json` says what each of these means.
#[config]
pub struct Config {
    /// Names of query arguments.
    #[serde(default = "jwt")]
    pub uri_param_names: Vec<String>,
    /// Names of cookies.
    #[serde(default)]
    pub cookie_names: Vec<String>,
    /// Names of headers.
    #[serde(default = "authorization")]
    pub header_names: Vec<String>,
    /// The claim, or field of the token's header, that names the credential.
    #[serde(default = "iss")]
    pub key_claim_name: String,
    /// Whether secrets of credentials are Base64.
    #[serde(default)]
    pub secret_is_base64: bool,
    /// The times in a token that are looked at.
    #[serde(default)]
    pub claims_to_verify: Option<Vec<Time>>,
    /// Seconds that a token may still be good for, at most; 0 for any time.
    #[serde(default)]
    pub maximum_expiration: f64,
    /// Id or username of the consumer that clients without a good token are.
    pub anonymous: Option<String>,
    /// The realm that clients without a good token are told.
    pub realm: Option<String>,
    /// Whether OPTIONS requests need a token as well.
    #[serde(default = "yes")]
    pub run_on_preflight: bool,
}

/// A time in a token.
#[config]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Time {
    /// When it ends.
    Exp,
    /// When it begins.
    Nbf,
}

fn jwt() -> Vec<String> {
    vec!["jwt".into()]
}

fn authorization() -> Vec<String> {
    vec!["authorization".into()]
}

fn iss() -> String {
    "iss".into()
}

fn yes() -> bool {
    true
}
