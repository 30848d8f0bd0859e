//! Lists of rows, a page at a time.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::Row;
use crate::record::id_of;

/// Which rows of an entity to list. They come in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRequest {
    /// How many rows at most.
    pub size: usize,
    /// Where the page before ended.
    pub offset: Option<Offset>,
    /// Only rows with these tags.
    pub tags: Option<TagFilter>,
    /// Only rows whose foreign key with this name refers to this id.
    pub foreign: Option<(String, Uuid)>,
}

impl PageRequest {
    /// The first `size` rows.
    pub fn new(size: usize) -> Self {
        Self { size, offset: None, tags: None, foreign: None }
    }
}

/// Some rows of an entity.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page begins, if there is more.
    pub next: Option<Offset>,
}

/// Where a page ended. Text for outsiders, who should not look into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset(pub(crate) Uuid);

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&json!([self.0])))
    }
}

impl FromStr for Offset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        id_of(decode(text)?.get(0)).map(Self).ok_or(OffsetError::Json)
    }
}

/// Why a text is no offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OffsetError {
    /// It is not base64.
    #[error("bad base64 encoding")]
    Base64,
    /// What is in it is not the JSON that it should be.
    #[error("bad json encoding")]
    Json,
}

/// Chooses rows by their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TagFilter {
    /// Rows that have each of these tags.
    All(Vec<String>),
    /// Rows that have at least one of these tags.
    Any(Vec<String>),
}

impl TagFilter {
    /// Whether a row with these `tags` is chosen.
    pub fn accepts(&self, tags: Option<&Value>) -> bool {
        let has = |tag: &String| {
            tags.and_then(Value::as_array)
                .is_some_and(|tags| tags.iter().any(|one| one.as_str() == Some(tag)))
        };
        match self {
            Self::All(tags) => tags.iter().all(has),
            Self::Any(tags) => tags.iter().any(has),
        }
    }
}

/// `a,b` for both, `a/b` for one of them, `a` for just one. At most five.
impl FromStr for TagFilter {
    type Err = TagFilterError;

    fn from_str(text: &str) -> Result<Self, TagFilterError> {
        let split = |separator| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
        let filter = match (text.contains(','), text.contains('/')) {
            _ if text.is_empty() => return Err(TagFilterError::Empty),
            (true, true) => return Err(TagFilterError::Syntax),
            (_, false) => Self::All(split(',')),
            (false, true) => Self::Any(split('/')),
        };
        let (Self::All(tags) | Self::Any(tags)) = &filter;
        if tags.iter().any(String::is_empty) {
            return Err(TagFilterError::Syntax);
        }
        if tags.len() > 5 {
            return Err(TagFilterError::TooMany);
        }
        Ok(filter)
    }
}

/// Why a text is no tag filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagFilterError {
    /// There is nothing in it.
    #[error("cannot be null")]
    Empty,
    /// Both separators are in it, or one with nothing beside it.
    #[error("invalid filter syntax")]
    Syntax,
    /// It has more than five tags.
    #[error("cannot query more than 5 tags")]
    TooMany,
}

/// One tag of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The tag.
    pub tag: String,
    /// Name of the entity that has it.
    pub entity: String,
    /// Id of the row that has it.
    pub id: Uuid,
}

/// Some tags, in the order of the ids of the rows which have them, and within a row as they are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// The tags.
    pub rows: Vec<TagRow>,
    /// Where the next page begins, if there is more.
    pub next: Option<TagOffset>,
}

/// Where a page of tags ended. Text for outsiders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagOffset {
    /// The row that had the last tag.
    pub(crate) id: Uuid,
    /// How many tags of the row were in pages so far.
    pub(crate) seen: usize,
}

impl fmt::Display for TagOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&json!([self.id, self.seen])))
    }
}

impl FromStr for TagOffset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        let json = decode(text)?;
        let seen = json.get(1).and_then(Value::as_u64).and_then(|seen| usize::try_from(seen).ok());
        let id = id_of(json.get(0));
        id.zip(seen).map(|(id, seen)| Self { id, seen }).ok_or(OffsetError::Json)
    }
}

fn encode(json: &Value) -> String {
    BASE64.encode(json.to_string())
}

fn decode(text: &str) -> Result<Value, OffsetError> {
    let bytes = BASE64.decode(text).map_err(|_| OffsetError::Base64)?;
    serde_json::from_slice(&bytes).map_err(|_| OffsetError::Json)
}

/// Written without padding, which would have to be escaped in URLs, and read with or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_read_as_it_was_written() {
        let offset = Offset(Uuid::new_v4());
        assert_eq!(offset.to_string().parse(), Ok(offset));
        assert!(!offset.to_string().contains('='));
        assert_eq!(format!("{offset}").trim_end_matches('=').parse(), Ok(offset));
        let offset = TagOffset { id: Uuid::new_v4(), seen: 3 };
        assert_eq!(offset.to_string().parse(), Ok(offset));
    }

    #[test]
    fn what_is_wrong_with_an_offset_is_told() {
        assert_eq!("?!".parse::<Offset>(), Err(OffsetError::Base64));
        assert_eq!("Zm9v".parse::<Offset>(), Err(OffsetError::Json));
        // `["foo"]` is JSON, but no place in a list.
        assert_eq!("WyJmb28iXQ".parse::<Offset>(), Err(OffsetError::Json));
    }

    #[test]
    fn tags_are_joined_by_commas_or_by_slashes() {
        let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
        assert_eq!("a".parse(), Ok(TagFilter::All(tags(&["a"]))));
        assert_eq!("a,b".parse(), Ok(TagFilter::All(tags(&["a", "b"]))));
        assert_eq!("a/b".parse(), Ok(TagFilter::Any(tags(&["a", "b"]))));
        assert_eq!("a,b/c".parse::<TagFilter>(), Err(TagFilterError::Syntax));
        assert_eq!("a,".parse::<TagFilter>(), Err(TagFilterError::Syntax));
        assert_eq!("".parse::<TagFilter>(), Err(TagFilterError::Empty));
        assert_eq!("a,b,c,d,e,f".parse::<TagFilter>(), Err(TagFilterError::TooMany));
    }

    #[test]
    fn a_filter_chooses_by_all_or_by_any_tag() {
        let row = json!(["a", "b"]);
        let accepts = |text: &str| text.parse::<TagFilter>().unwrap().accepts(Some(&row));
        assert!(accepts("a") && accepts("b,a") && accepts("c/a"));
        assert!(!accepts("a,c") && !accepts("c/d"));
        assert!(!TagFilter::Any(vec!["a".to_owned()]).accepts(Some(&Value::Null)));
    }
}
