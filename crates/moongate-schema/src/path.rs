//! One spelling per path.
//!
//! A path can be written in many ways that mean the same: escaped letters, dot segments, repeated
//! slashes. Routes are matched on the normal form only, and configured paths must be in it already,
//! so that nobody reaches `/admin` past a plugin on `/admin` by writing `/%61dmin`.

use std::borrow::Cow;

use regex::Regex;

/// Why a path has no normal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// The path does not start with a slash; the `*` of an OPTIONS request is the usual cause.
    #[error("path does not start with a slash")]
    NotAbsolute,
    /// A percent sign is not followed by two hexadecimal digits.
    #[error("path has a malformed percent escape")]
    Escape,
    /// A percent escape stands for a NUL, which ends a text for many who would read it.
    #[error("path has a NUL")]
    Nul,
    /// The dot segments leave the root.
    #[error("path leaves the root")]
    AboveRoot,
    /// The decoded bytes are not UTF-8. Such a request is well formed, but no route matches it.
    #[error("path is not UTF-8 after decoding")]
    NotUtf8,
}

/// The normal form of a request's path, which must come without its query.
///
/// Escapes of bytes without a meaning of their own in a URL are decoded, the remaining ones are written
/// in upper case, dot segments are resolved and repeated slashes merged. The result is a part of `path`,
/// without an allocation, when nothing changes; one pass over the bytes decides that.
///
/// # Errors
/// [`PathError::NotUtf8`] for a path that no route can match, any other [`PathError`] for a path that
/// makes the request a bad one.
pub fn normalise(path: &str) -> Result<Cow<'_, str>, PathError> {
    let (normal, above_root) = resolve(path)?;
    if above_root { Err(PathError::AboveRoot) } else { Ok(normal) }
}

/// The regular expression of a route's path, from the text behind the `~`.
///
/// It matches at the start of a path only; it need not match all of it.
///
/// # Errors
/// Returns what is wrong with the expression.
pub fn path_regex(text: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{text})"))
}

/// As [`normalise`], but dot segments stop at the root, and whether one did is told.
pub fn resolve(path: &str) -> Result<(Cow<'_, str>, bool), PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    if is_normal(path.as_bytes()) {
        return Ok((Cow::Borrowed(path), false));
    }
    let decoded = String::from_utf8(decode(path.as_bytes())?).map_err(|_| PathError::NotUtf8)?;
    let mut normal = String::with_capacity(decoded.len());
    let mut above_root = false;
    let mut ends_in_slash = false;
    for segment in decoded.split('/').skip(1) {
        ends_in_slash = true;
        match segment {
            "" | "." => {}
            ".." => match normal.rfind('/') {
                Some(at) => normal.truncate(at),
                None => above_root = true,
            },
            segment => {
                normal.push('/');
                normal.push_str(segment);
                ends_in_slash = false;
            }
        }
    }
    if ends_in_slash {
        normal.push('/');
    }
    Ok((Cow::Owned(normal), above_root))
}

/// The byte that two hexadecimal digits stand for.
pub fn escaped_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// Whether a byte has a meaning of its own in a URL, which an escape takes from it.
pub fn is_reserved(byte: u8) -> bool {
    b"!*'();:@&=+$,/?%#[]".contains(&byte)
}

fn is_normal(mut rest: &[u8]) -> bool {
    loop {
        rest = match rest {
            [] => return true,
            [b'/', b'/', ..]
            | [b'/', b'.']
            | [b'/', b'.', b'/', ..]
            | [b'/', b'.', b'.']
            | [b'/', b'.', b'.', b'/', ..] => return false,
            [b'%', high, low, tail @ ..] => {
                let stays = escaped_byte(*high, *low).is_some_and(is_reserved);
                if !stays || high.is_ascii_lowercase() || low.is_ascii_lowercase() {
                    return false;
                }
                tail
            }
            [b'%', ..] => return false,
            [_, tail @ ..] => tail,
        }
    }
}

fn decode(mut rest: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(rest.len());
    loop {
        rest = match rest {
            [] => return Ok(decoded),
            [b'%', high, low, tail @ ..] => {
                let byte = escaped_byte(*high, *low).ok_or(PathError::Escape)?;
                if byte == 0 {
                    return Err(PathError::Nul);
                }
                if is_reserved(byte) {
                    decoded.extend([b'%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
                } else {
                    decoded.push(byte);
                }
                tail
            }
            [b'%', ..] => return Err(PathError::Escape),
            [byte, tail @ ..] => {
                decoded.push(*byte);
                tail
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_decoded_and_its_dot_segments_are_resolved() {
        for (path, normal) in [
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/a//b///c", "/a/b/c"),
            ("/a//../b", "/b"),
            ("/a/%2e%2e/b", "/b"),
            ("/a/.%2E/b", "/b"),
            ("/a/%252e%252e/b", "/a/%252e%252e/b"),
            ("/a%2fb", "/a%2Fb"),
            ("/%72ou/x", "/rou/x"),
            ("/a%20b", "/a b"),
            ("/caf%c3%a9", "/café"),
            ("/%E4%BD%A0", "/你"),
            ("/..a/.b./c..", "/..a/.b./c.."),
            ("//", "/"),
            ("/.", "/"),
        ] {
            assert_eq!(normalise(path).as_deref(), Ok(normal), "{path}");
        }
    }

    #[test]
    fn a_normal_path_is_borrowed() {
        for path in ["/", "/a/b", "/a/", "/a%2Fb%3F", "/.well-known/x", "/..x/...", "/café", "/a;b=c/@d"] {
            assert!(matches!(normalise(path), Ok(Cow::Borrowed(same)) if same == path), "{path}");
        }
    }

    #[test]
    fn a_path_without_a_normal_form_is_refused() {
        for (path, error) in [
            ("", PathError::NotAbsolute),
            ("*", PathError::NotAbsolute),
            ("/a%zzb", PathError::Escape),
            ("/a%", PathError::Escape),
            ("/a%4", PathError::Escape),
            ("/%00", PathError::Nul),
            ("/a/%00/..", PathError::Nul),
            ("/../a", PathError::AboveRoot),
            ("/a/../../b", PathError::AboveRoot),
            ("/%2e%2e/%2e%2e/etc", PathError::AboveRoot),
            ("/%ff", PathError::NotUtf8),
        ] {
            assert_eq!(normalise(path), Err(error), "{path}");
        }
    }

    #[test]
    fn a_path_expression_matches_at_the_start_only() {
        let expression = path_regex("/a|/b").unwrap();
        assert!(expression.is_match("/bc"));
        assert!(!expression.is_match("/x/b"));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing_more(path in "/([a-c./%]|%2[0-9a-fA-F]|%[46][0-9a-f]|%c3%a9|é){0,12}") {
            if let Ok(normal) = normalise(&path) {
                prop_assert!(normal.starts_with('/'));
                prop_assert!(!normal.contains("//"));
                prop_assert!(matches!(normalise(&normal), Ok(Cow::Borrowed(same)) if same == normal));
            }
        }
    }
}
