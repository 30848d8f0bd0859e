//! Reads just those claims of a token that somebody asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The times in a token, and the wanted claims.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Claims {
    /// `exp`, in Unix seconds.
    pub(crate) expires: Option<f64>,
    /// `nbf`, in Unix seconds.
    pub(crate) not_before: Option<f64>,
    wanted: Vec<(String, Value)>,
}

impl Claims {
    /// Parses a token's payload. There are no claims in one that is no JSON object, names a claim twice, or has
    /// a time that is no number.
    pub(crate) fn parse(payload: &[u8], wanted: &[String]) -> Option<Self> {
        let mut json = serde_json::Deserializer::from_slice(payload);
        let claims = Reader { wanted }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(claims)
    }

    /// A claim as the text of a header: strings as they are, everything else as JSON. A null is no claim.
    pub(crate) fn text(&self, claim: &str) -> Option<Cow<'_, str>> {
        let (_, value) = self.wanted.iter().find(|(name, _)| name == claim)?;
        match value {
            Value::Null => None,
            Value::String(text) => Some(Cow::Borrowed(text)),
            other => Some(Cow::Owned(other.to_string())),
        }
    }
}

struct Reader<'a> {
    wanted: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Claims;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Claims, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut claims = Claims::default();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let wanted = self.wanted.iter().any(|wanted| **wanted == *name);
            let time = match &*name {
                "exp" => Some(&mut claims.expires),
                "nbf" => Some(&mut claims.not_before),
                _ => None,
            };
            if time.is_none() && !wanted {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value: Value = map.next_value()?;
            if let Some(time) = time {
                let seconds = value.as_f64().ok_or_else(|| A::Error::custom("a time must be a number"))?;
                if time.replace(seconds).is_some() {
                    return Err(A::Error::custom("a claim is there twice"));
                }
            }
            if wanted {
                if claims.wanted.iter().any(|(known, _)| **known == *name) {
                    return Err(A::Error::custom("a claim is there twice"));
                }
                claims.wanted.push((name.into_owned(), value));
            }
        }
        Ok(claims)
    }
}
