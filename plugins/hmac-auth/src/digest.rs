//! The body that a client signed.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use moongate_sdk::Request;
use moongate_sdk::crypto::{self, Hash};

/// Whether the body is the one that the header `Digest: SHA-256=<Base64>` tells; without that header, whether it is
/// empty.
pub(crate) fn is_body(request: &Request) -> bool {
    let Ok(body) = request.body(LIMIT) else { return false };
    let Some(header) = request.header_text("digest") else { return body.is_empty() };
    let digest = header.trim().strip_prefix("SHA-256=").and_then(decode);
    digest.is_some_and(|digest| crypto::equal(&digest, &crypto::digest(Hash::Sha256, body)))
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// Clients leave the padding out at times.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A longer body is refused: it would have to be held to be looked at.
const LIMIT: u64 = 8 * 1024 * 1024;
