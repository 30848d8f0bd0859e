//! Reads the key of a configuration.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::JwtVerifier;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use moongate_sdk::Problem;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::config::{Algorithm, Config};

/// What checks signatures made with `algorithm` and the configured key.
pub(crate) fn verifier(config: &Config, algorithm: Algorithm) -> Result<Box<dyn JwtVerifier>, Problem> {
    let unfit = || match algorithm {
        Algorithm::RS256 => Problem::at(
            "public_key",
            "must be an RSA public key of 2048 to 4096 bits as PEM (`-----BEGIN PUBLIC KEY-----`)",
        ),
        Algorithm::ES256 => Problem::at(
            "public_key",
            "must be an EC public key on the curve P-256 as PEM (`-----BEGIN PUBLIC KEY-----`)",
        ),
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => Problem::at("secret", "cannot be used"),
    };
    let pem = config.public_key.as_deref().unwrap_or_default();
    let key = match algorithm {
        Algorithm::RS256 => rsa(pem).ok_or_else(unfit)?,
        Algorithm::ES256 => ec(pem).ok_or_else(unfit)?,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512 => secret(config)?,
    };
    (DEFAULT_PROVIDER.verifier_factory)(&algorithm.into(), &key).map_err(|_| unfit())
}

fn secret(config: &Config) -> Result<DecodingKey, Problem> {
    let text = config.secret.as_deref().unwrap_or_default();
    let decoded;
    let secret = if config.secret_is_base64 {
        // The decoder's own words would quote the secret.
        decoded = STANDARD.decode(text).map_err(|_| {
            Problem::at(
                "secret",
                "must be Base64 with `+`, `/` and padding, or `secret_is_base64` be left out",
            )
        })?;
        &decoded
    } else {
        text.as_bytes()
    };
    if secret.starts_with(b"-----BEGIN ") {
        // Whoever knows a public key could sign with it as a secret.
        return Err(Problem::at("secret", "is a PEM file; a public key is set as `public_key`"));
    }
    Ok(DecodingKey::from_secret(secret))
}

/// Checks the whole key at once: jsonwebtoken would do so at every token, and refuse each.
fn rsa(text: &str) -> Option<DecodingKey> {
    let pem = pem::parse(text).ok()?;
    let pkcs1 = match pem.tag() {
        "RSA PUBLIC KEY" => pem.contents(),
        "PUBLIC KEY" => {
            let info = SubjectPublicKeyInfoRef::try_from(pem.contents()).ok()?;
            info.algorithm.assert_algorithm_oid(RSA).ok()?;
            info.subject_public_key.as_bytes()?
        }
        _ => return None,
    };
    let (modulus, exponent) = (DEFAULT_PROVIDER.key_utils.rsa_pub_components_from_public_key)(pkcs1).ok()?;
    let long = modulus.len() > RSA_BYTES || (modulus.len() == RSA_BYTES && *modulus.first()? >= 0x80);
    long.then(|| DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn ec(text: &str) -> Option<DecodingKey> {
    let pem = pem::parse(text).ok().filter(|pem| pem.tag() == "PUBLIC KEY")?;
    let info = SubjectPublicKeyInfoRef::try_from(pem.contents()).ok()?;
    info.algorithm.assert_oids(EC, P256).ok()?;
    Some(DecodingKey::from_ec_der(info.subject_public_key.as_bytes()?))
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// The shortest modulus that RS256 may be used with (RFC 7518, section 3.3).
const RSA_BYTES: usize = 2048 / 8;
