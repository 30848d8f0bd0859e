//! Public and private keys in PEM, and which belong together.

use std::fmt;

use aws_lc_rs::agreement::{self, Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, X25519};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::pem::Pem;

use super::PkiError;
use super::der::Reader;

/// A public key, comparable: two are equal when they are the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The encoded object identifier of the algorithm.
    algorithm: Vec<u8>,
    material: Material,
}

impl PublicKey {
    /// Whether both keys are for the same algorithm, for example RSA.
    #[must_use]
    pub fn same_type(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    Ec {
        curve: Vec<u8>,
        point: Vec<u8>,
    },
    /// What follows the algorithm is compared byte by byte.
    Other(Vec<u8>),
}

/// A private key and the public key that belongs to it.
pub struct PrivateKey {
    der: PrivateKeyDer<'static>,
    public_key: PublicKey,
}

impl PrivateKey {
    /// The key as a TLS stack takes it.
    #[must_use]
    pub fn into_der(self) -> PrivateKeyDer<'static> {
        self.der
    }

    /// The public key that belongs to it.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public_key", &self.public_key).finish_non_exhaustive()
    }
}

/// Reads the first private key of a PEM text: PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
/// When there is none, it is encrypted, malformed, or of an algorithm whose public key cannot be found out.
pub fn private_key(pem: &str) -> Result<PrivateKey, PkiError> {
    let der = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
        Ok(der) => der,
        Err(_) if pem.contains("ENCRYPTED") => return Err(PkiError::Encrypted),
        Err(rustls_pki_types::pem::Error::NoItemsFound) => {
            return Err(PkiError::Missing("private key"));
        }
        Err(error) => return Err(PkiError::Pem(error.to_string())),
    };
    let public_key = public_key_of_private(&der).ok_or(PkiError::Malformed("private key"))?;
    Ok(PrivateKey { der, public_key })
}

/// Reads the first public key of a PEM text: a `PUBLIC KEY` or an `RSA PUBLIC KEY`.
///
/// # Errors
/// When there is none or it is malformed.
pub fn public_key(pem: &str) -> Result<PublicKey, PkiError> {
    for section in Pem::iter_from_buffer(pem.as_bytes()) {
        let section = section.map_err(|error| PkiError::Pem(error.to_string()))?;
        let key = match section.label.as_str() {
            "PUBLIC KEY" => public_key_of_spki(&section.contents),
            "RSA PUBLIC KEY" => rsa(RSA, Reader::sequence_in(&section.contents)),
            _ => continue,
        };
        return key.ok_or(PkiError::Malformed("public key"));
    }
    Err(PkiError::Missing("public key"))
}

/// Reads a public key, or a private key of which it takes the public half.
///
/// # Errors
/// When the text has neither, or it is malformed.
pub fn any_public_key(pem: &str) -> Result<PublicKey, PkiError> {
    match private_key(pem) {
        Ok(private) => Ok(private.public_key),
        Err(PkiError::Missing(_)) => public_key(pem).map_err(|error| match error {
            PkiError::Missing(_) => PkiError::Missing("key"),
            other => other,
        }),
        Err(error) => Err(error),
    }
}

/// The key in a `SubjectPublicKeyInfo`.
pub(super) fn public_key_of_spki(der: &[u8]) -> Option<PublicKey> {
    let mut info = Reader::sequence_in(der)?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.oid()?;
    let bits = info.bits()?;
    if oid == RSA || oid == RSA_PSS {
        return rsa(oid, Reader::sequence_in(bits));
    }
    let material = if oid == EC {
        Material::Ec { curve: algorithm.oid()?.to_vec(), point: bits.to_vec() }
    } else {
        Material::Other(bits.to_vec())
    };
    Some(PublicKey { algorithm: oid.to_vec(), material })
}

fn public_key_of_private(der: &PrivateKeyDer<'_>) -> Option<PublicKey> {
    match der {
        PrivateKeyDer::Pkcs1(der) => rsa_of_private(RSA, der.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(der) => ec_of_private(None, der.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(der) => {
            let mut info = Reader::sequence_in(der.secret_pkcs8_der())?;
            info.integer()?;
            let mut algorithm = info.sequence()?;
            let oid = algorithm.oid()?;
            let inner = info.octets()?;
            if oid == RSA || oid == RSA_PSS {
                rsa_of_private(oid, inner)
            } else if oid == EC {
                ec_of_private(algorithm.oid(), inner)
            } else {
                edwards_of_private(oid, inner)
            }
        }
        _ => None,
    }
}

fn rsa(algorithm: &[u8], parts: Option<Reader<'_>>) -> Option<PublicKey> {
    let mut parts = parts?;
    Some(PublicKey {
        algorithm: algorithm.to_vec(),
        material: Material::Rsa { modulus: parts.integer()?.to_vec(), exponent: parts.integer()?.to_vec() },
    })
}

fn rsa_of_private(algorithm: &[u8], der: &[u8]) -> Option<PublicKey> {
    let mut parts = Reader::sequence_in(der)?;
    parts.integer()?;
    let public = rsa(algorithm, Some(parts))?;
    // The six private numbers after modulus and exponent.
    for _ in 0..8 {
        parts.integer()?;
    }
    Some(public)
}

fn ec_of_private(curve: Option<&[u8]>, der: &[u8]) -> Option<PublicKey> {
    let mut parts = Reader::sequence_in(der)?;
    parts.integer()?;
    let scalar = parts.octets()?;
    let mut rest = parts;
    let curve = match curve {
        Some(curve) => curve,
        None => rest.context(0)?.oid()?,
    };
    let point = match agreement_on(curve) {
        Some(algorithm) => public_of_scalar(algorithm, scalar)?,
        // A curve that we cannot compute on: the key must bring its public half.
        None => parts.context(1)?.bits()?.to_vec(),
    };
    Some(PublicKey { algorithm: EC.to_vec(), material: Material::Ec { curve: curve.to_vec(), point } })
}

fn edwards_of_private(oid: &[u8], der: &[u8]) -> Option<PublicKey> {
    let seed = Reader::whole(der).octets()?;
    let bits = if oid == ED25519 {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        pair.public_key().as_ref().to_vec()
    } else if oid == X25519_OID {
        public_of_scalar(&X25519, seed)?
    } else {
        return None;
    };
    Some(PublicKey { algorithm: oid.to_vec(), material: Material::Other(bits) })
}

pub(super) fn public_of_scalar(algorithm: &'static Algorithm, scalar: &[u8]) -> Option<Vec<u8>> {
    let private = agreement::PrivateKey::from_private_key(algorithm, scalar).ok()?;
    let public = private.compute_public_key().ok()?;
    Some(public.as_ref().to_vec())
}

fn agreement_on(curve: &[u8]) -> Option<&'static Algorithm> {
    match curve {
        P256 => Some(&ECDH_P256),
        P384 => Some(&ECDH_P384),
        P521 => Some(&ECDH_P521),
        _ => None,
    }
}

// Encoded object identifiers.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const X25519_OID: &[u8] = &[0x2b, 0x65, 0x6e];
