//! Cipher suites by the names that operators know.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite as suite};
use rustls::{ProtocolVersion, SupportedCipherSuite};

/// Cipher suites, the preferred one first.
#[derive(Debug, Clone, PartialEq)]
pub struct CipherSuites(Vec<SupportedCipherSuite>);

/// Why a list of cipher suites cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CipherError {
    /// None of the names is a suite that the gateway speaks.
    #[error("none of the cipher suites is supported; supported are {}", names().join(", "))]
    NoneSupported,
}

impl CipherSuites {
    /// Only the suites of TLS 1.3.
    pub fn modern() -> Self {
        Self::filtered(|suite| suite.version().version == ProtocolVersion::TLSv1_3)
    }

    /// All suites with forward secrecy and authenticated encryption, which are all that there are.
    pub fn intermediate() -> Self {
        Self::filtered(|_| true)
    }

    /// Those of them which use AES.
    pub fn fips() -> Self {
        Self::filtered(|suite| {
            suite != suite::TLS13_CHACHA20_POLY1305_SHA256
                && suite != suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
                && suite != suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
        })
    }

    /// Suites by OpenSSL's names, separated by colons, and the names among them that are not supported. The suites of
    /// TLS 1.3, which such lists leave out, are added unless some are named.
    ///
    /// # Errors
    /// When no name is supported.
    pub fn named(list: &str) -> Result<(Self, Vec<String>), CipherError> {
        let mut chosen = Vec::new();
        let mut unknown = Vec::new();
        for name in list.split([':', ',', ' ']).filter(|name| !name.is_empty()) {
            match SUITES.iter().find(|(known, _)| *known == name) {
                Some((_, suite)) => chosen.push(*suite),
                None => unknown.push(name.to_owned()),
            }
        }
        if chosen.is_empty() {
            return Err(CipherError::NoneSupported);
        }
        if !chosen.iter().any(is_tls13) {
            chosen.splice(0..0, Self::modern().0);
        }
        Ok((Self(chosen), unknown))
    }

    /// The provider of cryptography with just these suites.
    pub(super) fn provider(&self) -> Arc<CryptoProvider> {
        Arc::new(CryptoProvider { cipher_suites: self.0.clone(), ..aws_lc_rs::default_provider() })
    }

    fn filtered(keep: impl Fn(SupportedCipherSuite) -> bool) -> Self {
        Self(SUITES.iter().map(|(_, suite)| *suite).filter(|suite| keep(*suite)).collect())
    }
}

fn is_tls13(suite: &SupportedCipherSuite) -> bool {
    suite.tls13().is_some()
}

fn names() -> Vec<&'static str> {
    SUITES.iter().map(|(name, _)| *name).collect()
}

/// Every suite, by OpenSSL's name.
const SUITES: [(&str, SupportedCipherSuite); 9] = [
    ("TLS_AES_128_GCM_SHA256", suite::TLS13_AES_128_GCM_SHA256),
    ("TLS_AES_256_GCM_SHA384", suite::TLS13_AES_256_GCM_SHA384),
    ("TLS_CHACHA20_POLY1305_SHA256", suite::TLS13_CHACHA20_POLY1305_SHA256),
    ("ECDHE-ECDSA-AES128-GCM-SHA256", suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-RSA-AES128-GCM-SHA256", suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-RSA-AES256-GCM-SHA384", suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256),
    ("ECDHE-RSA-CHACHA20-POLY1305", suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_suites_keep_their_order_and_those_of_tls_1_3_are_added() {
        let (suites, unknown) =
            CipherSuites::named("ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256")
                .unwrap();
        let mut expected = CipherSuites::modern().0;
        expected.push(suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384);
        expected.push(suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256);
        assert_eq!(suites.0, expected);
        assert_eq!(unknown, ["DHE-RSA-AES128-SHA"]);

        let (suites, _) = CipherSuites::named("TLS_AES_256_GCM_SHA384").unwrap();
        assert_eq!(suites.0, [suite::TLS13_AES_256_GCM_SHA384]);
    }

    #[test]
    fn a_list_without_a_supported_suite_is_refused() {
        assert_eq!(CipherSuites::named("AES128-SHA"), Err(CipherError::NoneSupported));
        assert_eq!(CipherSuites::named(""), Err(CipherError::NoneSupported));
    }

    #[test]
    fn the_presets_differ_in_what_they_leave_out() {
        assert_eq!(CipherSuites::intermediate().0.len(), 9);
        assert_eq!(CipherSuites::modern().0.len(), 3);
        assert_eq!(CipherSuites::fips().0.len(), 6);
    }
}
