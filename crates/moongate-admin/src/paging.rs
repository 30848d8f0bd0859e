//! Which part of a list a request wants: `size`, `offset`, `tags`, and the link to the next part.

use moongate_store::{Offset, PageRequest, TagFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::arguments::{Arguments, encode};
use crate::error::ApiError;
use crate::infer;

/// One page of a list, as the query asks for it.
pub(crate) struct Paging {
    request: PageRequest,
    /// What the link to the next page repeats of the query.
    repeated: String,
}

impl Paging {
    /// Reads `size`, `offset` and, for entities that have tags, `tags`.
    ///
    /// # Errors
    /// [`ApiError::InvalidSize`], [`ApiError::InvalidOffset`], [`ApiError::InvalidOption`].
    pub(crate) fn of_collection(arguments: &Arguments, has_tags: bool) -> Result<Self, ApiError> {
        let mut paging = Self { request: request(arguments)?, repeated: String::new() };
        if let Some(tags) = arguments.one("tags")?.filter(|_| has_tags) {
            paging.request.tags = Some(parse_tags(tags)?);
            paging.repeated.push_str("&tags=");
            paging.repeated.push_str(&encode(tags));
        }
        if let Some(size) = arguments.one("size")? {
            paging.repeated.push_str("&size=");
            paging.repeated.push_str(&encode(size));
        }
        Ok(paging)
    }

    /// Reads `size` and `offset` for the entities whose reference `field` is to `parent`. Such a list has no filter,
    /// and its links repeat nothing.
    ///
    /// # Errors
    /// [`ApiError::InvalidSize`], [`ApiError::InvalidOffset`].
    pub(crate) fn of_children(arguments: &Arguments, field: &str, parent: Uuid) -> Result<Self, ApiError> {
        let request = PageRequest { foreign: Some((field.to_owned(), parent)), ..request(arguments)? };
        Ok(Self { request, repeated: String::new() })
    }

    /// What to ask the store for.
    pub(crate) fn request(&self) -> &PageRequest {
        &self.request
    }

    /// The page of the list at `path`, as clients see it.
    pub(crate) fn show(&self, path: &str, data: Vec<Value>, next: Option<Offset>) -> Value {
        show(path, data, next.map(|offset| offset.to_string()), &self.repeated)
    }
}

/// A page as clients see it. `repeated` is what the link to the next page has behind the offset.
pub(crate) fn show(path: &str, data: Vec<Value>, next: Option<String>, repeated: &str) -> Value {
    match next {
        None => json!({"data": data, "next": null}),
        Some(offset) => {
            let next = format!("{path}?offset={}{repeated}", encode(&offset));
            json!({"data": data, "offset": offset, "next": next})
        }
    }
}

/// Reads `size`.
///
/// # Errors
/// [`ApiError::InvalidSize`].
pub(crate) fn size(arguments: &Arguments) -> Result<usize, ApiError> {
    let Some(text) = arguments.one("size")? else { return Ok(DEFAULT_SIZE) };
    let number = infer::number(text).ok_or(ApiError::InvalidSize("a number"))?;
    let size = number.as_u64().and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| (1..=LARGEST_SIZE).contains(size));
    size.ok_or(ApiError::InvalidSize("an integer between 1 and 1000"))
}

/// Reads `offset`.
///
/// # Errors
/// [`ApiError::InvalidOffset`].
pub(crate) fn offset<O>(arguments: &Arguments) -> Result<Option<O>, ApiError>
where
    O: std::str::FromStr<Err = moongate_store::OffsetError>,
{
    let Some(text) = arguments.one("offset")? else { return Ok(None) };
    let invalid = |error: O::Err| ApiError::InvalidOffset { offset: text.to_owned(), why: error.to_string() };
    text.parse().map(Some).map_err(invalid)
}

fn request(arguments: &Arguments) -> Result<PageRequest, ApiError> {
    Ok(PageRequest { offset: offset(arguments)?, ..PageRequest::new(size(arguments)?) })
}

/// `a,b` for entities with both tags, `a/b` for those with one of them. A tag that nothing can have, such as the empty
/// one, is no fault; nothing has it.
fn parse_tags(text: &str) -> Result<TagFilter, ApiError> {
    let invalid = |why| ApiError::InvalidOption { option: "tags", why };
    let split = |separator| text.split(separator).map(str::to_owned).collect::<Vec<_>>();
    let (tags, any) = match (text.contains(','), text.contains('/')) {
        _ if text.is_empty() => return Err(invalid("cannot be null")),
        (true, true) => return Err(invalid("invalid filter syntax")),
        (_, any) => (split(if any { '/' } else { ',' }), any),
    };
    match (tags.len() > MOST_TAGS, any) {
        (true, _) => Err(invalid("cannot query more than 5 tags")),
        (false, true) => Ok(TagFilter::Any(tags)),
        (false, false) => Ok(TagFilter::All(tags)),
    }
}

/// How many entities a page has when nothing is said.
pub(crate) const DEFAULT_SIZE: usize = 100;
const LARGEST_SIZE: usize = 1000;
const MOST_TAGS: usize = 5;
