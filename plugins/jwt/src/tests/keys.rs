//! No token is good but those that were signed.

use super::*;

#[test]
fn a_token_that_another_secret_signed_is_refused() {
    let _gateway = gateway();
    let header = r#"{"alg":"HS256"}"#;
    let forged =
        signed(header, r#"{"iss":"ann-iss"}"#, |message| crypto::hmac(Hash::Sha256, "other", message));
    assert_bad(&json!({}), &forged, "Invalid signature");
    let (message, _) = forged.rsplit_once('.').unwrap();
    assert_bad(&json!({}), &format!("{message}."), "Invalid signature");
    let message = good();
    let (message, signature) = message.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let other = URL_SAFE_NO_PAD.encode(r#"{"iss":"ann-iss","admin":true}"#);
    assert_bad(&json!({}), &format!("{header}.{other}.{signature}"), "Invalid signature");
}

#[test]
fn each_algorithm_of_hmac_is_verified_and_no_other_taken_for_it() {
    let gateway = gateway();
    for (algorithm, hash) in [("HS256", Hash::Sha256), ("HS384", Hash::Sha384), ("HS512", Hash::Sha512)] {
        add_key(&gateway, algorithm, json!({ "secret": "s3cret", "algorithm": algorithm }));
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        let sign = |message: &str| crypto::hmac(hash, "s3cret", message);
        assert_good(&json!({}), &bearing(&signed(&header, &json!({ "iss": algorithm }).to_string(), sign)));
        if algorithm != "HS256" {
            assert_bad(&json!({}), &signed(&header, r#"{"iss":"ann-iss"}"#, sign), "Invalid algorithm");
        }
    }
}

#[test]
fn a_public_key_is_no_secret() {
    let gateway = gateway();
    add_key(&gateway, "rs", json!({ "secret": "s", "algorithm": "RS256", "rsa_public_key": RSA }));
    let confused =
        signed(r#"{"alg":"HS256"}"#, r#"{"iss":"rs"}"#, |message| crypto::hmac(Hash::Sha256, RSA, message));
    assert_bad(&json!({}), &confused, "Invalid algorithm");
    let mislabelled =
        signed(r#"{"alg":"RS256"}"#, r#"{"iss":"rs"}"#, |message| crypto::hmac(Hash::Sha256, RSA, message));
    assert_bad(&json!({}), &mislabelled, "Invalid signature");
}

#[test]
fn tokens_that_another_program_signed_are_good() {
    let gateway = gateway();
    for (key, algorithm, pem, token) in
        [("bob-rs5", "RS512", RSA, RS512), ("bob-es384", "ES384", P384, ES384)]
    {
        add_key(&gateway, key, json!({ "algorithm": algorithm, "rsa_public_key": pem }));
        assert_good(&json!({}), &bearing(token));
        let (message, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode([7; 96]));
        assert_bad(&json!({}), &forged, "Invalid signature");
    }
}

#[test]
fn a_credential_without_the_key_of_its_algorithm_is_of_no_use() {
    let gateway = gateway();
    add_key(&gateway, "es", json!({ "secret": "s", "algorithm": "ES256", "rsa_public_key": null }));
    assert_bad(&json!({}), &token(r#"{"alg":"ES256"}"#, r#"{"iss":"es"}"#), "Invalid key/secret");
    let config = json!({ "secret_is_base64": true });
    add_key(&gateway, "b64", json!({ "secret": "!", "algorithm": "HS256" }));
    assert_bad(&config, &with_claims(&json!({ "iss": "b64" })), "Invalid key/secret");
}

#[test]
fn a_secret_may_be_base64() {
    let gateway = gateway();
    add_key(&gateway, "b64", json!({ "secret": "-_8B", "algorithm": "HS256" }));
    let sign = |message: &str| crypto::hmac(Hash::Sha256, [0xfb, 0xff, 0x01], message);
    let token = signed(r#"{"alg":"HS256"}"#, r#"{"iss":"b64"}"#, sign);
    assert_good(&json!({ "secret_is_base64": true }), &bearing(&token));
    assert_bad(&json!({}), &token, "Invalid signature");
}

#[test]
fn a_key_that_is_changed_or_removed_is_so_at_once() {
    let gateway = gateway();
    let plugin: Jwt = configure(&json!({})).unwrap();
    let asked = || refusal_of(&plugin, &bearing(&good())).map(|(body, _)| body);
    assert_eq!((asked(), asked()), (None, None));
    add_key(&gateway, "ann-iss", json!({ "secret": "other", "algorithm": "HS256" }));
    assert_eq!(asked().unwrap(), r#"{"message":"Invalid signature"}"#);
    add_key(&gateway, "ann-iss", json!({ "secret": "s3cret", "algorithm": "HS256" }));
    assert_eq!(asked(), None);
    gateway.remove_row("jwt_secrets", "id of ann-iss");
    assert_eq!(asked().unwrap(), r#"{"message":"No credentials found for given 'iss'"}"#);
}

const RSA: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAua3PHYp7GMUYfycnM8O/
IgHYMz4esYGLIBNpE4bHn2TsTSCe9QMWHPKHwqtPmQQQGZHW+7IxyP+qLjcF2ZK5
w3tv6EnpDaW8T25V5xqYpgOLVSpqhAjECvJ8jVNbTIxwS0SbxUNSGFVJdeSnAJud
PerV0xtuvZ2EWJNJSN4TItILiuI5+bdBx2gv0B3MKOASyC0NiK9DP7Sfer3k8y+3
tTjWmhxYhakya7wwMmmzC4E+opj3DRNkpgILU+MWWDItodJWkU/Ex0A8rvqeBZrG
gNhEarlBidcoz0xsIyTznfimtimRnIcORBUuE10q4Dn3uigKzaALN4N5b2nupYBs
7QIDAQAB
-----END PUBLIC KEY-----";

const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEWGOp/WAtakJZ6eEQBGdl78JPnwrCCuYS
H9N/qPHU4S1+CkPItaxnt2jCKMfLPccM18DVqC1rg4ibYi0VAXlSjVJ9nJRaP7DN
3cIY5LaCzzosNZ1l5WClLfh/GJWe01oh
-----END PUBLIC KEY-----";

const RS512: &str = "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJSUzUxMiJ9.eyJpc3MiOiAiYm9iLXJzNSJ9.MJKSiz78vjrTy6NezvNoO8DtK5WseC9e_8\
     nWrt8kXdXskuzyEMk5rAHhYQd-DKeonMYUbvnrfTZr8O3wE3TrEDunZOOIwgKi_2KlNLcU49DWEt5aL3CcqO2JXLSeDktjUAaKoc\
     TSKp49Ml-gpdv2SxBgj0PK6dqePK_NyyaOsWO7u5CgbYwtRbYimvIVFnF0AaMm1LZeCipjsnTqJ9kSki8d5rCYaipWDeXZ16wgzJ\
     AxynPMWzI_Syjt6eki9B3yzmTtT71FcfYl-mmnw_RX-byGHhgR6-Xz_YA-3NScc_T-2DveVQXiIgBvYsJgrH42CwM7eTtVVTVSyN\
     IZa7oJUA";

const ES384: &str = "eyJ0eXAiOiAiSldUIiwgImFsZyI6ICJFUzM4NCJ9.eyJpc3MiOiAiYm9iLWVzMzg0In0.yxEu1ZFXAIS7HhjTvrgM_yoM3i9oDrX\
     bDX-L4roN0yxV6_uQpurqpKqUtU7dbXS6PeMvsz2hdAM36Aj8DHnOYiA4nKiH93MHk8TKQa4-weexKfy5vdhrmSqsrGTKpBVg";
