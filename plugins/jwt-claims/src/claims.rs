//! Reads just those claims of a token that somebody asked for.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The times in a token, and the wanted claims.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Claims {
    /// `exp`, in Unix seconds.
    pub(crate) expires: Option<f64>,
    /// `nbf`, in Unix seconds.
    pub(crate) not_before: Option<f64>,
    /// In the order in which they were asked for.
    wanted: Vec<Claim>,
}

impl Claims {
    /// Parses a token's payload. There are no claims in one that is no JSON object, names a claim twice, or has
    /// a time that is no number.
    pub(crate) fn parse(payload: &[u8], wanted: &[String]) -> Option<Self> {
        // One check of the whole is cheaper than one of each string.
        let mut json = serde_json::Deserializer::from_str(std::str::from_utf8(payload).ok()?);
        let claims = Reader { wanted }.deserialize(&mut json).ok()?;
        json.end().ok()?;
        Some(claims)
    }

    /// The claim that was asked for at this position, as the text of a header: strings as they are, everything
    /// else as JSON. A null is no claim.
    pub(crate) fn text(&self, at: usize) -> Option<&str> {
        match self.wanted.get(at)? {
            Claim::Absent | Claim::Null => None,
            Claim::Text(text) => Some(text),
        }
    }
}

/// A wanted claim.
#[derive(Debug, Clone, Default, PartialEq)]
enum Claim {
    #[default]
    Absent,
    Null,
    Text(String),
}

impl Claim {
    fn parse(json: &RawValue) -> Result<Self, serde_json::Error> {
        let json = json.get();
        Ok(match json.as_bytes() {
            b"null" => Self::Null,
            [b'"', text @ .., b'"'] if !text.contains(&b'\\') => {
                Self::Text(json.get(1..json.len() - 1).unwrap_or_default().to_owned())
            }
            [b'"', ..] => Self::Text(serde_json::from_str(json)?),
            [b'{' | b'[', ..] => Self::Text(compact(json)),
            _ => Self::Text(json.to_owned()),
        })
    }
}

struct Reader<'w> {
    wanted: &'w [String],
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Claims;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut claims = Claims { wanted: vec![Claim::Absent; self.wanted.len()], ..Claims::default() };
        while let Some(name) = map.next_key_seed(Name { wanted: self.wanted })? {
            let time = match name.time {
                Some(Time::Expires) => Some(&mut claims.expires),
                Some(Time::NotBefore) => Some(&mut claims.not_before),
                None => None,
            };
            let claim = name.wanted.and_then(|at| claims.wanted.get_mut(at));
            if time.is_none() && claim.is_none() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let json: &RawValue = map.next_value()?;
            if let Some(time) = time {
                let seconds = serde_json::from_str(json.get()).map_err(A::Error::custom)?;
                if time.replace(seconds).is_some() {
                    return Err(A::Error::custom("a time is there twice"));
                }
            }
            if let Some(claim) = claim {
                if *claim != Claim::Absent {
                    return Err(A::Error::custom("a claim is there twice"));
                }
                *claim = Claim::parse(json).map_err(A::Error::custom)?;
            }
        }
        Ok(claims)
    }
}

/// The name of a claim, taken for what it means here.
struct Name<'w> {
    wanted: &'w [String],
}

struct Named {
    time: Option<Time>,
    wanted: Option<usize>,
}

enum Time {
    Expires,
    NotBefore,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Named;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Named, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Named;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a claim")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Named, E> {
        let time = match name {
            "exp" => Some(Time::Expires),
            "nbf" => Some(Time::NotBefore),
            _ => None,
        };
        Ok(Named { time, wanted: self.wanted.iter().position(|wanted| wanted == name) })
    }
}

/// Takes the space between the parts of a JSON text out, for line breaks may stand there.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        if in_string {
            in_string = escaped || *c != '"';
            escaped = *c == '\\' && !escaped;
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    };
    json.chars().filter(keep).collect()
}
