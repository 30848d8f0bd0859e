//! Bodies of the type `multipart/form-data`, already read as a whole.

use std::borrow::Cow;

use serde_json::Value;

use crate::error::ApiError;

/// The names and contents of the parts, in their order.
///
/// A part of the type `application/json` is read as JSON, every other one as text, files included: certificates
/// and whole configurations come as files. Parts without a name are left out, and so is what follows a part that
/// does not end.
///
/// # Errors
/// [`ApiError::MalformedJson`] for a part that is said to be JSON and is not, [`ApiError::TooManyArguments`].
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Result<Vec<(String, Value)>, ApiError> {
    let Some(boundary) = parameter(content_type, "boundary") else {
        return Ok(Vec::new());
    };
    let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
    // The first delimiter has no line before it.
    let mut rest = match body.strip_prefix(delimiter.get(2..).unwrap_or_default()) {
        Some(rest) => rest,
        None => match find(body, &delimiter) {
            Some((_, rest)) => rest,
            None => return Ok(Vec::new()),
        },
    };
    let mut fields = Vec::new();
    while !rest.starts_with(b"--") {
        let Some((part, next)) = find(rest, &delimiter) else { break };
        rest = next;
        // Behind the delimiter there may be spaces before the end of its line.
        let Some((_, part)) = find(part, b"\r\n") else { continue };
        let (head, content) = match part.strip_prefix(b"\r\n") {
            Some(content) => (&[][..], content),
            None => match find(part, b"\r\n\r\n") {
                Some(both) => both,
                None => continue,
            },
        };
        let head = String::from_utf8_lossy(head);
        let Some(name) = header(&head, "content-disposition").and_then(|value| parameter(value, "name"))
        else {
            continue;
        };
        let json = header(&head, "content-type").is_some_and(|value| value.starts_with("application/json"));
        let value = if json {
            serde_json::from_slice(content).map_err(|_| ApiError::MalformedJson)?
        } else {
            Value::String(String::from_utf8_lossy(content).into_owned())
        };
        if fields.len() == crate::arguments::MOST {
            return Err(ApiError::TooManyArguments);
        }
        fields.push((name.into_owned(), value));
    }
    Ok(fields)
}

/// Cuts `text` at the first `what`.
fn find<'a>(text: &'a [u8], what: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(what.len()).position(|window| window == what)?;
    Some((text.get(..at)?, text.get(at + what.len()..)?))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    lines.find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The parameter of that name behind a header's value, without quotes.
fn parameter<'a>(value: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, next) = after.split_once(';').unwrap_or((after, ""));
                (Cow::Borrowed(value.trim()), next)
            }
        };
        if key.trim().trim_start_matches(';').trim().eq_ignore_ascii_case(name) && !value.is_empty() {
            return Some(value);
        }
        rest = next;
    }
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => {
                let (inside, rest) = text.split_at(at);
                let inside = if inside.contains('\\') {
                    Cow::Owned(inside.replace("\\\"", "\""))
                } else {
                    Cow::Borrowed(inside)
                };
                return (inside, rest.get(1..).unwrap_or_default());
            }
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    (Cow::Borrowed(text), "")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(body: &str) -> Vec<(String, Value)> {
        parse("multipart/form-data; boundary=xx", body.replace('\n', "\r\n").as_bytes()).unwrap()
    }

    #[test]
    fn parts_are_texts_by_their_name() {
        let body = "--xx\nContent-Disposition: form-data; name=\"a\"\n\n1\n--xx\n\
                    content-disposition: form-data; filename=\"k.pem\"; name=\"b c\"\nContent-Type: text/plain\n\n\
                    two\nlines\n\n--xx--\n";
        assert_eq!(fields(body), [("a".into(), json!("1")), ("b c".into(), json!("two\r\nlines\r\n"))]);
    }

    #[test]
    fn a_part_that_is_json_is_read_as_json() {
        let part = "--xx\nContent-Disposition: form-data; name=a\nContent-Type: application/json\n\n";
        assert_eq!(fields(&format!("{part}{{\"b\":[1]}}\n--xx--")), [("a".into(), json!({"b": [1]}))]);
        let broken = format!("{part}{{\n--xx--").replace('\n', "\r\n");
        let error = parse("multipart/form-data; boundary=\"xx\"", broken.as_bytes()).unwrap_err();
        assert!(matches!(error, ApiError::MalformedJson));
    }

    #[test]
    fn text_before_the_first_and_behind_the_last_part_is_left_out() {
        let body = "hello\n--xx  \nContent-Disposition: form-data; name=a\n\n\n--xx--\nContent-Disposition: \
                    form-data; name=b\n\n1\n--xx";
        assert_eq!(fields(body), [("a".into(), json!(""))]);
    }

    #[test]
    fn a_part_without_name_or_end_is_left_out() {
        assert_eq!(fields("--xx\n\n1\n--xx\nContent-Disposition: form-data; name=a\n\n1"), []);
        assert_eq!(parse("multipart/form-data", b"--xx\r\n").unwrap(), []);
        assert_eq!(fields(""), []);
    }

    #[test]
    fn a_quoted_name_may_have_a_quote_and_a_semicolon() {
        let body = "--xx\nContent-Disposition: form-data; name=\"a\\\";b\"; x=y\n\n1\n--xx--";
        assert_eq!(fields(body), [("a\";b".into(), json!("1"))]);
    }
}
