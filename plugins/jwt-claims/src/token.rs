//! Verifies tokens.
//!
//! jsonwebtoken's verifiers are made once for a configuration, with the key already set up. Its `decode` would
//! set the key up and parse header and claims twice for every request.

use std::cell::RefCell;
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use moongate_sdk::Problem;
use serde::Deserialize;

use crate::claims::Claims;
use crate::config::{Algorithm, Config};

/// What is wrong with a token, in the words that clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenError {
    Missing,
    Malformed,
    Algorithm,
    Signature,
    NoExpiry,
    Expired,
    NotYetValid,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no bearer token",
            Self::Malformed => "malformed token",
            Self::Algorithm => "unexpected algorithm",
            Self::Signature => "bad signature",
            Self::NoExpiry => "token without expiry",
            Self::Expired => "token expired",
            Self::NotYetValid => "token not valid yet",
        })
    }
}

/// How tokens of one configuration are verified.
pub(crate) struct Verification {
    /// Empty when unverified tokens are trusted.
    verifiers: Vec<Verifier>,
    leeway: f64,
    require_expiry: bool,
    /// The first part of the last good token, and the verifier that it asks for. Issuers sign with one header,
    /// so it is hardly ever parsed.
    last_header: RefCell<(Vec<u8>, usize)>,
}

struct Verifier {
    algorithm: Algorithm,
    verifier: Box<dyn JwtVerifier>,
}

impl Verification {
    pub(crate) fn new(config: &Config) -> Result<Self, Problem> {
        let mut verifiers = Vec::new();
        if !config.trust_unverified_tokens {
            for algorithm in &config.algorithms {
                let key = key(config, *algorithm)?;
                let verifier = (DEFAULT_PROVIDER.verifier_factory)(&(*algorithm).into(), &key)
                    .map_err(|error| Problem::at("public_key", error.to_string()))?;
                verifiers.push(Verifier { algorithm: *algorithm, verifier });
            }
        }
        Ok(Self {
            verifiers,
            leeway: f64::from(config.leeway),
            require_expiry: config.require_expiry,
            last_header: RefCell::default(),
        })
    }

    /// The wanted claims of a token, if it is good.
    pub(crate) fn claims(&self, token: &[u8], wanted: &[String]) -> Result<Claims, TokenError> {
        let (message, signature) = rsplit(token).ok_or(TokenError::Malformed)?;
        let (header, payload) = rsplit(message).ok_or(TokenError::Malformed)?;
        if header.contains(&b'.') {
            return Err(TokenError::Malformed);
        }
        self.verify(header, message, signature)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Malformed)?;
        let claims = Claims::parse(&payload, wanted).ok_or(TokenError::Malformed)?;
        self.check_time(&claims)?;
        Ok(claims)
    }

    fn verify(&self, header: &[u8], message: &[u8], signature: &[u8]) -> Result<(), TokenError> {
        if self.verifiers.is_empty() {
            parse_header(header)?;
            return Ok(());
        }
        let known = {
            let last = self.last_header.borrow();
            (last.0 == header).then_some(last.1)
        };
        let at = match known {
            Some(at) => at,
            None => {
                let algorithm = parse_header(header)?.alg;
                let named = |verifier: &Verifier| verifier.algorithm.name() == algorithm;
                self.verifiers.iter().position(named).ok_or(TokenError::Algorithm)?
            }
        };
        let verifier = self.verifiers.get(at).ok_or(TokenError::Algorithm)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        verifier.verifier.verify(message, &signature).map_err(|_| TokenError::Signature)?;
        if known.is_none() {
            *self.last_header.borrow_mut() = (header.to_vec(), at);
        }
        Ok(())
    }

    fn check_time(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.expires.is_none() && claims.not_before.is_none() {
            return if self.require_expiry { Err(TokenError::NoExpiry) } else { Ok(()) };
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        match claims.expires {
            Some(expires) if now >= expires + self.leeway => return Err(TokenError::Expired),
            None if self.require_expiry => return Err(TokenError::NoExpiry),
            _ => {}
        }
        match claims.not_before {
            Some(not_before) if now + self.leeway < not_before => Err(TokenError::NotYetValid),
            _ => Ok(()),
        }
    }
}

/// The part of a token's header that matters.
#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that a reader must understand. This one understands none.
    #[serde(default)]
    crit: Vec<String>,
}

fn parse_header(header: &[u8]) -> Result<Header, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenError::Malformed)?;
    let header: Header = serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)?;
    if header.crit.is_empty() { Ok(header) } else { Err(TokenError::Malformed) }
}

fn key(config: &Config, algorithm: Algorithm) -> Result<DecodingKey, Problem> {
    if algorithm.is_hmac() {
        let secret = config.secret.as_deref().unwrap_or_default();
        if !config.secret_is_base64 {
            return Ok(DecodingKey::from_secret(secret.as_bytes()));
        }
        let secret = STANDARD.decode(secret).map_err(|error| Problem::at("secret", format!("not Base64: {error}")))?;
        return Ok(DecodingKey::from_secret(&secret));
    }
    let pem = config.public_key.as_deref().unwrap_or_default().as_bytes();
    let (key, kind) = match algorithm {
        Algorithm::RS256 => (DecodingKey::from_rsa_pem(pem), "an RSA"),
        _ => (DecodingKey::from_ec_pem(pem), "an EC (P-256)"),
    };
    key.map_err(|_| Problem::at("public_key", format!("must be {kind} public key in PEM form")))
}

/// Splits at the last dot.
fn rsplit(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = text.iter().rposition(|byte| *byte == b'.')?;
    Some((text.get(..dot)?, text.get(dot + 1..)?))
}

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::HS256,
            Algorithm::HS384 => Self::HS384,
            Algorithm::HS512 => Self::HS512,
            Algorithm::RS256 => Self::RS256,
            Algorithm::ES256 => Self::ES256,
        }
    }
}
