//! Changes of bodies, by what they are.

use moongate_sdk::{BodyError, Error, Request, log};

use crate::arguments::Arguments;
use crate::json::Members;
use crate::multipart::Parts;
use crate::rules::{Fields, Rules};
use crate::template::Source;

/// What a body is, as far as it can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Json,
    Form,
    Multipart,
}

impl Kind {
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        let content_type = content_type.to_ascii_lowercase();
        let kinds = [
            ("application/json", Self::Json),
            ("application/x-www-form-urlencoded", Self::Form),
            ("multipart/form-data", Self::Multipart),
        ];
        kinds.into_iter().find(|(name, _)| content_type.contains(name)).map(|(_, kind)| kind)
    }
}

/// The body of a request; nothing where it is too large to be changed.
pub(crate) fn read(request: &Request) -> Result<Option<Vec<u8>>, Error> {
    match request.body(LARGEST) {
        Ok(body) => Ok(Some(body)),
        Err(BodyError::Broken) => Err(BodyError::Broken.into()),
        Err(error) => {
            log::warn(&format!("the body goes on as it is: {error}"));
            Ok(None)
        }
    }
}

/// Changes the body of a request, if it is of a kind that can be changed.
pub(crate) fn change(request: &Request, rules: &Rules, source: &mut impl Source) -> Result<(), Error> {
    let content_type = request.header_text("content-type").unwrap_or_default();
    let Some(kind) = Kind::of(&content_type) else { return Ok(()) };
    let Some(body) = read(request)? else { return Ok(()) };
    if let Some(changed) = changed(kind, &content_type, &body, rules, source)? {
        request.set_body(changed);
    }
    Ok(())
}

/// The body after the changes; nothing where it stays as it is.
fn changed(
    kind: Kind,
    content_type: &str,
    body: &[u8],
    rules: &Rules,
    source: &mut impl Source,
) -> Result<Option<Vec<u8>>, Error> {
    match kind {
        Kind::Json => {
            let members = if body.is_empty() { Some(Members::default()) } else { Members::parse(body) };
            edited(members, body.is_empty(), rules, source, Members::encode)
        }
        Kind::Form => {
            let arguments = Arguments::parse(&String::from_utf8_lossy(body));
            let encode = |arguments: &Arguments| arguments.encode().into_bytes();
            edited(Some(arguments), body.is_empty(), rules, source, encode)
        }
        Kind::Multipart => {
            edited(Parts::parse(content_type, body), body.is_empty(), rules, source, Parts::encode)
        }
    }
}

fn edited<F: Fields>(
    fields: Option<F>,
    is_empty: bool,
    rules: &Rules,
    source: &mut impl Source,
    encode: impl FnOnce(&F) -> Vec<u8>,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(mut fields) = fields else { return Ok(None) };
    let is_changed =
        if is_empty { rules.fill(&mut fields, source)? } else { rules.apply(&mut fields, source)? };
    Ok(is_changed.then(|| encode(&fields)))
}

/// Bytes.
const LARGEST: u64 = 8 * 1024 * 1024;
