//! Tokens for the jwt-claims plugin.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A token that the secret signs with HS256.
pub(crate) fn signed(secret: &str, claims: &Value) -> Result<String> {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).context("the secret cannot be a key")?;
    mac.update(message.as_bytes());
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}

/// Claims of a user; `lifetime` is in seconds from now and may be negative.
pub(crate) fn claims(username: &str, lifetime: i64) -> Result<Value> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?.as_secs();
    let now = i64::try_from(now).context("the clock is too far in the future")?;
    Ok(json!({ "username": username, "exp": now.saturating_add(lifetime) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_openssl_signs() {
        // printf '%s' "$HEADER.$PAYLOAD" | openssl dgst -sha256 -hmac moongate-demo-secret -binary | basenc --base64url
        let token = signed("moongate-demo-secret", &json!({ "exp": 1, "username": "Ada" })).unwrap();
        assert_eq!(
            token,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjEsInVzZXJuYW1lIjoiQWRhIn0.HHVgM53kcBSELIK8J4BEAo1I35QdqP77fNCNbWYKYxE"
        );
    }

    #[test]
    fn a_negative_lifetime_is_over() {
        let exp = |lifetime| claims("Ada", lifetime).unwrap().get("exp").and_then(Value::as_i64).unwrap();
        assert!(exp(60) - exp(-60) >= 119);
    }
}
