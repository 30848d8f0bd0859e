//! Keys and certificates that rcgen makes, and the forms it cannot make from files that openssl made.

use rcgen::{
    BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm, date_time_ymd,
};

use super::*;

struct Pair {
    cert: String,
    key: String,
    public: String,
}

fn pair(algorithm: &'static SignatureAlgorithm) -> Pair {
    signed(algorithm, CertificateParams::new(vec!["a.test".to_owned()]).unwrap())
}

fn signed(algorithm: &'static SignatureAlgorithm, params: CertificateParams) -> Pair {
    let key = KeyPair::generate_for(algorithm).unwrap();
    Pair {
        cert: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
        public: key.public_key_pem(),
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2030, 1, 1);
    params
}

#[test]
fn a_key_belongs_to_its_certificate_and_to_no_other() {
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519, &PKCS_RSA_SHA256] {
        let (one, other) = (pair(algorithm), pair(algorithm));
        assert_eq!(check_certificate(&one.cert), Ok(()));
        assert_eq!(check_key(&one.key), Ok(()));
        assert_eq!(check_certificate_pairs((&one.cert, &one.key), None), Ok(()));
        assert_eq!(
            check_certificate_pairs((&one.cert, &other.key), None),
            Err("certificate does not match key"),
            "{algorithm:?}"
        );
    }
}

#[test]
fn an_alternative_pair_matches_its_key_and_differs_in_type() {
    let (ec, rsa) = (pair(&PKCS_ECDSA_P256_SHA256), pair(&PKCS_RSA_SHA256));
    let other_ec = pair(&PKCS_ECDSA_P384_SHA384);
    let check = |alternative| check_certificate_pairs((&ec.cert, &ec.key), Some(alternative));
    assert_eq!(check((&rsa.cert, &rsa.key)), Ok(()));
    assert_eq!(check((&rsa.cert, &ec.key)), Err("alternative certificate does not match key"));
    assert_eq!(
        check((&other_ec.cert, &other_ec.key)),
        Err(
            "certificate and alternative certificate need to have different type (e.g. RSA and ECDSA), the provided \
             certificates were both of the same type"
        )
    );
}

#[test]
fn only_the_first_certificate_of_a_chain_has_to_match_the_key() {
    let (leaf, issuer) = (pair(&PKCS_ECDSA_P256_SHA256), pair(&PKCS_RSA_SHA256));
    let chain = format!("{}{}", leaf.cert, issuer.cert);
    assert_eq!(certificate_chain(&chain).unwrap().len(), 2);
    assert_eq!(check_certificate_pairs((&chain, &leaf.key), None), Ok(()));
    let reversed = format!("{}{}", issuer.cert, leaf.cert);
    assert!(check_certificate_pairs((&reversed, &leaf.key), None).is_err());
}

#[test]
fn unreadable_texts_are_named_by_their_fields_and_pass_the_entity_checks() {
    let good = pair(&PKCS_ECDSA_P256_SHA256);
    let cut = good.cert.replace("-----END CERTIFICATE-----", "");
    let short = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    for bad in ["", "x", &good.key, &cut, short] {
        let error = check_certificate(bad).unwrap_err();
        assert!(error.starts_with("invalid certificate: "), "{error}");
        assert_eq!(check_certificate_pairs((bad, &good.key), None), Ok(()));
        assert_eq!(check_ca_certificate(bad, 0), Ok(()));
        assert_eq!(certificate_digest(bad), None);
    }
    for bad in ["", "y", &good.cert, &good.public] {
        let error = check_key(bad).unwrap_err();
        assert!(error.starts_with("invalid key: "), "{error}");
        assert_eq!(check_certificate_pairs((&good.cert, bad), None), Ok(()));
    }
}

#[test]
fn references_are_not_looked_into() {
    let reference = "{vault://env/cert}";
    assert_eq!(check_certificate(reference), Ok(()));
    assert_eq!(check_key(reference), Ok(()));
    assert_eq!(check_certificate_pairs((reference, reference), None), Ok(()));
    assert_eq!(check_jwk(reference, Some("a")), Ok(()));
    assert_eq!(check_key_pair(Some(reference), None), Ok(()));
}

#[test]
fn an_authority_is_one_certificate_that_is_valid_and_may_sign() {
    let before = 1_893_455_999;
    let ca = signed(&PKCS_ECDSA_P256_SHA256, authority());
    assert_eq!(check_ca_certificate(&ca.cert, before), Ok(()));
    assert_eq!(
        check_ca_certificate(&ca.cert, before + 2),
        Err("certificate expired, \"Not After\" time is in the past")
    );
    let missing = "certificate does not appear to be a CA because it is missing the \"CA\" basic constraint";
    let leaf = pair(&PKCS_ECDSA_P256_SHA256);
    assert_eq!(check_ca_certificate(&leaf.cert, before), Err(missing));
    let mut explicit = authority();
    explicit.is_ca = IsCa::ExplicitNoCa;
    let explicit = signed(&PKCS_ECDSA_P256_SHA256, explicit);
    assert_eq!(check_ca_certificate(&explicit.cert, before), Err(missing));
    assert_eq!(
        check_ca_certificate(&format!("{}{}", leaf.cert, ca.cert), before),
        Err("please submit only one certificate at a time")
    );
}

#[test]
fn the_digest_is_sha_256_of_the_der_form() {
    let cert = include_str!("fixtures/authority.pem");
    assert_eq!(certificate_digest(cert).unwrap(), include_str!("fixtures/authority.sha256").trim());
}

#[test]
fn private_keys_are_read_in_every_usual_form() {
    for (private, public) in [
        (include_str!("fixtures/sec1.pem"), include_str!("fixtures/sec1.pub.pem")),
        (include_str!("fixtures/sec1-without-public.pem"), include_str!("fixtures/sec1.pub.pem")),
        (include_str!("fixtures/rsa-1024.pem"), include_str!("fixtures/rsa-1024.pub.pem")),
        (include_str!("fixtures/rsa-1024.pem"), include_str!("fixtures/rsa-1024.pkcs1.pub.pem")),
        (include_str!("fixtures/secp256k1.pem"), include_str!("fixtures/secp256k1.pub.pem")),
        (include_str!("fixtures/ed25519.pem"), include_str!("fixtures/ed25519.pub.pem")),
    ] {
        assert_eq!(check_key_pair(Some(public), Some(private)), Ok(()), "{private}");
    }
}

#[test]
fn an_encrypted_key_is_refused_as_such() {
    for key in
        [include_str!("fixtures/encrypted-pkcs8.pem"), include_str!("fixtures/encrypted-traditional.pem")]
    {
        assert_eq!(check_key(key), Err("invalid key: the private key is encrypted".to_owned()));
    }
}

#[test]
fn the_halves_of_a_key_are_read_alone_or_compared() {
    let (one, other) = (pair(&PKCS_RSA_SHA256), pair(&PKCS_RSA_SHA256));
    assert_eq!(check_key_pair(Some(&one.public), Some(&one.key)), Ok(()));
    assert_eq!(check_key_pair(Some(&one.public), None), Ok(()));
    assert_eq!(check_key_pair(None, Some(&one.key)), Ok(()));
    assert_eq!(
        check_key_pair(Some(&other.public), Some(&one.key)),
        Err("public key does not match private key".to_owned())
    );
    assert_eq!(check_key_pair(Some("x"), Some(&one.key)), Err("could not load public key".to_owned()));
    assert_eq!(check_key_pair(Some(&one.key), None), Err("could not load public key".to_owned()));
    let error = check_key_pair(Some(&one.public), Some("x")).unwrap_err();
    assert!(error.starts_with("could not load private key"), "{error}");
}

#[test]
fn a_key_that_verifies_may_be_given_as_either_half() {
    let pair = pair(&PKCS_ECDSA_P256_SHA256);
    assert_eq!(check_public_key(&pair.public), Ok(()));
    assert_eq!(check_public_key(&pair.key), Ok(()));
    assert_eq!(check_public_key(include_str!("fixtures/rsa-1024.pkcs1.pub.pem")), Ok(()));
    assert_eq!(check_public_key(&pair.cert), Err("invalid key"));
    assert_eq!(check_public_key("x"), Err("invalid key"));
}

#[test]
fn a_jwk_is_json_with_its_kid_and_a_key_that_loads() {
    let rsa = r#"{"kid":"a","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZpt","e":"AQAB"}"#;
    assert_eq!(check_jwk(rsa, Some("a")), Ok(()));
    assert_eq!(check_jwk("x", Some("a")), Err("could not json decode jwk string"));
    let other = "kid in jwk.kid must be equal to keys.kid";
    assert_eq!(check_jwk(rsa, Some("b")), Err(other));
    assert_eq!(check_jwk(r#"{"kty":"RSA"}"#, Some("a")), Err(other));
    assert_eq!(check_jwk("[]", Some("a")), Err(other));
}

#[test]
fn a_jwk_of_each_kind_needs_its_own_members() {
    let unloadable = Err("could not load JWK, likely not a valid key");
    let check = |members: &str| check_jwk(&format!(r#"{{"kid":"a",{members}}}"#), Some("a"));
    // The point of RFC 7517, appendix A.1.
    let x = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    let y = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
    let ec =
        |curve: &str, x: &str, y: &str| check(&format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#));
    assert_eq!(ec("P-256", x, y), Ok(()));
    assert_eq!(ec("P-256", y, x), unloadable);
    assert_eq!(ec("P-384", x, y), unloadable);
    assert_eq!(ec("P-257", x, y), unloadable);
    assert_eq!(check(&format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#)), Ok(()));
    assert_eq!(check(r#""kty":"OKP","crv":"Ed25519","x":"AQAB""#), unloadable);
    assert_eq!(check(r#""kty":"OKP","crv":"Ed25519""#), unloadable);
    assert_eq!(check(r#""kty":"RSA","n":"AQAB""#), unloadable);
    assert_eq!(check(r#""kty":"RSA","n":"!","e":"AQAB""#), unloadable);
    assert_eq!(check(r#""kty":"RSA","n":"AQAB","e":"AQAB","d":5"#), unloadable);
    assert_eq!(check(r#""kty":"oct","k":"AQAB""#), unloadable);
    assert_eq!(check(r#""k":"AQAB""#), unloadable);
}
