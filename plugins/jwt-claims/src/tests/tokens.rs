//! Which tokens are good, and what is said of the others.

use std::time::Duration;

use moongate_sdk::testing::Gateway;

use super::*;

#[test]
fn a_request_without_an_authorization_header_has_no_token() {
    let reply = reply(&hs256(), &RawRequest::get("/")).unwrap();
    assert_eq!(reply.status, 401);
    assert_eq!(reply.body, b"JwtError: no bearer token");
    assert!(reply.headers.contains(&("www-authenticate".into(), b"Bearer".to_vec())));
    assert!(reply.headers.contains(&("content-type".into(), b"text/plain; charset=utf-8".to_vec())));
}

#[test]
fn another_scheme_is_no_token() {
    for header in ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer   ", "Bearerx", "", "Bear"] {
        let request = RawRequest::get("/").with_header("authorization", header);
        assert_eq!(reply(&hs256(), &request).unwrap().body, b"JwtError: no bearer token", "{header}");
    }
    let request = RawRequest::get("/").with_header("authorization", good("alice"));
    assert_eq!(reply(&hs256(), &request).unwrap().body, b"JwtError: no bearer token");
}

#[test]
fn the_scheme_may_have_any_case_of_letters_and_space_around_the_token() {
    for scheme in ["bearer", "BEARER", "Bearer  ", "bEaReR"] {
        let request =
            RawRequest::get("/").with_header("authorization", format!("{scheme} {} ", good("alice")));
        assert_eq!(reply(&hs256(), &request), None, "{scheme}");
    }
}

#[test]
fn a_token_with_a_wrong_number_of_parts_is_malformed() {
    let good = good("alice");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let wrong = ["a", "a.b", ".", "..", "...", "a.b.c.d", message];
    for token in
        wrong.into_iter().map(str::to_owned).chain([format!("{good}.{signature}"), format!(".{good}")])
    {
        assert_eq!(verdict(&hs256(), &token), "malformed token", "{token}");
    }
}

#[test]
fn a_header_that_is_no_base64_or_no_json_object_is_malformed() {
    let good = good("alice");
    let (_, rest) = good.split_once('.').unwrap();
    for header in ["", "!", "====", "e30=", "\u{e9}", "bm8tanNvbg"] {
        assert_eq!(verdict(&hs256(), &format!("{header}.{rest}")), "malformed token", "{header}");
    }
    for header in
        ["{}", "[]", "null", r#"{"alg":5}"#, r#"{"alg":null}"#, r#"{"alg":"HS256"}x"#, r#"{"alg":"HS256""#]
    {
        let token = token(header, "{}", Algorithm::HS256, &secret());
        assert_eq!(verdict(&hs256(), &token), "malformed token", "{header}");
    }
}

#[test]
fn a_header_that_names_two_algorithms_is_malformed() {
    let token = token(r#"{"alg":"HS256","alg":"none"}"#, "{}", Algorithm::HS256, &secret());
    assert_eq!(verdict(&hs256(), &token), "malformed token");
}

#[test]
fn a_signature_that_is_no_base64_is_malformed() {
    let good = good("alice");
    let (message, signature) = good.rsplit_once('.').unwrap();
    for signature in
        [format!("{signature}="), format!("{signature}!"), signature.replacen(|_| true, "+", 1), "a".into()]
    {
        assert_eq!(verdict(&hs256(), &format!("{message}.{signature}")), "malformed token", "{signature}");
    }
}

#[test]
fn a_signed_payload_that_is_no_object_of_claims_is_malformed() {
    let deep = format!(r#"{{"sub":{}{},"exp":4102444800}}"#, "[".repeat(100_000), "]".repeat(99_999));
    for payload in ["", "5", "[]", "null", "{", "{}{}", r#"{"exp":4102444800,}"#, "{'exp':1}", "\u{1}", &deep]
    {
        assert_eq!(verdict(&hs256(), &with_payload(payload)), "malformed token", "{payload:.80}");
    }
    let not_utf8 = {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), {
            URL_SAFE_NO_PAD.encode(b"{\"exp\":4102444800,\"sub\":\"\xff\"}")
        });
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret(), Algorithm::HS256).unwrap();
        format!("{message}.{signature}")
    };
    assert_eq!(verdict(&hs256(), &not_utf8), "malformed token");
}

#[test]
fn a_payload_that_is_signed_but_no_base64_is_malformed() {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    for payload in ["!", "e30=", "e31", ""] {
        let message = format!("{header}.{payload}");
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret(), Algorithm::HS256).unwrap();
        assert_eq!(verdict(&hs256(), &format!("{message}.{signature}")), "malformed token", "{payload}");
    }
}

#[test]
fn a_claim_that_is_there_twice_is_malformed() {
    for payload in [
        r#"{"exp":4102444800,"exp":4102444800}"#,
        r#"{"exp":1,"exp":4102444800}"#,
        r#"{"exp":4102444800,"\u0065xp":4102444801}"#,
        r#"{"exp":4102444800,"nbf":0,"nbf":0}"#,
        r#"{"exp":4102444800,"sub":"alice","sub":"bob"}"#,
        r#"{"exp":4102444800,"sub":null,"sub":"bob"}"#,
    ] {
        assert_eq!(verdict(&hs256(), &with_payload(payload)), "malformed token", "{payload}");
    }
}

#[test]
fn a_time_that_is_no_number_is_malformed() {
    for time in [
        r#""4102444800""#,
        "null",
        "true",
        "[]",
        "{}",
        "NaN",
        "Infinity",
        "-",
        "1e400",
        "-1e400",
        "0x10",
        "01",
    ] {
        for payload in [format!(r#"{{"exp":{time}}}"#), format!(r#"{{"exp":4102444800,"nbf":{time}}}"#)] {
            assert_eq!(verdict(&hs256(), &with_payload(&payload)), "malformed token", "{payload}");
        }
    }
}

#[test]
fn times_may_have_fractions_and_any_size() {
    for payload in [
        r#"{"exp":4102444800.5,"nbf":0.25}"#,
        r#"{"exp":4.1024448e9,"nbf":-1e308}"#,
        r#"{"exp":99999999999999999999999999,"nbf":-99999999999999999999}"#,
    ] {
        assert_eq!(verdict(&hs256(), &with_payload(payload)), "", "{payload}");
    }
    for exp in ["0", "-1", "-0.0", "1e-300", "-1e308"] {
        assert_eq!(
            verdict(&hs256(), &with_payload(&format!(r#"{{"exp":{exp}}}"#))),
            "token expired",
            "{exp}"
        );
    }
    assert_eq!(verdict(&hs256(), &with_payload(r#"{"exp":1e308,"nbf":1e307}"#)), "token not valid yet");
}

#[test]
fn a_signature_by_another_secret_is_bad() {
    let token = token(
        r#"{"alg":"HS256"}"#,
        r#"{"exp":4102444800}"#,
        Algorithm::HS256,
        &EncodingKey::from_secret(b"another secret"),
    );
    assert_eq!(verdict(&hs256(), &token), "bad signature");
    let reply = reply(&hs256(), &bearing(&token)).unwrap();
    assert!(reply.headers.contains(&("www-authenticate".into(), b"Bearer error=\"invalid_token\"".to_vec())));
}

#[test]
fn a_signature_that_is_empty_or_cut_is_bad() {
    let good = good("alice");
    let (message, signature) = good.rsplit_once('.').unwrap();
    assert_eq!(verdict(&hs256(), &format!("{message}.")), "bad signature");
    assert_eq!(verdict(&hs256(), &format!("{message}.{}", &signature[..40])), "bad signature");
}

#[test]
fn expiry_counts_to_the_second_and_leeway_delays_it() {
    let expired = |by: i64| signed(&json!({ "exp": now() - by }));
    assert_eq!(verdict(&hs256(), &expired(0)), "token expired");
    assert_eq!(verdict(&hs256(), &expired(5)), "token expired");
    assert_eq!(verdict(&hs256(), &signed(&json!({ "exp": now() + 30 }))), "");
    let patient = plugin(&json!({ "secret": SECRET, "leeway": 60 }));
    assert_eq!(verdict(&patient, &expired(5)), "");
    assert_eq!(verdict(&patient, &expired(60)), "token expired");
}

#[test]
fn a_token_of_the_future_is_not_valid_yet_and_leeway_hastens_it() {
    let from = |seconds: i64| signed(&json!({ "exp": now() + 600, "nbf": now() + seconds }));
    assert_eq!(verdict(&hs256(), &from(30)), "token not valid yet");
    assert_eq!(verdict(&hs256(), &from(0)), "");
    let patient = plugin(&json!({ "secret": SECRET, "leeway": 60 }));
    assert_eq!(verdict(&patient, &from(30)), "");
    assert_eq!(verdict(&patient, &from(90)), "token not valid yet");
}

#[test]
fn a_token_without_expiry_is_good_only_where_the_operator_says_so() {
    assert_eq!(verdict(&hs256(), &signed(&json!({ "sub": "alice" }))), "token without expiry");
    assert_eq!(verdict(&hs256(), &signed(&json!({ "nbf": 0 }))), "token without expiry");
    let lax = plugin(&json!({ "secret": SECRET, "require_expiry": false }));
    assert_eq!(verdict(&lax, &signed(&json!({ "sub": "alice" }))), "");
    assert_eq!(verdict(&lax, &signed(&json!({ "exp": 1 }))), "token expired");
    assert_eq!(verdict(&lax, &signed(&json!({ "nbf": now() + 60 }))), "token not valid yet");
}

#[test]
fn the_signature_is_looked_at_before_the_claims() {
    let forged =
        token(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#, Algorithm::HS256, &EncodingKey::from_secret(b"x"));
    assert_eq!(verdict(&hs256(), &forged), "bad signature");
}

#[test]
fn tokens_of_each_algorithm_are_verified() {
    let rsa = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();
    let ec = EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap();
    for (algorithm, key, config) in [
        (Algorithm::HS256, &secret(), json!({ "secret": SECRET, "algorithms": ["HS256"] })),
        (Algorithm::HS384, &secret(), json!({ "secret": SECRET, "algorithms": ["HS384"] })),
        (Algorithm::HS512, &secret(), json!({ "secret": SECRET, "algorithms": ["HS512"] })),
        (Algorithm::RS256, &rsa, json!({ "public_key": RSA_PUBLIC, "algorithms": ["RS256"] })),
        (Algorithm::RS256, &rsa, json!({ "public_key": RSA_PUBLIC_PKCS1, "algorithms": ["RS256"] })),
        (Algorithm::ES256, &ec, json!({ "public_key": EC_PUBLIC, "algorithms": ["ES256"] })),
    ] {
        let plugin = plugin(&config);
        let header = format!(r#"{{"typ":"JWT","alg":"{algorithm:?}","kid":"1"}}"#);
        let token = token(&header, r#"{"exp":4102444800}"#, algorithm, key);
        assert_eq!(verdict(&plugin, &token), "", "{config}");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        bytes[7] ^= 1;
        let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(verdict(&plugin, &forged), "bad signature", "{config}");
        assert_eq!(verdict(&plugin, &token), "", "{config}");
    }
}

#[test]
fn a_secret_may_be_base64() {
    let plugin = plugin(&json!({ "secret": "AP//AQ==", "secret_is_base64": true }));
    let key = EncodingKey::from_secret(&[0, 255, 255, 1]);
    assert_eq!(verdict(&plugin, &token(r#"{"alg":"HS256"}"#, r#"{"exp":4e9}"#, Algorithm::HS256, &key)), "");
    let key = EncodingKey::from_secret(b"AP//AQ==");
    let token = token(r#"{"alg":"HS256"}"#, r#"{"exp":4e9}"#, Algorithm::HS256, &key);
    assert_eq!(verdict(&plugin, &token), "bad signature");
}

#[test]
fn an_algorithm_that_is_not_configured_is_unexpected() {
    for algorithm in ["HS384", "RS256", "hs256", "HS256 ", "", "EdDSA"] {
        let token =
            token(&format!(r#"{{"alg":"{algorithm}"}}"#), r#"{"exp":4e9}"#, Algorithm::HS256, &secret());
        assert_eq!(verdict(&hs256(), &token), "unexpected algorithm", "{algorithm}");
    }
    let both = plugin(&json!({ "secret": SECRET, "algorithms": ["HS256", "HS512"] }));
    let token = token(r#"{"alg":"HS512"}"#, r#"{"exp":4102444800}"#, Algorithm::HS512, &secret());
    assert_eq!((verdict(&both, &token), verdict(&both, &good("alice"))), (String::new(), String::new()));
}

#[test]
fn a_signature_of_one_algorithm_is_bad_for_another() {
    let both = plugin(&json!({ "secret": SECRET, "algorithms": ["HS256", "HS512"] }));
    let token = token(r#"{"alg":"HS256"}"#, r#"{"exp":4102444800}"#, Algorithm::HS512, &secret());
    assert_eq!(verdict(&both, &token), "bad signature");
}

#[test]
fn a_token_with_the_algorithm_none_is_refused() {
    let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"admin","exp":4102444800}"#);
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{none}"}}"#));
        let good = good("alice");
        let (_, signature) = good.rsplit_once('.').unwrap();
        for signature in ["", signature] {
            let token = format!("{header}.{payload}.{signature}");
            assert_eq!(verdict(&hs256(), &token), "unexpected algorithm", "{token}");
        }
    }
}

#[test]
fn a_public_key_is_no_secret() {
    for (public, algorithm) in [(RSA_PUBLIC, "RS256"), (EC_PUBLIC, "ES256")] {
        let plugin = plugin(&json!({ "public_key": public, "algorithms": [algorithm] }));
        for secret in [public, public.trim_end()] {
            let key = EncodingKey::from_secret(secret.as_bytes());
            let confused = token(r#"{"alg":"HS256"}"#, r#"{"exp":4102444800}"#, Algorithm::HS256, &key);
            assert_eq!(verdict(&plugin, &confused), "unexpected algorithm");
            let header = format!(r#"{{"alg":"{algorithm}"}}"#);
            let mislabelled = token(&header, r#"{"exp":4102444800}"#, Algorithm::HS256, &key);
            assert_eq!(verdict(&plugin, &mislabelled), "bad signature");
        }
    }
}

#[test]
fn a_header_with_critical_extensions_is_malformed() {
    for crit in [r#"["b64"]"#, r#"["exp"]"#, "[]", "null", "5", r#""b64""#] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit},"b64":true}}"#);
        let token = token(&header, r#"{"exp":4102444800}"#, Algorithm::HS256, &secret());
        assert_eq!(verdict(&hs256(), &token), "malformed token", "{crit}");
    }
}

#[test]
fn keys_that_a_token_brings_along_are_not_looked_at() {
    let header =
        r#"{"alg":"HS256","jwk":{"kty":"oct","k":"eA"},"jku":"http://evil.test/","x5u":"http://evil.test/"}"#;
    let token = token(header, r#"{"exp":4102444800}"#, Algorithm::HS256, &EncodingKey::from_secret(b"x"));
    assert_eq!(verdict(&hs256(), &token), "bad signature");
}

#[test]
fn unverified_tokens_are_good_only_where_the_operator_trusts_them() {
    let trusting = plugin(&json!({ "trust_unverified_tokens": true, "claims": { "sub": "x-sub" } }));
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let unsigned =
        format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(r#"{"sub":"alice","exp":4102444800}"#));
    assert_eq!(subject(&trusting, &unsigned).unwrap(), "alice");
    assert_eq!(subject(&trusting, &good("bob")).unwrap(), "bob");
    assert_eq!(verdict(&trusting, &signed(&json!({ "exp": 1 }))), "token expired");
    assert_eq!(verdict(&trusting, "a.b.c"), "malformed token");
    assert_eq!(verdict(&hs256(), &unsigned), "unexpected algorithm");
}

#[test]
fn refusals_have_the_configured_status() {
    let plugin = plugin(&json!({ "secret": SECRET, "exit_code": 403 }));
    for request in [RawRequest::get("/"), bearing("a.b.c"), bearing(&signed(&json!({ "exp": 1 })))] {
        let reply = reply(&plugin, &request).unwrap();
        assert_eq!(reply.status, 403);
        assert!(reply.headers.iter().all(|(name, _)| name != "www-authenticate"));
    }
}

#[test]
fn a_header_that_was_good_once_lets_no_bad_token_pass() {
    let plugin = hs256();
    let alice = good("alice");
    let (message, signature) = alice.rsplit_once('.').unwrap();
    let (header, _) = message.split_once('.').unwrap();
    let forged = URL_SAFE_NO_PAD.encode(r#"{"sub":"admin","exp":4102444800}"#);
    for _ in 0..3 {
        assert_eq!(subject(&plugin, &alice).unwrap(), "alice");
        assert_eq!(verdict(&plugin, &format!("{header}.{forged}.{signature}")), "bad signature");
        assert_eq!(verdict(&plugin, &format!("{message}.{}", &signature[..41])), "malformed token");
        assert_eq!(verdict(&plugin, &format!("{message}.")), "bad signature");
        assert_eq!(verdict(&plugin, &signed(&json!({ "exp": 1 }))), "token expired");
        assert_eq!(verdict(&plugin, &format!("{header}x.{forged}.{signature}")), "malformed token");
    }
}

#[test]
fn a_bad_token_does_not_make_its_header_known() {
    let plugin = hs256();
    let confused = token(r#"{"alg":"none"}"#, r#"{"exp":4102444800}"#, Algorithm::HS256, &secret());
    let forged = token(r#"{"alg":"HS256"}"#, "{}", Algorithm::HS256, &EncodingKey::from_secret(b"x"));
    for _ in 0..3 {
        assert_eq!(verdict(&plugin, &confused), "unexpected algorithm");
        assert_eq!(verdict(&plugin, &forged), "bad signature");
    }
    assert_eq!(subject(&plugin, &good("alice")).unwrap(), "alice");
}

#[test]
fn distinct_tokens_keep_their_own_claims() {
    let plugin = hs256();
    let tokens: Vec<_> = (0..100).map(|n| (format!("user-{n}"), good(&format!("user-{n}")))).collect();
    for (user, token) in tokens.iter().chain(tokens.iter().rev()) {
        assert_eq!(subject(&plugin, token).as_ref(), Some(user));
    }
}

#[test]
fn a_token_that_was_good_expires_all_the_same() {
    for cache_size in [0, 100] {
        let gateway = Gateway::new();
        gateway.set_time(Duration::from_secs(1_000));
        let plugin = plugin(&json!({ "secret": SECRET, "cache_size": cache_size }));
        let token = signed(&json!({ "sub": "alice", "exp": 1_060 }));
        assert_eq!(verdict(&plugin, &token), "");
        gateway.advance(Duration::from_secs(59));
        assert_eq!(verdict(&plugin, &token), "");
        gateway.advance(Duration::from_secs(1));
        assert_eq!(verdict(&plugin, &token), "token expired");
    }
}
