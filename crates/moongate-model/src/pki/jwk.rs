//! JSON Web Keys: whether one can be loaded as an asymmetric key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ParsedPublicKey,
};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// Whether `jwk` is an RSA, elliptic-curve or Edwards-curve key with everything its kind needs. A symmetric key (`oct`)
/// is none.
pub(super) fn is_loadable(jwk: &Map<String, Value>) -> bool {
    let bytes = |name: &str| {
        let text = jwk.get(name)?.as_str()?;
        BASE64URL.decode(text).ok().filter(|bytes| !bytes.is_empty())
    };
    let absent_or_bytes = |name: &str| !jwk.contains_key(name) || bytes(name).is_some();
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => {
            bytes("n").is_some()
                && bytes("e").is_some()
                && ["d", "p", "q", "dp", "dq", "qi"].into_iter().all(absent_or_bytes)
        }
        Some("EC") => {
            let (Some(x), Some(y)) = (bytes("x"), bytes("y")) else {
                return false;
            };
            absent_or_bytes("d")
                && jwk.get("crv").and_then(Value::as_str).is_some_and(|curve| is_point(curve, &x, &y))
        }
        Some("OKP") => {
            let length = match jwk.get("crv").and_then(Value::as_str) {
                Some("Ed25519" | "X25519") => 32,
                Some("Ed448") => 57,
                Some("X448") => 56,
                _ => return false,
            };
            ["d", "x"].into_iter().find_map(bytes).is_some_and(|key| key.len() == length)
        }
        _ => false,
    }
}

/// Whether the coordinates are a point of the curve.
fn is_point(curve: &str, x: &[u8], y: &[u8]) -> bool {
    let (algorithm, size) = match curve {
        "P-256" => (&ECDSA_P256_SHA256_ASN1, 32),
        "P-384" => (&ECDSA_P384_SHA384_ASN1, 48),
        "P-521" => (&ECDSA_P521_SHA512_ASN1, 66),
        _ => return false,
    };
    if x.len() > size || y.len() > size {
        return false;
    }
    let mut point = vec![4];
    for coordinate in [x, y] {
        point.resize(point.len() + size - coordinate.len(), 0);
        point.extend_from_slice(coordinate);
    }
    ParsedPublicKey::new(algorithm, point).is_ok()
}

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
