//! Changes responses on their way to the client: their headers, and the members of a JSON object that is their body.

mod config;
mod json;

use moongate_sdk::{
    BodyView, Error, HeaderError, OnResponse, OnResponseBody, Plugin, Problem, Response, Schema,
    check_header_name, export,
};

pub use crate::config::{Assignments, Config, Names, Type};
use crate::json::{Members, Rules};

/// See the crate's description.
pub struct ResponseTransformer {
    /// In the order in which they are made.
    headers: Vec<HeaderChange>,
    json: Rules,
}

/// A change of a header.
#[derive(Debug)]
enum HeaderChange {
    Remove(String),
    Rename(String, String),
    /// Only where there is one.
    Replace(String, String),
    /// Only where there is none.
    Add(String, String),
    Append(String, String),
}

impl Plugin for ResponseTransformer {
    type Config = Config;
    const PRIORITY: i32 = 800;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let Config { remove, rename, replace, add, append } = &config;
        let mut headers: Vec<HeaderChange> =
            remove.headers.iter().map(|name| HeaderChange::Remove(split(name).0)).collect();
        let mut extend = |texts: &[String], change: fn(String, String) -> HeaderChange| {
            headers.extend(texts.iter().filter_map(|text| {
                let (name, value) = split(text);
                Some(change(name, value?))
            }));
        };
        extend(&rename.headers, HeaderChange::Rename);
        extend(&replace.headers, HeaderChange::Replace);
        extend(&add.headers, HeaderChange::Add);
        extend(&append.headers, HeaderChange::Append);
        // What frames the message or belongs to one connection is the gateway's: such a change has no effect.
        headers.retain(HeaderChange::is_allowed);
        Ok(Self { headers, json: Rules::new(&config) })
    }
}

impl OnResponse for ResponseTransformer {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        for change in &self.headers {
            change.make(response)?;
        }
        if !self.json.is_empty() && response.header_text("content-type").is_some_and(|kind| is_json(&kind)) {
            response.watch_body(BodyView::Whole(LARGEST));
        }
        Ok(())
    }
}

impl OnResponseBody for ResponseTransformer {
    fn on_response_body(&self, _: &Response, piece: Vec<u8>, _: bool) -> Result<Option<Vec<u8>>, Error> {
        Ok(Members::parse(&piece).map(|mut members| {
            self.json.apply(&mut members);
            members.encode()
        }))
    }
}

impl HeaderChange {
    fn is_allowed(&self) -> bool {
        let allowed = |name: &str| check_header_name(name) != Err(HeaderError::Forbidden);
        match self {
            Self::Rename(old, new) => allowed(old) && allowed(new),
            Self::Remove(name) | Self::Replace(name, _) | Self::Add(name, _) | Self::Append(name, _) => {
                allowed(name)
            }
        }
    }

    fn make(&self, response: &Response) -> Result<(), Error> {
        match self {
            Self::Remove(name) => response.remove_header(name)?,
            Self::Rename(old, new) => {
                let mut values = response.header_values(old).into_iter();
                if let Some(first) = values.next() {
                    response.remove_header(old)?;
                    response.set_header(new, first)?;
                }
                for value in values {
                    response.add_header(new, value)?;
                }
            }
            Self::Replace(name, value) => {
                if response.header(name).is_some() {
                    response.set_header(name, value)?;
                }
            }
            Self::Add(name, value) => {
                if response.header(name).is_none() {
                    response.set_header(name, value)?;
                }
            }
            Self::Append(name, value) => response.add_header(name, value)?,
        }
        Ok(())
    }
}

/// The name and the value of `name:value`; colons in the value stay, except for those at its beginning.
fn split(text: &str) -> (String, Option<String>) {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let value = value.trim_start_matches(':');
    (name.to_owned(), (!value.is_empty()).then(|| value.to_owned()))
}

/// Whether a content type is that of JSON, or of something written in it.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

/// Bytes of a body that is changed; a longer one passes as it is.
const LARGEST: u64 = 8 * 1024 * 1024;

export!(ResponseTransformer: OnResponse, OnResponseBody);

#[cfg(test)]
mod tests;
