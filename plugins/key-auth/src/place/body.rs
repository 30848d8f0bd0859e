//! A body with a key in it.

use moongate_sdk::{Request, text};
use serde_json::Value as Json;

use super::{Value, arguments, multipart};

/// A body, as what its content type says. One that is something else counts as empty.
pub(crate) enum Body {
    Empty,
    Form(Vec<(String, String)>),
    Json(serde_json::Map<String, Json>),
    Multipart { boundary: String, body: Vec<u8> },
}

impl Body {
    pub(crate) fn read(request: &Request) -> Self {
        let Some(content_type) = request.header_text("content-type") else { return Self::Empty };
        let Ok(body) = request.body(LIMIT) else { return Self::Empty };
        if text::is_media_type(&content_type, "application/json") {
            return serde_json::from_slice(&body).map_or(Self::Empty, Self::Json);
        }
        if text::is_media_type(&content_type, "application/x-www-form-urlencoded") {
            return Self::Form(arguments(&String::from_utf8_lossy(&body)));
        }
        match multipart::boundary(&content_type) {
            Some(boundary) => Self::Multipart { boundary, body },
            None => Self::Empty,
        }
    }

    pub(crate) fn value(&self, name: &str) -> Option<Value> {
        match self {
            Self::Empty => None,
            Self::Form(pairs) => one(pairs.iter().filter(|(known, _)| known == name).map(|(_, v)| v.clone())),
            Self::Json(object) => Some(match object.get(name)? {
                Json::String(key) => Value::Text(key.clone()),
                Json::Array(_) | Json::Object(_) => Value::Several,
                Json::Null | Json::Bool(_) | Json::Number(_) => Value::Other,
            }),
            Self::Multipart { boundary, body } => {
                let parts =
                    multipart::parts(body, boundary).filter(|part| part.name.as_deref() == Some(name));
                one(parts.map(|part| String::from_utf8_lossy(part.content).into_owned()))
            }
        }
    }

    /// The body without what stands under a name, if that is there.
    pub(crate) fn without(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name)?;
        Some(match self {
            Self::Empty => return None,
            Self::Form(pairs) => {
                let kept = pairs.iter().filter(|(known, _)| known != name);
                text::encode_pairs(kept.map(|(name, value)| (name.as_str(), value.as_str()))).into_bytes()
            }
            Self::Json(object) => {
                let mut object = object.clone();
                object.remove(name);
                Json::Object(object).to_string().into_bytes()
            }
            Self::Multipart { boundary, body } => multipart::without(body, boundary, name),
        })
    }
}

fn one(mut values: impl Iterator<Item = String>) -> Option<Value> {
    let first = values.next()?;
    Some(if values.next().is_some() { Value::Several } else { Value::Text(first) })
}

/// A key in a longer body is not found.
const LIMIT: u64 = 1024 * 1024;
