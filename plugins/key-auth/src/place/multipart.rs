//! Bodies of the type `multipart/form-data`.

use moongate_sdk::text;

/// A field of a form.
pub(crate) struct Part<'a> {
    pub(crate) name: Option<String>,
    pub(crate) content: &'a [u8],
    /// The whole part, with the boundary before it.
    whole: &'a [u8],
}

/// The boundary that a content type names.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    if !text::is_media_type(content_type, "multipart/form-data") {
        return None;
    }
    parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())
}

/// The parts of a body, as far as they are well-formed.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> impl Iterator<Item = Part<'a>> {
    let delimiter = format!("--{boundary}").into_bytes();
    let mut rest = find(body, &delimiter).and_then(|at| body.get(at..));
    std::iter::from_fn(move || {
        let from = rest?;
        let behind = from.get(delimiter.len()..)?;
        if behind.starts_with(b"--") {
            return None;
        }
        let end = find(behind, &delimiter)?;
        let whole = from.get(..delimiter.len() + end)?;
        rest = from.get(whole.len()..);
        let part = behind.get(..end)?;
        let (head, content) = match find(part, b"\r\n\r\n") {
            Some(at) => (part.get(..at)?, part.get(at + 4..)?),
            None => (part, &[][..]),
        };
        let content = content.strip_suffix(b"\r\n").unwrap_or(content);
        Some(Part { name: name(&String::from_utf8_lossy(head)), content, whole })
    })
}

/// The body without the parts of a name.
pub(crate) fn without(body: &[u8], boundary: &str, name: &str) -> Vec<u8> {
    let mut kept = Vec::with_capacity(body.len());
    let mut end = 0;
    for part in parts(body, boundary) {
        end += part.whole.len();
        if part.name.as_deref() != Some(name) {
            kept.extend_from_slice(part.whole);
        }
    }
    let begin = find(body, format!("--{boundary}").as_bytes()).unwrap_or_default();
    kept.extend_from_slice(body.get(begin + end..).unwrap_or_default());
    kept
}

fn name(head: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.trim().eq_ignore_ascii_case("content-disposition").then(|| parameter(value, "name"))?
    })
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (known, value) = part.trim().split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        known.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
