//! The text forms that requests are full of: queries, forms, cookies.
//!
//! `Request` has the usual ways to them, such as `Request::query_value`; these are for texts from elsewhere.

/// Names and values of a query or of a form body (`application/x-www-form-urlencoded`), decoded, in their order;
/// names that come several times are there several times. A name without `=` has an empty value. What is not
/// UTF-8 is replaced.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    split(text).map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The decoded value of the first pair with this name.
pub fn value(text: &str, name: &str) -> Option<String> {
    split(text).find(|(known, _)| decodes_to(known, name)).map(|(_, value)| decode(value))
}

/// The text without pairs of this name; all others stay as they are, byte by byte.
pub fn without(text: &str, name: &str) -> String {
    let kept = |part: &&str| {
        let known = part.split_once('=').map_or(*part, |(known, _)| known);
        !decodes_to(known, name)
    };
    text.split('&').filter(kept).collect::<Vec<_>>().join("&")
}

/// Writes pairs as a query or form body. A space becomes `+`.
pub fn encode_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        encode_into(&mut text, name, "+");
        text.push('=');
        encode_into(&mut text, value, "+");
    }
    text
}

/// Takes percent-encoding back, and reads `+` as a space. A `%` without two hex digits stays.
pub fn decode(text: &str) -> String {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return text.to_owned();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, behind @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    rest = behind;
                }
                _ => decoded.push(byte),
            },
            _ => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Percent-encodes everything but letters, digits and `-._~`.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    encode_into(&mut encoded, text, "%20");
    encoded
}

/// The value of a cookie, in what a `Cookie` header says.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    cookies(header).find(|(known, _)| *known == name).map(|(_, value)| value)
}

/// Names and values of a `Cookie` header, as they stand there.
pub fn cookies(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|part| part.trim().split_once('='))
}

/// Whether a `Content-Type` is this one, whatever its parameters.
pub fn is_media_type(content_type: &str, media_type: &str) -> bool {
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
}

fn split(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or((part, "")))
}

fn decodes_to(encoded: &str, text: &str) -> bool {
    encoded == text || (encoded.bytes().any(|byte| byte == b'%' || byte == b'+') && decode(encoded) == text)
}

fn encode_into(encoded: &mut String, text: &str, space: &str) {
    for byte in text.bytes() {
        if byte == b' ' {
            encoded.push_str(space);
        } else if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            for digit in [byte >> 4, byte & 15] {
                encoded.push(char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_and_keep_duplicates_and_order() {
        let text = "b=1&a=%C3%A9+x&b=2&&flag&=v&c=a=b&%62=3";
        let expected =
            [("b", "1"), ("a", "é x"), ("b", "2"), ("flag", ""), ("", "v"), ("c", "a=b"), ("b", "3")];
        let expected: Vec<_> =
            expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(pairs(text), expected);
        assert_eq!(value(text, "b").unwrap(), "1");
        assert_eq!(value(text, "c").unwrap(), "a=b");
        assert_eq!(value(text, "d"), None);
    }

    #[test]
    fn a_percent_sign_without_digits_stays() {
        for (text, decoded) in
            [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%%41", "%A"), ("a%2", "a%2"), ("%41%", "A%")]
        {
            assert_eq!(decode(text), decoded, "{text}");
        }
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn what_is_taken_out_leaves_the_others_untouched() {
        assert_eq!(without("a=1&apikey=x&b=%20&api%6bey=y", "apikey"), "a=1&b=%20");
        assert_eq!(without("apikey", "apikey"), "");
        assert_eq!(without("a=1", "b"), "a=1");
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        let text = "a b+c&d=é/%~";
        assert_eq!(encode(text), "a%20b%2Bc%26d%3D%C3%A9%2F%25~");
        assert_eq!(decode(&encode(text)), text);
        assert_eq!(encode_pairs([("a", "1 2"), ("é", "")]), "a=1+2&%C3%A9=");
    }

    #[test]
    fn a_cookie_is_found_by_its_name() {
        assert_eq!(cookie("a=1; jwt=x.y=z ;b=2", "jwt"), Some("x.y=z"));
        assert_eq!(cookie("ajwt=1", "jwt"), None);
        assert_eq!(cookie("jwt", "jwt"), None);
    }

    #[test]
    fn a_media_type_is_compared_without_its_parameters() {
        assert!(is_media_type("Application/JSON; charset=utf-8", "application/json"));
        assert!(!is_media_type("application/json-patch", "application/json"));
    }
}
