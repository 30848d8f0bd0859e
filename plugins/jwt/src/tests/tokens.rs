//! What is said of tokens.

use super::*;

#[test]
fn a_token_that_cannot_be_read_is_bad() {
    let _gateway = gateway();
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let header = encode(r#"{"alg":"HS256"}"#);
    for (token, reason) in [
        ("x".to_owned(), "invalid JSON"),
        ("e2JhZA.e30.x".to_owned(), "invalid JSON"),
        (format!("{header}.bm90IGpzb24.eA"), "invalid JSON"),
        (header.clone(), "invalid JSON"),
        (format!("{}.e30.eA", encode(r#"{"alg":"none"}"#)), "invalid alg"),
        (format!("{}.e30.eA", encode(r#"{"alg":"HS257x"}"#)), "invalid alg"),
        (format!("{}.e30.eA", encode(r#"{"alg":5}"#)), "invalid alg"),
        (format!("{}.e30.eA", encode("{}")), "invalid alg"),
        (format!("{header}.{}.eA", encode("false")), "invalid claims"),
        (format!("{header}.e30.!"), "invalid signature"),
        (format!("{}.more", with_claims(&json!({ "iss": "ann-iss" }))), "invalid signature"),
    ] {
        assert_bad(&json!({}), &token, &format!("Bad token; {reason}"));
    }
}

#[test]
fn a_claim_names_the_credential_or_else_the_header_does() {
    let _gateway = gateway();
    let config = json!({ "key_claim_name": "kid" });
    assert_good(&config, &bearing(&with_claims(&json!({ "kid": "ann-iss" }))));
    let in_header = r#"{"alg":"HS256","kid":"ann-iss"}"#;
    assert_good(&config, &bearing(&token(in_header, "{}")));
    assert_bad(&config, &token(in_header, r#"{"kid":"other"}"#), "No credentials found for given 'kid'");
    assert_bad(&config, &good(), "No mandatory 'kid' in claims");
    for claims in ["[1]", r#""s""#] {
        assert_bad(&json!({}), &token(r#"{"alg":"HS256"}"#, claims), "No mandatory 'iss' in claims");
    }
    assert_bad(&json!({}), &with_claims(&json!({ "iss": "" })), "Invalid 'iss' in claims");
    assert_bad(&json!({}), &with_claims(&json!({ "iss": "bob" })), "No credentials found for given 'iss'");
    let odd = refusal(&json!({}), &bearing(&with_claims(&json!({ "iss": 5 })))).unwrap();
    assert_eq!(odd, ("An unexpected error occurred".into(), "500".into()));
}

#[test]
fn times_are_looked_at_where_the_operator_says_so() {
    let _gateway = gateway();
    let expired = with_claims(&json!({ "iss": "ann-iss", "exp": NOW }));
    assert_good(&json!({}), &bearing(&expired));
    let said = |config: Value, claims: Value| {
        let mut claims = claims;
        claims["iss"] = json!("ann-iss");
        refusal(&config, &bearing(&with_claims(&claims))).map(|(body, challenge)| {
            assert_eq!(challenge, "Bearer error=\"invalid_token\"");
            body
        })
    };
    let exp = || json!({ "claims_to_verify": ["exp"] });
    assert_eq!(said(exp(), json!({ "exp": NOW })).unwrap(), r#"{"exp":"token expired"}"#);
    assert_eq!(said(exp(), json!({ "exp": NOW + 1 })), None);
    assert_eq!(said(exp(), json!({ "exp": "4102444800" })).unwrap(), r#"{"exp":"must be a number"}"#);
    assert_eq!(said(exp(), json!({})).unwrap(), r#"{"exp":"must be a number"}"#);
    let both = || json!({ "claims_to_verify": ["nbf", "exp"] });
    assert_eq!(said(both(), json!({ "exp": NOW + 1, "nbf": NOW })), None);
    let body = said(both(), json!({ "exp": NOW, "nbf": NOW + 1 })).unwrap();
    assert_eq!(body, r#"{"exp":"token expired","nbf":"token not valid yet"}"#);
    let soon = || json!({ "claims_to_verify": ["exp"], "maximum_expiration": 60 });
    assert_eq!(said(soon(), json!({ "exp": NOW + 60 })), None);
    let body = said(soon(), json!({ "exp": NOW + 61 })).unwrap();
    assert_eq!(body, r#"{"exp":"exceeds maximum allowed expiration"}"#);
}

#[test]
fn a_token_whose_consumer_is_gone_lets_nobody_in() {
    let gateway = Gateway::of::<Jwt>();
    add_key(&gateway, "ann-iss", json!({ "secret": "s3cret", "algorithm": "HS256" }));
    let refused = refusal(&json!({}), &bearing(&good())).unwrap();
    assert_eq!(refused, (r#"{"message":"Could not find consumer for 'iss=ann-iss'"}"#.into(), String::new()));
}
