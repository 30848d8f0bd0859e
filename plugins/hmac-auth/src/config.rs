//! The plugin's configuration.

use moongate_sdk::config;
use moongate_sdk::crypto::Hash;

/// What must be signed and how; `schema.json` says what each of these means.
#[config]
pub struct Config {
    /// Whether the upstream gets the request without the signature.
    #[serde(default)]
    pub hide_credentials: bool,
    /// Seconds by which the clocks of client and gateway may differ.
    #[serde(default = "five_minutes")]
    pub clock_skew: f64,
    /// Id or username of the consumer that clients without a good signature are.
    pub anonymous: Option<String>,
    /// Whether the body must be the one that the Digest header tells.
    #[serde(default)]
    pub validate_request_body: bool,
    /// Headers that every client must sign.
    #[serde(default)]
    pub enforce_headers: Vec<String>,
    /// Algorithms that clients may sign with.
    #[serde(default = "all")]
    pub algorithms: Vec<Algorithm>,
    /// The realm that clients without a good signature are told.
    pub realm: Option<String>,
}

/// How a request is signed.
#[config]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-1.
    #[serde(rename = "hmac-sha1")]
    Sha1,
    /// HMAC with SHA-256.
    #[serde(rename = "hmac-sha256")]
    Sha256,
    /// HMAC with SHA-384.
    #[serde(rename = "hmac-sha384")]
    Sha384,
    /// HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    Sha512,
}

impl Algorithm {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "hmac-sha1" => Self::Sha1,
            "hmac-sha256" => Self::Sha256,
            "hmac-sha384" => Self::Sha384,
            "hmac-sha512" => Self::Sha512,
            _ => return None,
        })
    }

    pub(crate) fn hash(self) -> Hash {
        match self {
            Self::Sha1 => Hash::Sha1,
            Self::Sha256 => Hash::Sha256,
            Self::Sha384 => Hash::Sha384,
            Self::Sha512 => Hash::Sha512,
        }
    }
}

fn five_minutes() -> f64 {
    300.0
}

fn all() -> Vec<Algorithm> {
    vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512]
}
