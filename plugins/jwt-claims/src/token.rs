//! Verifies tokens.
//!
//! The gateway computes signatures, with keys that are set up once for a configuration. What is parsed is parsed
//! here, and only once.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moongate_sdk::crypto::Verifier;
use moongate_sdk::{Problem, clock};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use crate::claims::Claims;
use crate::config::{Algorithm, Config};
use crate::key;
use crate::memory::Memory;

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
    trust: Trust,
    /// The claims to read, each once.
    wanted: Vec<String>,
    leeway: f64,
    require_expiry: bool,
}

/// Whose tokens are good.
enum Trust {
    /// Anybody's: somebody else has verified them.
    Unverified,
    /// Those that one of these verifies.
    Signed {
        verifiers: Vec<(Algorithm, Verifier)>,
        /// The first part of the last good token, and the verifier that it asks for. Issuers sign with one
        /// header, so it is hardly ever parsed.
        last_header: RefCell<Option<(Vec<u8>, usize)>>,
        memory: RefCell<Memory>,
    },
}

impl Verification {
    pub(crate) fn new(config: &Config, wanted: Vec<String>) -> Result<Self, Problem> {
        let trust = if config.trust_unverified_tokens {
            Trust::Unverified
        } else {
            let verifier = |algorithm: &Algorithm| Ok((*algorithm, key::verifier(config, *algorithm)?));
            let verifiers = config.algorithms.iter().map(verifier).collect::<Result<_, Problem>>()?;
            let memory = RefCell::new(Memory::new(config.cache_size));
            Trust::Signed { verifiers, last_header: RefCell::default(), memory }
        };
        Ok(Self { trust, wanted, leeway: f64::from(config.leeway), require_expiry: config.require_expiry })
    }

    /// What a token says, if somebody signed it whom the configuration trusts and now is the time for it.
    pub(crate) fn claims(&self, token: &[u8]) -> Result<Rc<Claims>, TokenError> {
        let known = match &self.trust {
            Trust::Signed { memory, .. } => memory.borrow().recall(token),
            Trust::Unverified => None,
        };
        if let Some(claims) = known {
            self.check_times(&claims)?;
            return Ok(claims);
        }
        let payload = self.payload(token)?;
        let claims = Rc::new(Claims::parse(&payload, &self.wanted).ok_or(TokenError::Malformed)?);
        self.check_times(&claims)?;
        if let Trust::Signed { memory, .. } = &self.trust {
            memory.borrow_mut().keep(token, &claims);
        }
        Ok(claims)
    }

    /// The payload of a token, as JSON text, if somebody signed it whom the configuration trusts.
    fn payload(&self, token: &[u8]) -> Result<Vec<u8>, TokenError> {
        let (message, signature) = cut(token, token.iter().rposition(|byte| *byte == b'.'))?;
        let (header, payload) = cut(message, message.iter().position(|byte| *byte == b'.'))?;
        if payload.contains(&b'.') {
            return Err(TokenError::Malformed);
        }
        match &self.trust {
            Trust::Unverified => drop(parse_header(header)?),
            Trust::Signed { verifiers, last_header, .. } => {
                verify(verifiers, last_header, header, message, signature)?;
            }
        }
        URL_SAFE_NO_PAD.decode(payload).map_err(|_| TokenError::Malformed)
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenError> {
        if claims.expires.is_none() && self.require_expiry {
            return Err(TokenError::NoExpiry);
        }
        if claims.expires.is_none() && claims.not_before.is_none() {
            return Ok(());
        }
        let now = clock::now().as_secs_f64();
        if claims.expires.is_some_and(|expires| now >= expires + self.leeway) {
            return Err(TokenError::Expired);
        }
        if claims.not_before.is_some_and(|not_before| now + self.leeway < not_before) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }
}

fn verify(
    verifiers: &[(Algorithm, Verifier)],
    last_header: &RefCell<Option<(Vec<u8>, usize)>>,
    header: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), TokenError> {
    let known = match &*last_header.borrow() {
        Some((last, at)) if last == header => Some(*at),
        _ => None,
    };
    let at = match known {
        Some(at) => at,
        None => {
            let algorithm = parse_header(header)?.alg;
            let named = |(known, _): &(Algorithm, Verifier)| known.name() == algorithm;
            verifiers.iter().position(named).ok_or(TokenError::Algorithm)?
        }
    };
    let (_, verifier) = verifiers.get(at).ok_or(TokenError::Algorithm)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
    if !verifier.verify(message, &signature) {
        return Err(TokenError::Signature);
    }
    if known.is_none() {
        *last_header.borrow_mut() = Some((header.to_vec(), at));
    }
    Ok(())
}

/// The part of a token's header that matters.
#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Whether extensions are named that a reader must understand. This one understands none.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

fn parse_header(header: &[u8]) -> Result<Header, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| TokenError::Malformed)?;
    let json = std::str::from_utf8(&json).map_err(|_| TokenError::Malformed)?;
    let header: Header = serde_json::from_str(json).map_err(|_| TokenError::Malformed)?;
    if header.crit { Err(TokenError::Malformed) } else { Ok(header) }
}

/// What stands before and behind a dot.
fn cut(text: &[u8], dot: Option<usize>) -> Result<(&[u8], &[u8]), TokenError> {
    let dot = dot.ok_or(TokenError::Malformed)?;
    let (before, from_dot) = text.split_at_checked(dot).ok_or(TokenError::Malformed)?;
    Ok((before, from_dot.get(1..).unwrap_or_default()))
}
