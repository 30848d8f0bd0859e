//! A response that is kept.

use moongate_sdk::serde_json::{self, Map, Value, json};
use serde::{Deserialize, Serialize};

/// A response that is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

/// All of it but the body.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Without those that frame the message. Values are the texts of bytes up to 255.
    headers: Vec<(String, String)>,
    /// When it was kept, in seconds since 1970.
    pub(crate) kept: u64,
    /// For how many seconds it is fresh.
    pub(crate) ttl: u64,
}

impl Head {
    pub(crate) fn new(status: u16, headers: Vec<(String, Vec<u8>)>, kept: u64, ttl: u64) -> Self {
        let text = |value: Vec<u8>| value.into_iter().map(char::from).collect();
        let kept_headers = headers.into_iter().filter(|(name, _)| !FRAMING.contains(&name.as_str()));
        Self { status, headers: kept_headers.map(|(name, value)| (name, text(value))).collect(), kept, ttl }
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, Vec<u8>)> {
        let bytes =
            |value: &str| value.chars().filter_map(|byte| u8::try_from(u32::from(byte)).ok()).collect();
        self.headers.iter().map(move |(name, value)| (name.as_str(), bytes(value)))
    }
}

impl Entry {
    /// The entry as it is stored: its head as JSON, a line break, its body.
    pub(crate) fn encode(head: &Head, body: &[u8]) -> Vec<u8> {
        let mut stored = serde_json::to_vec(head).unwrap_or_default();
        stored.push(b'\n');
        stored.extend_from_slice(body);
        stored
    }

    /// The entry as it is shown to operators. Bytes of the body that are no text are replaced.
    pub(crate) fn show(&self) -> Value {
        let Head { status, kept, ttl, .. } = &self.head;
        let mut headers = Map::new();
        for (name, value) in &self.head.headers {
            let value = Value::from(value.as_str());
            match headers.get_mut(name) {
                None => drop(headers.insert(name.clone(), value)),
                Some(Value::Array(values)) => values.push(value),
                Some(one) => *one = json!([one.take(), value]),
            }
        }
        json!({
            "status": status,
            "headers": headers,
            "body": String::from_utf8_lossy(&self.body),
            "body_len": self.body.len(),
            "timestamp": kept,
            "ttl": ttl,
        })
    }

    pub(crate) fn decode(stored: &[u8]) -> Option<Self> {
        let end = stored.iter().position(|byte| *byte == b'\n')?;
        let head = serde_json::from_slice(stored.get(..end)?).ok()?;
        Some(Self { head, body: stored.get(end + 1..)?.to_vec() })
    }
}

/// Headers that belong to one message, or one connection.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "public",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again_without_what_frames_it() {
        let headers = vec![
            ("x-a".to_owned(), b"\xe9\n".to_vec()),
            ("content-length".to_owned(), b"3".to_vec()),
            ("x-a".to_owned(), b"2".to_vec()),
        ];
        let head = Head::new(200, headers, 5, 6);
        let entry = Entry::decode(&Entry::encode(&head, b"a\nb")).unwrap();
        assert_eq!(entry.body, b"a\nb");
        assert_eq!((entry.head.status, entry.head.kept, entry.head.ttl), (200, 5, 6));
        let headers: Vec<_> = entry.head.headers().collect();
        assert_eq!(headers, [("x-a", b"\xe9\n".to_vec()), ("x-a", b"2".to_vec())]);
    }
}
