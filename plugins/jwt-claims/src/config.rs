//! The plugin's configuration.

use std::collections::BTreeMap;

use moongate_sdk::{Problem, check_header_name, config, crypto};

/// Checks a bearer token and hands its claims on as headers.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Algorithms that tokens may be signed with. All of them must fit the key.
    #[serde(default = "hs256")]
    pub algorithms: Vec<Algorithm>,
    /// The secret that HS256, HS384 and HS512 tokens are signed with. May be a reference to a vault.
    #[schemars(extend("x-referenceable" = true, "x-encrypted" = true))]
    pub secret: Option<String>,
    /// Whether `secret` is Base64 and stands for the bytes in it.
    #[serde(default)]
    pub secret_is_base64: bool,
    /// The public key that RS256 or ES256 tokens are verified with, as PEM. May be a reference to a vault.
    #[schemars(extend("x-referenceable" = true))]
    pub public_key: Option<String>,
    /// Reads tokens without verifying who made them. Anybody can then claim anything: only for gateways behind
    /// one that has verified the token.
    #[serde(default)]
    pub trust_unverified_tokens: bool,
    /// Claims that become headers of the response: the claim's name, and the header's.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
    /// Claims that become headers of the request that goes upstream. What the client sent under those names is
    /// removed.
    #[serde(default)]
    pub upstream_claims: BTreeMap<String, String>,
    /// Status of the answer to a request without a good token, 400 to 599.
    #[serde(default = "unauthorized")]
    pub exit_code: u16,
    /// Seconds by which the clocks of issuer and gateway may differ.
    #[serde(default)]
    pub leeway: u32,
    /// Whether a token without `exp` is refused.
    #[serde(default = "yes")]
    pub require_expiry: bool,
    /// How many good tokens are remembered, so that they need not be verified again: 0 to 1,000. When a token
    /// expires is looked at each time.
    #[serde(default = "hundred")]
    pub cache_size: u16,
}

/// How a token is signed.
#[config]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
    /// RSA (PKCS#1 v1.5) with SHA-256.
    RS256,
    /// ECDSA on the curve P-256 with SHA-256.
    ES256,
}

impl Config {
    /// Finds what the types let through.
    pub(crate) fn check(&self) -> Result<(), Vec<Problem>> {
        let mut problems = Vec::new();
        if !(400..600).contains(&self.exit_code) {
            problems.push(Problem::at("exit_code", "must be between 400 and 599"));
        }
        if self.trust_unverified_tokens {
            if self.secret.is_some() || self.public_key.is_some() {
                problems.push(Problem::at(
                    "trust_unverified_tokens",
                    "leaves no use for `secret` or `public_key`",
                ));
            }
        } else if self.algorithms.is_empty() {
            problems.push(Problem::at("algorithms", "must name at least one"));
        } else {
            let keyed = |algorithm: &Algorithm| algorithm.is_hmac();
            match (&self.secret, &self.public_key) {
                (None, None) => problems.push(Problem::at("", "needs `secret` or `public_key`")),
                (Some(_), Some(_)) => {
                    problems.push(Problem::at("", "takes `secret` or `public_key`, not both"))
                }
                (Some(secret), None) if secret.is_empty() => {
                    problems.push(Problem::at("secret", "must not be empty"));
                }
                (Some(_), None) if !self.algorithms.iter().all(keyed) => {
                    problems.push(Problem::at(
                        "algorithms",
                        "RS256 and ES256 need `public_key` instead of `secret`",
                    ));
                }
                (None, Some(_)) if self.algorithms.iter().any(keyed) => {
                    problems.push(Problem::at(
                        "algorithms",
                        "HS256, HS384 and HS512 need `secret`, not `public_key`",
                    ));
                }
                (None, Some(_)) if self.algorithms.windows(2).any(|pair| pair.first() != pair.last()) => {
                    problems.push(Problem::at(
                        "algorithms",
                        "RS256 and ES256 need different keys, name one of them",
                    ));
                }
                _ => {}
            }
        }
        if self.secret_is_base64 && self.secret.is_none() {
            problems.push(Problem::at("secret_is_base64", "is of no use without `secret`"));
        }
        if self.cache_size > 1000 {
            problems.push(Problem::at("cache_size", "must be at most 1000"));
        }
        check_headers("claims", &self.claims, &mut problems);
        check_headers("upstream_claims", &self.upstream_claims, &mut problems);
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Algorithm {
    pub(crate) fn is_hmac(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }

    /// As it stands in a token's header.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
            Self::RS256 => "RS256",
            Self::ES256 => "ES256",
        }
    }
}

impl From<Algorithm> for crypto::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::Hs256,
            Algorithm::HS384 => Self::Hs384,
            Algorithm::HS512 => Self::Hs512,
            Algorithm::RS256 => Self::Rs256,
            Algorithm::ES256 => Self::Es256,
        }
    }
}

/// Headers that the gateway would refuse at every request, and those that two claims want.
fn check_headers(field: &str, claims: &BTreeMap<String, String>, problems: &mut Vec<Problem>) {
    let mut taken = BTreeMap::new();
    for (claim, header) in claims {
        let path = || format!("{field}.{claim}");
        if let Err(error) = check_header_name(header) {
            problems.push(Problem::at(path(), format!("`{header}` cannot be set: {error}")));
        }
        if let Some(other) = taken.insert(header.to_ascii_lowercase(), claim) {
            problems
                .push(Problem::at(path(), format!("`{header}` is the header of claim `{other}` already")));
        }
    }
}

fn hs256() -> Vec<Algorithm> {
    vec![Algorithm::HS256]
}

fn unauthorized() -> u16 {
    401
}

fn hundred() -> u16 {
    100
}

fn yes() -> bool {
    true
}
