//! What clients, upstreams and operators see of the plugin.

mod configuration;
mod headers;
mod mutations;
mod tokens;

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use moongate_sdk::export::configure;
use moongate_sdk::testing::RawRequest;
use moongate_sdk::{Decision, OnRequest as _};
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a-secret-made-for-the-tests-of-this-plugin";
const RSA_PRIVATE: &str = include_str!("../testdata/rsa-private.pem");
const RSA_PUBLIC: &str = include_str!("../testdata/rsa-public.pem");
const RSA_PUBLIC_PKCS1: &str = include_str!("../testdata/rsa-public-pkcs1.pem");
const RSA_1024_PUBLIC: &str = include_str!("../testdata/rsa-1024-public.pem");
const EC_PRIVATE: &str = include_str!("../testdata/ec-private.pem");
const EC_PUBLIC: &str = include_str!("../testdata/ec-public.pem");
const EC_384_PUBLIC: &str = include_str!("../testdata/ec-384-public.pem");

/// A plugin with a configuration that must be good.
fn plugin(config: &Value) -> JwtClaims {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

/// A plugin that knows `SECRET` and puts `sub` into the response header `x-sub`.
fn hs256() -> JwtClaims {
    plugin(&json!({ "secret": SECRET, "claims": { "sub": "x-sub" } }))
}

/// A token of any header and payload, signed.
fn token(header: &str, payload: &str, algorithm: Algorithm, key: &EncodingKey) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// A token with these claims, signed with `SECRET`.
fn signed(claims: &Value) -> String {
    with_payload(&claims.to_string())
}

fn with_payload(payload: &str) -> String {
    token(r#"{"alg":"HS256","typ":"JWT"}"#, payload, Algorithm::HS256, &secret())
}

fn secret() -> EncodingKey {
    EncodingKey::from_secret(SECRET.as_bytes())
}

/// A good token of `sub`.
fn good(sub: &str) -> String {
    signed(&json!({ "sub": sub, "exp": now() + 60 }))
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn bearing(token: &str) -> RawRequest {
    RawRequest::get("/").with_header("authorization", format!("Bearer {token}"))
}

/// The reply to a request, `None` when it goes on.
fn reply(plugin: &JwtClaims, request: &RawRequest) -> Option<Reply> {
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Continue => None,
        Decision::Respond(reply) => Some(reply),
        Decision::Fail(failure) => panic!("{failure:?}"),
    }
}

/// What a plugin says of a token, without the words that all refusals begin with; empty when it is good.
fn verdict(plugin: &JwtClaims, token: &str) -> String {
    let Some(reply) = reply(plugin, &bearing(token)) else { return String::new() };
    String::from_utf8(reply.body).unwrap().strip_prefix("JwtError: ").unwrap().to_owned()
}

/// The claim `sub`, as the plugin hands it on; `None` when the token is refused.
fn subject(plugin: &JwtClaims, token: &str) -> Option<String> {
    let request = bearing(token);
    if reply(plugin, &request).is_some() {
        assert_eq!(request.response_header("x-sub"), None);
        return None;
    }
    Some(String::from_utf8(request.response_header("x-sub").unwrap_or_default()).unwrap())
}
