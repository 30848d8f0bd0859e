//! Reads the key of a configuration.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use moongate_sdk::Problem;
use moongate_sdk::crypto::Verifier;

use crate::config::{Algorithm, Config};

/// What checks signatures made with `algorithm` and the configured key.
pub(crate) fn verifier(config: &Config, algorithm: Algorithm) -> Result<Verifier, Problem> {
    let unfit = match algorithm {
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => {
            let verifier = Verifier::secret(algorithm.into(), secret(config)?);
            return verifier.map_err(|_| Problem::at("secret", "cannot be used"));
        }
        Algorithm::RS256 => {
            "must be an RSA public key of 2048 bits or more as PEM (`-----BEGIN PUBLIC KEY-----`)"
        }
        Algorithm::ES256 => {
            "must be an EC public key on the curve P-256 as PEM (`-----BEGIN PUBLIC KEY-----`)"
        }
    };
    let pem = config.public_key.as_deref().unwrap_or_default();
    let verifier = Verifier::public_key(algorithm.into(), pem).ok();
    let verifier = verifier.filter(|_| algorithm == Algorithm::ES256 || size(pem) > RSA_BYTES);
    verifier.ok_or_else(|| Problem::at("public_key", unfit))
}

/// How many bytes a PEM text encodes: an RSA key is a little longer than its modulus.
fn size(pem: &str) -> usize {
    let base64 = pem.lines().map(str::trim).filter(|line| !line.starts_with('-')).map(str::len);
    base64.sum::<usize>() / 4 * 3
}

fn secret(config: &Config) -> Result<Vec<u8>, Problem> {
    let text = config.secret.as_deref().unwrap_or_default();
    let secret = if config.secret_is_base64 {
        // The decoder's own words would quote the secret.
        STANDARD.decode(text).map_err(|_| {
            Problem::at(
                "secret",
                "must be Base64 with `+`, `/` and padding, or `secret_is_base64` be left out",
            )
        })?
    } else {
        text.as_bytes().to_vec()
    };
    if secret.starts_with(b"-----BEGIN ") {
        // Whoever knows a public key could sign with it as a secret.
        return Err(Problem::at("secret", "is a PEM file; a public key is set as `public_key`"));
    }
    Ok(secret)
}

/// The shortest modulus that RS256 may be used with (RFC 7518, section 3.3). Tokens of a shorter key would all be
/// refused.
const RSA_BYTES: usize = 2048 / 8;
