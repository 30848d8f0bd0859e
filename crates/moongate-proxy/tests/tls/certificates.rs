//! Certificates of authorities, servers and clients.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    SignatureAlgorithm,
};

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

/// Whoever signs certificates.
pub struct Authority {
    pub cert: String,
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let (params, key) = Self::prepare(name);
        Self { cert: params.self_signed(&key).unwrap().pem(), params, key }
    }

    /// An authority below this one.
    pub fn below(&self, name: &str) -> Self {
        let (params, key) = Self::prepare(name);
        Self { cert: params.signed_by(&key, &self.issuer()).unwrap().pem(), params, key }
    }

    pub fn issue(&self, names: &[&str]) -> Pair {
        self.issue_for(&PKCS_ECDSA_P256_SHA256, names)
    }

    pub fn issue_for(&self, algorithm: &'static SignatureAlgorithm, names: &[&str]) -> Pair {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = params(names);
        if let Some(name) = names.first() {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        let cert = params.signed_by(&key, &self.issuer()).unwrap();
        Pair { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// Without alternative names.
    pub fn issue_by_common_name(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[]);
        params.distinguished_name.push(DnType::CommonName, name);
        Pair { cert: params.signed_by(&key, &self.issuer()).unwrap().pem(), key: key.serialize_pem() }
    }

    fn prepare(name: &str) -> (CertificateParams, KeyPair) {
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }
}

/// A certificate that signs itself.
pub fn self_signed(names: &[&str]) -> Pair {
    let key = KeyPair::generate().unwrap();
    Pair { cert: params(names).self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}
