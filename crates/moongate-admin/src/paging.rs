//! Cutting a list into pages: `size`, `offset`, `tags` and the link to the next page.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::arguments::{Arguments, encode};
use crate::collection::{Record, parse_id};
use crate::error::ApiError;

/// One page of a list, as the query asks for it.
pub(crate) struct Page {
    size: usize,
    after: Option<Uuid>,
    tags: Option<Tags>,
    /// What the link to the next page repeats of the query.
    repeated: String,
}

impl Page {
    /// Reads `size`, `offset` and `tags`.
    ///
    /// # Errors
    /// [`ApiError::InvalidSize`], [`ApiError::InvalidOffset`], [`ApiError::InvalidTags`].
    pub(crate) fn of_collection(arguments: &Arguments) -> Result<Self, ApiError> {
        let mut page = Self::of_children(arguments)?;
        if let Some(tags) = arguments.one("tags")? {
            page.tags = Some(Tags::parse(tags)?);
            page.repeated.push_str("&tags=");
            page.repeated.push_str(&encode(tags));
        }
        if let Some(size) = arguments.one("size")? {
            page.repeated.push_str("&size=");
            page.repeated.push_str(&encode(size));
        }
        Ok(page)
    }

    /// Reads `size` and `offset`. A list of children has no filter, and its links repeat nothing.
    ///
    /// # Errors
    /// [`ApiError::InvalidSize`], [`ApiError::InvalidOffset`].
    pub(crate) fn of_children(arguments: &Arguments) -> Result<Self, ApiError> {
        Ok(Self {
            size: arguments.one("size")?.map_or(Ok(DEFAULT_SIZE), parse_size)?,
            after: arguments.one("offset")?.map(decode_offset).transpose()?,
            tags: None,
            repeated: String::new(),
        })
    }

    /// Cuts this page out of `records`, which come by ascending id, for a list at `path`.
    ///
    /// # Errors
    /// [`ApiError::Unexpected`] for an entity without a JSON form.
    pub(crate) fn cut<'a>(
        &self,
        path: &str,
        records: impl Iterator<Item = &'a dyn Record>,
    ) -> Result<Value, ApiError> {
        let mut rest = records
            .filter(|record| self.after.is_none_or(|after| record.id() > after))
            .filter(|record| self.tags.as_ref().is_none_or(|tags| tags.select(record.tags())));
        let mut data = Vec::new();
        let mut last = None;
        for record in rest.by_ref().take(self.size) {
            data.push(to_json(record)?);
            last = Some(record.id());
        }
        Ok(match (last, rest.next()) {
            (Some(last), Some(_)) => {
                let offset = encode_offset(last);
                let next = format!("{path}?offset={}{}", encode(&offset), self.repeated);
                json!({"data": data, "offset": offset, "next": next})
            }
            _ => json!({"data": data, "next": null}),
        })
    }
}

/// A filter by labels.
enum Tags {
    All(Vec<String>),
    Any(Vec<String>),
}

impl Tags {
    fn parse(text: &str) -> Result<Self, ApiError> {
        let split = |separator| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
        let (tags, any) = match (text.contains(','), text.contains('/')) {
            _ if text.is_empty() => return Err(ApiError::InvalidTags("cannot be null")),
            (true, true) => return Err(ApiError::InvalidTags("invalid filter syntax")),
            (_, any) => (split(if any { '/' } else { ',' }), any),
        };
        match (tags.len() > MOST_TAGS, any) {
            (true, _) => Err(ApiError::InvalidTags("cannot query more than 5 tags")),
            (false, true) => Ok(Self::Any(tags)),
            (false, false) => Ok(Self::All(tags)),
        }
    }

    fn select(&self, tags: &[String]) -> bool {
        match self {
            Self::All(wanted) => wanted.iter().all(|tag| tags.contains(tag)),
            Self::Any(wanted) => wanted.iter().any(|tag| tags.contains(tag)),
        }
    }
}

/// The entity as clients see it.
///
/// # Errors
/// [`ApiError::Unexpected`] for an entity without a JSON form.
pub(crate) fn to_json(record: &dyn Record) -> Result<Value, ApiError> {
    record.to_json().map_err(|error| {
        tracing::error!(id = %record.id(), %error, "entity has no JSON form");
        ApiError::Unexpected
    })
}

fn parse_size(text: &str) -> Result<usize, ApiError> {
    let number: f64 = text.parse().map_err(|_| ApiError::InvalidSize("a number"))?;
    (1..=LARGEST_SIZE)
        .find(|&size| size as f64 == number)
        .ok_or(ApiError::InvalidSize("an integer between 1 and 1000"))
}

fn encode_offset(last: Uuid) -> String {
    BASE64.encode(json!([last]).to_string())
}

fn decode_offset(offset: &str) -> Result<Uuid, ApiError> {
    let invalid = |encoding| ApiError::InvalidOffset { offset: offset.to_owned(), encoding };
    let decoded = BASE64.decode(offset).map_err(|_| invalid("base64"))?;
    let keys: Vec<String> = serde_json::from_slice(&decoded).map_err(|_| invalid("json"))?;
    match keys.as_slice() {
        [key] => parse_id(key).ok_or_else(|| invalid("json")),
        _ => Err(invalid("json")),
    }
}

const DEFAULT_SIZE: usize = 100;
const LARGEST_SIZE: usize = 1000;
const MOST_TAGS: usize = 5;

/// Clients may send an offset back without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);
