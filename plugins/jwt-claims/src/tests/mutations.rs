//! No token is good but those that were signed.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const PAYLOAD: &str = r#"{"sub":"alice","exp":4102444800}"#;

static TOKEN: LazyLock<String> = LazyLock::new(|| with_payload(PAYLOAD));
static ES256: LazyLock<String> = LazyLock::new(|| {
    let key = EncodingKey::from_ec_pem(EC_PRIVATE.as_bytes()).unwrap();
    token(r#"{"alg":"ES256"}"#, PAYLOAD, Algorithm::ES256, &key)
});

/// As [`subject`], for bytes that are no text.
fn accepts(plugin: &JwtClaims, token: &[u8]) -> bool {
    let header = [b"Bearer ", token].concat();
    reply(plugin, &RawRequest::get("/").with_header("authorization", header)).is_none()
}

/// One change to a token.
#[derive(Debug, Clone)]
enum Edit {
    Replace(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Truncate(prop::sample::Index),
}

impl Edit {
    fn apply(&self, token: &mut Vec<u8>) {
        if token.is_empty() {
            return;
        }
        let len = token.len();
        match self {
            Self::Replace(at, byte) => *at.get_mut(token) = *byte,
            Self::Insert(at, byte) => token.insert(at.index(len), *byte),
            Self::Remove(at) => drop(token.remove(at.index(len))),
            Self::Swap(a, b) => token.swap(a.index(len), b.index(len)),
            Self::Truncate(at) => token.truncate(at.index(len)),
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<prop::sample::Index>;
    let byte = || prop_oneof![4 => prop::sample::select(b"ABab01-_.=+/ ".to_vec()), 1 => any::<u8>()];
    prop_oneof![
        (at(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        at().prop_map(Edit::Remove),
        (at(), at()).prop_map(|(a, b)| Edit::Swap(a, b)),
        at().prop_map(Edit::Truncate),
    ]
}

fn edited(token: &str, edits: &[Edit]) -> Option<Vec<u8>> {
    let mut bytes = token.as_bytes().to_vec();
    edits.iter().for_each(|edit| edit.apply(&mut bytes));
    // Space around a token is not part of it.
    (bytes.trim_ascii() != token.as_bytes()).then_some(bytes)
}

#[test]
fn no_byte_of_a_token_can_be_another() {
    let (warm, cold) = (hs256(), hs256());
    assert!(accepts(&warm, TOKEN.as_bytes()));
    let mut token = TOKEN.clone().into_bytes();
    for at in 0..token.len() {
        let original = token[at];
        for byte in (0..=u8::MAX).filter(|byte| *byte != original) {
            token[at] = byte;
            assert!(!accepts(&warm, &token), "byte {at} as {byte:#x}");
            assert!(!accepts(&cold, &token), "byte {at} as {byte:#x}, without a known header");
        }
        token[at] = original;
    }
    assert!(accepts(&warm, &token));
}

#[test]
fn no_bit_of_what_the_parts_encode_can_be_another() {
    let plugin = hs256();
    for part in 0..3 {
        let parts: Vec<_> = TOKEN.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        for bit in 0..parts[part].len() * 8 {
            let mut parts = parts.clone();
            parts[part][bit / 8] ^= 1 << (bit % 8);
            let token: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
            assert!(accepts(&plugin, TOKEN.as_bytes()));
            assert!(!accepts(&plugin, token.join(".").as_bytes()), "bit {bit} of part {part}");
        }
    }
}

proptest! {
    #[test]
    fn an_edited_token_is_never_good(edits in prop::collection::vec(edit(), 1..5)) {
        let Some(token) = edited(&TOKEN, &edits) else { return Ok(()) };
        let plugin = hs256();
        prop_assert!(!accepts(&plugin, &token));
        prop_assert!(accepts(&plugin, TOKEN.as_bytes()));
        prop_assert!(!accepts(&plugin, &token));
    }

    #[test]
    fn other_claims_with_the_signature_of_good_ones_are_never_good(sub in ".*", exp in any::<u64>()) {
        let payload = json!({ "sub": sub, "exp": exp }).to_string();
        prop_assume!(payload != PAYLOAD);
        let (header, rest) = TOKEN.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let plugin = hs256();
        prop_assert!(accepts(&plugin, TOKEN.as_bytes()));
        let token = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload));
        prop_assert_eq!(verdict(&plugin, &token), "bad signature");
    }

    #[test]
    fn whatever_an_issuer_signs_is_handed_on_or_left_out(sub in any::<String>()) {
        let got = subject(&hs256(), &signed(&json!({ "sub": sub, "exp": 4_102_444_800_u64 }))).unwrap();
        prop_assert!(got == sub || (got.is_empty() && (sub.trim_ascii() != sub || sub.contains(|c: char| c.is_ascii_control()))));
    }

    #[test]
    fn bytes_that_are_no_token_do_no_harm(bytes in any::<Vec<u8>>()) {
        prop_assert!(!accepts(&hs256(), &bytes));
        let trusting = plugin(&json!({ "trust_unverified_tokens": true }));
        prop_assert!(!accepts(&trusting, &bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_edited_es256_token_is_never_good(edits in prop::collection::vec(edit(), 1..5)) {
        let Some(token) = edited(&ES256, &edits) else { return Ok(()) };
        let plugin = plugin(&json!({ "public_key": EC_PUBLIC, "algorithms": ["ES256"] }));
        prop_assert!(accepts(&plugin, ES256.as_bytes()));
        prop_assert!(!accepts(&plugin, &token));
    }
}
