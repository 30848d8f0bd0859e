//! Real cryptography, as the gateway does it.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use aws_lc_rs::{digest as digests, hmac as hmacs};
use x509_parser::pem::Pem;

use crate::crypto::{Algorithm, Hash};

pub(crate) fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => &digests::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digests::SHA256,
        Hash::Sha384 => &digests::SHA384,
        Hash::Sha512 => &digests::SHA512,
    };
    digests::digest(algorithm, data).as_ref().to_vec()
}

pub(crate) fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    let algorithm = match hash {
        Hash::Sha1 => hmacs::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => hmacs::HMAC_SHA256,
        Hash::Sha384 => hmacs::HMAC_SHA384,
        Hash::Sha512 => hmacs::HMAC_SHA512,
    };
    hmacs::sign(&hmacs::Key::new(algorithm, key), data).as_ref().to_vec()
}

pub(crate) enum Verifier {
    Secret(Box<hmacs::Key>),
    PublicKey(ParsedPublicKey),
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

impl Verifier {
    pub(crate) fn secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, String> {
        let algorithm = match algorithm {
            Algorithm::Hs256 => hmacs::HMAC_SHA256,
            Algorithm::Hs384 => hmacs::HMAC_SHA384,
            Algorithm::Hs512 => hmacs::HMAC_SHA512,
            other => return Err(format!("{} needs a public key, not a secret", other.name())),
        };
        Ok(Self::Secret(Box::new(hmacs::Key::new(algorithm, secret))))
    }

    pub(crate) fn public_key(algorithm: Algorithm, pem: &str) -> Result<Self, String> {
        let verification: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                return Err(format!("{} needs a secret, not a public key", algorithm.name()));
            }
            Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            Algorithm::EdDsa => &signature::ED25519,
        };
        let key = key_in(pem)?;
        let key = ParsedPublicKey::new(verification, key)
            .map_err(|error| format!("not a key for {}: {error}", algorithm.name()))?;
        Ok(Self::PublicKey(key))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(key) => hmacs::verify(key, message, signature).is_ok(),
            Self::PublicKey(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// The key in a PEM text, in DER.
fn key_in(pem: &str) -> Result<Vec<u8>, String> {
    let pem = Pem::iter_from_buffer(pem.as_bytes())
        .next()
        .and_then(Result::ok)
        .ok_or_else(|| "not a PEM text".to_owned())?;
    match pem.label.as_str() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(pem.contents),
        "CERTIFICATE" => {
            let certificate = pem.parse_x509().map_err(|error| format!("not a certificate: {error}"))?;
            Ok(certificate.public_key().raw.to_vec())
        }
        other => Err(format!("a PEM text with a {other} instead of a public key")),
    }
}
