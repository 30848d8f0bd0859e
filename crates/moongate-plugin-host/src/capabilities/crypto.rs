//! Hashes, HMACs and signatures, made by aws-lc at the machine's own speed.

use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use wasmtime::Result;
use wasmtime::component::Resource;

use crate::bindings::crypto::{self, Algorithm, Hash};
use crate::state::GuestState;

/// Something to verify signatures with.
#[expect(unreachable_pub, reason = "named by generated code that is public within its module")]
pub enum Verifier {
    /// A shared secret.
    Secret(Box<hmac::Key>),
    /// A public key.
    Public(ParsedPublicKey),
}

impl Verifier {
    fn secret(algorithm: Algorithm, secret: &[u8]) -> std::result::Result<Self, String> {
        let algorithm = match algorithm {
            Algorithm::Hs256 => hmac::HMAC_SHA256,
            Algorithm::Hs384 => hmac::HMAC_SHA384,
            Algorithm::Hs512 => hmac::HMAC_SHA512,
            _ => return Err("takes a public key, not a secret".to_owned()),
        };
        Ok(Self::Secret(Box::new(hmac::Key::new(algorithm, secret))))
    }

    fn public_key(algorithm: Algorithm, pem: &str) -> std::result::Result<Self, String> {
        let key = public_key(pem)?;
        let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
            Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            Algorithm::Eddsa => &signature::ED25519,
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
                return Err("takes a secret, not a public key".to_owned());
            }
        };
        let unfit = |_| "is not a public key of the kind that the algorithm needs".to_owned();
        ParsedPublicKey::new(algorithm, key).map(Self::Public).map_err(unfit)
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}

/// The public key in a PEM text: the info of a key, or the bare key of RSA's own form.
fn public_key(pem: &str) -> std::result::Result<Vec<u8>, String> {
    if pem.contains("-----BEGIN CERTIFICATE-----") {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("is not a certificate in PEM: {error}"))?;
        let parsed = webpki::EndEntityCert::try_from(&certificate)
            .map_err(|error| format!("is not a certificate: {error}"))?;
        return Ok(parsed.subject_public_key_info().to_vec());
    }
    if pem.contains("-----BEGIN RSA PUBLIC KEY-----") {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        use base64::Engine as _;
        return base64::engine::general_purpose::STANDARD
            .decode(body)
            .map_err(|error| format!("is not a key in PEM: {error}"));
    }
    SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
        .map(|key| key.to_vec())
        .map_err(|error| format!("is not a public key in PEM: {error}"))
}

impl crypto::Host for GuestState {
    fn digest(&mut self, hash: Hash, data: Vec<u8>) -> Result<Vec<u8>> {
        let algorithm = match hash {
            Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => &digest::SHA256,
            Hash::Sha384 => &digest::SHA384,
            Hash::Sha512 => &digest::SHA512,
        };
        Ok(digest::digest(algorithm, &data).as_ref().to_vec())
    }

    fn hmac(&mut self, hash: Hash, key: Vec<u8>, data: Vec<u8>) -> Result<Vec<u8>> {
        let algorithm = match hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        Ok(hmac::sign(&hmac::Key::new(algorithm, &key), &data).as_ref().to_vec())
    }
}

impl crypto::HostVerifier for GuestState {
    fn secret(
        &mut self,
        algorithm: Algorithm,
        secret: Vec<u8>,
    ) -> Result<std::result::Result<Resource<Verifier>, String>> {
        self.keep(Verifier::secret(algorithm, &secret))
    }

    fn public_key(
        &mut self,
        algorithm: Algorithm,
        pem: String,
    ) -> Result<std::result::Result<Resource<Verifier>, String>> {
        self.keep(Verifier::public_key(algorithm, &pem))
    }

    fn verify(&mut self, verifier: Resource<Verifier>, message: Vec<u8>, signature: Vec<u8>) -> Result<bool> {
        Ok(self.table().get(&verifier)?.verify(&message, &signature))
    }

    fn drop(&mut self, verifier: Resource<Verifier>) -> Result<()> {
        self.table().delete(verifier)?;
        Ok(())
    }
}

impl GuestState {
    fn keep(
        &mut self,
        verifier: std::result::Result<Verifier, String>,
    ) -> Result<std::result::Result<Resource<Verifier>, String>> {
        Ok(match verifier {
            Ok(verifier) => Ok(self.table().push(verifier)?),
            Err(error) => Err(error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{EcdsaKeyPair, KeyPair as _};

    #[test]
    fn a_secret_verifies_what_was_signed_with_it_alone() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let signature = hmac::sign(&key, b"message");
        let verifier = Verifier::secret(Algorithm::Hs256, b"secret").unwrap();
        assert!(verifier.verify(b"message", signature.as_ref()));
        assert!(!verifier.verify(b"another", signature.as_ref()));
        assert!(
            !Verifier::secret(Algorithm::Hs256, b"other").unwrap().verify(b"message", signature.as_ref())
        );
        assert!(Verifier::secret(Algorithm::Rs256, b"secret").is_err());
    }

    #[test]
    fn a_public_key_in_pem_verifies_signatures_and_one_of_another_kind_is_refused() {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let signed = pair.sign(&SystemRandom::new(), b"message").unwrap();
        use aws_lc_rs::encoding::AsDer as _;
        use base64::Engine as _;
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
        let verifier = Verifier::public_key(Algorithm::Es256, &pem).unwrap();
        assert!(verifier.verify(b"message", signed.as_ref()));
        assert!(!verifier.verify(b"another", signed.as_ref()));
        for algorithm in [Algorithm::Rs256, Algorithm::Eddsa, Algorithm::Es384, Algorithm::Hs256] {
            assert!(Verifier::public_key(algorithm, &pem).is_err(), "{algorithm:?}");
        }
        assert!(Verifier::public_key(Algorithm::Es256, "no key").is_err());
    }
}
