//! The certificates of one configuration, by the server names that they answer to.

use std::collections::HashMap;
use std::sync::Arc;

use moongate_model::{Certificate, Sni};
use rustls::server::ClientHello;
use rustls::sign::CertifiedKey;
use uuid::Uuid;

use super::identity::{IdentityError, TlsIdentity};

/// See the module's description.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    by_id: HashMap<Uuid, Arc<Choice>>,
    by_name: HashMap<Box<str>, Arc<Choice>>,
}

impl Certificates {
    /// Reads the certificates and gives them their names. A certificate that TLS cannot use is left out with a warning: it was
    /// accepted as an entity, and its clients see the default certificate.
    pub(crate) fn new<'e>(
        certificates: impl IntoIterator<Item = &'e Certificate>,
        snis: impl IntoIterator<Item = &'e Sni>,
    ) -> Self {
        let by_id: HashMap<_, _> = certificates
            .into_iter()
            .filter_map(|entity| {
                let alternative = entity.cert_alt.as_deref().zip(entity.key_alt.as_deref());
                let pairs = std::iter::once((entity.cert.as_str(), entity.key.as_str())).chain(alternative);
                let identities = pairs.filter_map(|(cert, key)| {
                    let warn = |error: &IdentityError| {
                        tracing::warn!(certificate = %entity.id, %error, "a certificate is not served");
                    };
                    TlsIdentity::from_pem(cert, key).inspect_err(warn).ok()
                });
                Some((entity.id, Arc::new(Choice::new(identities)?)))
            })
            .collect();
        let by_name = snis
            .into_iter()
            .filter_map(|sni| {
                let choice = by_id.get(&sni.certificate.id)?;
                Some((sni.name.to_ascii_lowercase().into(), Arc::clone(choice)))
            })
            .collect();
        Self { by_id, by_name }
    }

    /// The certificate entity with this id, if TLS can use it.
    pub(crate) fn identity(&self, id: Uuid) -> Option<&TlsIdentity> {
        self.by_id.get(&id)?.0.first()
    }

    /// What answers to a server name: the name's own certificate, then the one of a wildcard in place of the first label or of
    /// the last, then that of the name `*`.
    pub(super) fn find(&self, name: &str) -> Option<&Choice> {
        if self.by_name.is_empty() {
            return None;
        }
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let find = |name: &str| self.by_name.get(name).map(AsRef::as_ref);
        find(&name)
            .or_else(|| {
                let (_, rest) = name.split_once('.').filter(|(_, rest)| rest.contains('.'))?;
                find(&format!("*.{rest}"))
            })
            .or_else(|| {
                let (rest, _) = name.rsplit_once('.')?;
                find(&format!("{rest}.*"))
            })
            .or_else(|| find("*"))
    }
}

/// Certificates for the same names, of different kinds.
#[derive(Debug)]
pub(super) struct Choice(Vec<TlsIdentity>);

impl Choice {
    /// `None` without identities.
    pub(super) fn new(identities: impl IntoIterator<Item = TlsIdentity>) -> Option<Self> {
        let mut identities: Vec<_> = identities.into_iter().collect();
        // Whoever can use an elliptic curve is served faster by it.
        identities.sort_by_key(|identity| !identity.is_elliptic());
        (!identities.is_empty()).then_some(Self(identities))
    }

    /// The first one that suits the client.
    pub(super) fn choose(&self, hello: &ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identity = self.0.iter().find(|identity| identity.suits(hello))?;
        Some(Arc::clone(identity.certified_key()))
    }
}

#[cfg(test)]
mod tests {
    use moongate_model::Reference;

    use super::*;
    use crate::tls::self_signed;

    fn certificate(id: u128, cert: &str, key: &str) -> Certificate {
        Certificate {
            id: Uuid::from_u128(id),
            created_at: 0,
            updated_at: 0,
            cert: cert.to_owned(),
            key: key.to_owned(),
            cert_alt: None,
            key_alt: None,
            tags: None,
        }
    }

    fn sni(name: &str, certificate: u128) -> Sni {
        Sni {
            id: Uuid::from_u128(certificate),
            created_at: 0,
            updated_at: 0,
            name: name.to_owned(),
            certificate: Reference { id: Uuid::from_u128(certificate) },
            tags: None,
        }
    }

    fn certificates(names: &[&str]) -> (Certificates, Vec<String>) {
        let entities: Vec<_> = (0..names.len() as u128)
            .map(|at| {
                let (cert, key) = self_signed().unwrap();
                certificate(at, &cert, &key)
            })
            .collect();
        let snis: Vec<_> = names.iter().zip(0..).map(|(name, at)| sni(name, at)).collect();
        (Certificates::new(&entities, &snis), names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Which of `names` has the certificate that answers to `asked`.
    fn found(names: &[&str], asked: &str) -> Option<String> {
        let (certificates, names) = certificates(names);
        let choice: *const Choice = certificates.find(asked)?;
        let owner = |at: &u128| {
            certificates.by_id.get(&Uuid::from_u128(*at)).is_some_and(|own| std::ptr::eq(&**own, choice))
        };
        (0..names.len() as u128).find(owner).map(|at| names[at as usize].clone())
    }

    #[test]
    fn the_nearest_name_answers() {
        let all = ["*", "a.b.*", "*.b.c", "a.b.c"];
        for (at, expected) in all.iter().enumerate().rev() {
            assert_eq!(found(&all[..=at], "a.b.c").as_deref(), Some(*expected));
        }
        assert_eq!(found(&all, "A.B.C.").as_deref(), Some("a.b.c"));
        assert_eq!(found(&all, "localhost").as_deref(), Some("*"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label_and_not_before_a_single_one() {
        assert_eq!(found(&["*.b.c"], "x.a.b.c"), None);
        assert_eq!(found(&["*.c"], "b.c"), None);
        assert_eq!(found(&["b.*"], "b.c").as_deref(), Some("b.*"));
        assert_eq!(found(&["b.*"], "b.c.d"), None);
        assert_eq!(found(&["b.*"], "b"), None);
    }

    #[test]
    fn an_unusable_certificate_leaves_its_names_to_others() {
        let (cert, key) = self_signed().unwrap();
        let other = self_signed().unwrap().1;
        let broken = Certificates::new([&certificate(7, &cert, &other)], [&sni("a.test", 7)]);
        assert!(broken.find("a.test").is_none());
        let sound = Certificates::new([&certificate(7, &cert, &key)], [&sni("a.test", 7)]);
        assert!(sound.find("a.test").is_some());
        assert!(sound.identity(Uuid::from_u128(7)).is_some());
    }
}
