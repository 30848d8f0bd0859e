//! Takes tokens apart.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use moongate_sdk::crypto::Algorithm;
use serde_json::Value;

/// A token whose signature nobody has looked at yet.
pub(crate) struct Token<'a> {
    header: Value,
    pub(crate) claims: Value,
    pub(crate) algorithm: Algorithm,
    /// What was signed.
    pub(crate) message: &'a str,
    pub(crate) signature: Vec<u8>,
}

/// What names the credential of a token.
pub(crate) enum Key<'t> {
    Absent,
    Text(&'t str),
    /// Something that is no text.
    Other,
}

impl<'a> Token<'a> {
    /// Takes a token apart, or says what is wrong with it.
    pub(crate) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let mut parts = text.splitn(3, '.');
        let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let message = text.get(..header.len() + 1 + claims.len()).ok_or("invalid JSON")?;
        let signature = parts.next().unwrap_or_default();
        let header = json(header).ok_or("invalid JSON")?;
        let claims = json(claims).ok_or("invalid JSON")?;
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        let algorithm = algorithm.ok_or("invalid alg")?;
        if claims == Value::Bool(false) {
            return Err("invalid claims");
        }
        let signature = decode(signature).ok_or("invalid signature")?;
        Ok(Self { header, claims, algorithm, message, signature })
    }

    /// What the claims, or else the header, have under a name.
    pub(crate) fn key(&self, name: &str) -> Key<'_> {
        // In these nothing can be looked up at all.
        if matches!(self.claims, Value::Null | Value::Bool(_) | Value::Number(_)) {
            return Key::Other;
        }
        let given = |value: &&Value| **value != Value::Bool(false);
        let claim = self.claims.get(name).filter(given);
        match claim.or_else(|| self.header.get(name).filter(given)) {
            None => Key::Absent,
            Some(Value::String(key)) => Key::Text(key),
            Some(_) => Key::Other,
        }
    }
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&decode(part)?).ok()
}

/// Reads Base64 of either alphabet, with padding or without.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    if text.contains(['+', '/']) {
        return BASE64.decode(text.replace('+', "-").replace('/', "_")).ok();
    }
    BASE64.decode(text).ok()
}

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
