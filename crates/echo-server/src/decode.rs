//! Text out of what HTTP carries as bytes.
//!
//! Nothing here fails: an upstream that shows what it received is most useful for the requests that are wrong. What
//! does not parse is shown as the text that it is.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::COOKIE;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// `bytes` as UTF-8, or as Latin-1 where they are not, so that every byte stays visible.
pub(crate) fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// The names and values of a query or of a urlencoded form, in their order.
pub(crate) fn pairs(encoded: &str) -> Vec<(String, String)> {
    encoded
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

/// `pairs` as an object. A name that occurs more than once gets an array; brackets in names mean nothing.
pub(crate) fn object(pairs: &[(String, String)]) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in pairs {
        let value = Value::from(value.as_str());
        match object.get_mut(name) {
            None => drop(object.insert(name.clone(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object
}

/// The cookies of all `Cookie` headers. Of two with the same name the first counts.
pub(crate) fn cookies(headers: &HeaderMap) -> Map<String, Value> {
    let mut cookies = Map::new();
    for header in headers.get_all(COOKIE) {
        for cookie in text(header.as_bytes()).split(';') {
            let Some((name, value)) = cookie.split_once('=') else { continue };
            let value = value.trim();
            let value = value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value);
            cookies
                .entry(name.trim())
                .or_insert_with(|| percent_decode_str(value).decode_utf8_lossy().into_owned().into());
        }
    }
    cookies
}

/// All headers by their name in lower case; one that was sent more than once has its values joined.
pub(crate) fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined: HashMap<&str, String> = HashMap::new();
    for (name, value) in headers {
        let value = text(value.as_bytes());
        joined
            .entry(name.as_str())
            .and_modify(|values| {
                values.push_str(if name == COOKIE { "; " } else { ", " });
                values.push_str(&value);
            })
            .or_insert(value);
    }
    joined.into_iter().map(|(name, values)| (name.to_owned(), values.into())).collect()
}

/// The body as its media type says: JSON as what it holds, a form as an object, anything else as text. No body is an
/// empty object.
pub(crate) fn body(content_type: &str, bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Object(Map::new());
    }
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type == "application/json" || media_type.ends_with("+json") {
        return serde_json::from_slice(bytes).unwrap_or_else(|_| text(bytes).into());
    }
    if media_type == "application/x-www-form-urlencoded" {
        return object(&pairs(&text(bytes))).into();
    }
    text(bytes).into()
}

fn unescape(encoded: &str) -> String {
    percent_decode_str(&encoded.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_decoded_and_repeated_names_become_arrays() {
        let query = object(&pairs("a=1&b=x+y%20z&a=2&flag&&a=3&caf%C3%A9=%E2%98%95&bad=%zz"));
        assert_eq!(
            Value::from(query),
            json!({"a": ["1", "2", "3"], "b": "x y z", "flag": "", "café": "☕", "bad": "%zz"})
        );
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_latin1() {
        assert_eq!(text(b"caf\xe9"), "café");
        assert_eq!(text("café".as_bytes()), "café");
    }

    #[test]
    fn the_first_of_two_cookies_counts_and_quotes_and_escapes_are_removed() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static(r#"a=1; b="two words"; c=x%3Dy"#));
        headers.append(COOKIE, HeaderValue::from_static("a=other; nothing; d=p=q"));
        assert_eq!(
            Value::from(cookies(&headers)),
            json!({"a": "1", "b": "two words", "c": "x=y", "d": "p=q"})
        );
    }

    #[test]
    fn a_body_is_read_by_its_media_type() {
        assert_eq!(body("application/json; charset=utf-8", br#"{"a":[1]}"#), json!({"a": [1]}));
        assert_eq!(body("Application/Problem+JSON", b"[true]"), json!([true]));
        assert_eq!(body("application/x-www-form-urlencoded", b"a=1&b=x+y"), json!({"a": "1", "b": "x y"}));
        assert_eq!(body("text/plain", b"{}"), json!("{}"));
        assert_eq!(body("", b"\xff"), json!("ÿ"));
        assert_eq!(body("application/json", b""), json!({}));
    }

    #[test]
    fn a_body_that_is_not_the_json_it_claims_is_shown_as_text() {
        assert_eq!(body("application/json", b"{oops"), json!("{oops"));
    }
}
