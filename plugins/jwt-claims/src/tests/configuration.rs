//! What is said of configurations.

use super::*;

/// The paths and messages of all problems.
fn problems(config: &Value) -> Vec<(String, String)> {
    let Err(problems) = configure::<JwtClaims>(&config.to_string()) else { panic!("{config} was accepted") };
    problems.into_iter().map(|problem| (problem.path, problem.message)).collect()
}

/// The one problem of a configuration.
#[track_caller]
fn assert_problem(config: &Value, path: &str, message: &str) {
    assert_eq!(problems(config), [(path.to_owned(), message.to_owned())], "{config}");
}

#[test]
fn a_key_is_needed_and_just_one() {
    assert_problem(&json!({}), "", "needs `secret` or `public_key`");
    assert_problem(&json!({ "secret": null }), "", "needs `secret` or `public_key`");
    let both = json!({ "secret": SECRET, "public_key": RSA_PUBLIC });
    assert_problem(&both, "", "takes `secret` or `public_key`, not both");
    assert_problem(&json!({ "secret": "" }), "secret", "must not be empty");
}

#[test]
fn the_algorithms_must_fit_the_key_and_each_other() {
    let with = |mut config: Value, algorithms: &[&str]| {
        config["algorithms"] = json!(algorithms);
        config
    };
    let (secret, public) = (json!({ "secret": SECRET }), json!({ "public_key": RSA_PUBLIC }));
    assert_problem(&with(secret.clone(), &[]), "algorithms", "must name at least one");
    let message = "RS256 and ES256 need `public_key` instead of `secret`";
    assert_problem(&with(secret.clone(), &["HS256", "RS256"]), "algorithms", message);
    let message = "HS256, HS384 and HS512 need `secret`, not `public_key`";
    assert_problem(&public, "algorithms", message);
    assert_problem(&with(public.clone(), &["RS256", "HS256"]), "algorithms", message);
    let message = "RS256 and ES256 need different keys, name one of them";
    assert_problem(&with(public, &["RS256", "ES256"]), "algorithms", message);
    let message = "unknown variant `none`, expected one of `HS256`, `HS384`, `HS512`, `RS256`, `ES256`";
    assert_problem(&with(secret, &["HS256", "none"]), "algorithms[1]", message);
}

#[test]
fn a_public_key_must_be_one_of_the_algorithms_kind() {
    let rsa = "must be an RSA public key of 2048 bits or more as PEM (`-----BEGIN PUBLIC KEY-----`)";
    let garbage = RSA_PUBLIC.replace("MIIB", "MIIC");
    for key in ["", "key", EC_PUBLIC, RSA_1024_PUBLIC, RSA_PRIVATE, garbage.as_str(), &RSA_PUBLIC[..200]] {
        assert_problem(&json!({ "public_key": key, "algorithms": ["RS256"] }), "public_key", rsa);
    }
    let ec = "must be an EC public key on the curve P-256 as PEM (`-----BEGIN PUBLIC KEY-----`)";
    for key in ["", "key", RSA_PUBLIC, RSA_PUBLIC_PKCS1, EC_384_PUBLIC, EC_PRIVATE] {
        assert_problem(&json!({ "public_key": key, "algorithms": ["ES256"] }), "public_key", ec);
    }
}

#[test]
fn a_public_key_as_secret_is_refused() {
    let message = "is a PEM file; a public key is set as `public_key`";
    assert_problem(&json!({ "secret": RSA_PUBLIC }), "secret", message);
    let encoded = base64::engine::general_purpose::STANDARD.encode(EC_PUBLIC);
    assert_problem(&json!({ "secret": encoded, "secret_is_base64": true }), "secret", message);
}

#[test]
fn a_secret_that_is_no_base64_is_refused_without_quoting_it() {
    let message = "must be Base64 with `+`, `/` and padding, or `secret_is_base64` be left out";
    for secret in ["AP//AQ", "AP__AQ==", "not base64", "="] {
        assert_problem(&json!({ "secret": secret, "secret_is_base64": true }), "secret", message);
    }
}

#[test]
fn a_field_of_no_use_is_refused() {
    let public = json!({ "public_key": RSA_PUBLIC, "algorithms": ["RS256"], "secret_is_base64": true });
    assert_problem(&public, "secret_is_base64", "is of no use without `secret`");
    for key in ["secret", "public_key"] {
        let config = json!({ "trust_unverified_tokens": true, key: "key" });
        let message = "leaves no use for `secret` or `public_key`";
        assert_problem(&config, "trust_unverified_tokens", message);
    }
}

#[test]
fn the_status_of_refusals_is_one_of_an_error() {
    for status in [0, 200, 399, 600, 65_535] {
        let config = json!({ "secret": SECRET, "exit_code": status });
        assert_problem(&config, "exit_code", "must be between 400 and 599");
    }
    let config = json!({ "secret": SECRET, "exit_code": "401" });
    assert_problem(&config, "exit_code", "must be a whole number from 0 to 65535, not string \"401\"");
}

#[test]
fn headers_that_could_never_be_set_are_refused() {
    for field in ["claims", "upstream_claims"] {
        let config = |header: &str| json!({ "secret": SECRET, field: { "https://id.test/sub": header } });
        let path = format!("{field}.https://id.test/sub");
        assert_problem(&config("x user"), &path, "`x user` cannot be set: not a valid header name");
        assert_problem(&config(""), &path, "`` cannot be set: not a valid header name");
        let message = "`Content-Length` cannot be set: header belongs to the gateway";
        assert_problem(&config("Content-Length"), &path, message);
    }
}

#[test]
fn two_claims_cannot_share_a_header() {
    let config = json!({ "secret": SECRET, "upstream_claims": { "a": "x-user", "b": "X-User" } });
    assert_problem(&config, "upstream_claims.b", "`X-User` is the header of claim `a` already");
    let apart = json!({ "secret": SECRET, "claims": { "a": "x" }, "upstream_claims": { "b": "x" } });
    plugin(&apart);
}

#[test]
fn all_problems_are_told_at_once() {
    let config = json!({ "exit_code": 200, "claims": { "sub": "x y" }, "secret_is_base64": true });
    let paths: Vec<_> = problems(&config).into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["exit_code", "", "secret_is_base64", "claims.sub"]);
}

#[test]
fn fields_of_wrong_types_and_unknown_ones_are_named() {
    let message = "must be a whole number from 0 to 4294967295, not integer `-1`";
    assert_problem(&json!({ "secret": SECRET, "leeway": -1 }), "leeway", message);
    assert_problem(&json!({ "secret": SECRET, "cache_size": 1001 }), "cache_size", "must be at most 1000");
    let message = "must be a boolean, not string \"no\"";
    assert_problem(&json!({ "secret": SECRET, "require_expiry": "no" }), "require_expiry", message);
    assert_problem(&json!({ "claims": { "sub": 5 } }), "claims.sub", "must be a string, not integer `5`");
    let [(path, message)] = problems(&json!({ "secrets": SECRET })).try_into().unwrap();
    assert_eq!(path, "secrets");
    assert!(
        message.starts_with("unknown field `secrets`, expected one of `algorithms`, `secret`, "),
        "{message}"
    );
}
