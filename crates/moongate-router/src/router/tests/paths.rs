use std::borrow::Cow;

use proptest::prelude::*;

use super::*;
use crate::{PathError, normalise};

#[test]
fn a_path_matches_as_a_prefix_of_bytes_and_the_longest_wins() {
    check(
        &["paths: [/foo]", "paths: [/foo/bar, /other]", "paths: [/]"],
        &[
            ("gw.test", "/foo", Some(0)),
            ("gw.test", "/foo/", Some(0)),
            ("gw.test", "/foobar", Some(0)),
            ("gw.test", "/foo/ba", Some(0)),
            ("gw.test", "/foo/bar", Some(1)),
            ("gw.test", "/foo/barn", Some(1)),
            ("gw.test", "/other/x", Some(1)),
            ("gw.test", "/Foo", Some(2)),
            ("gw.test", "/x/foo", Some(2)),
        ],
    );
}

#[test]
fn each_of_several_paths_competes_on_its_own() {
    check(
        &["paths: [/one, /two, /three/deep]", "paths: [/three]", "paths: [/on]"],
        &[
            ("gw.test", "/one", Some(0)),
            ("gw.test", "/two/x", Some(0)),
            ("gw.test", "/three", Some(1)),
            ("gw.test", "/three/deep/er", Some(0)),
            ("gw.test", "/on", Some(2)),
        ],
    );
}

#[test]
fn an_expression_matches_at_the_start_of_the_path_only() {
    check(
        &["paths: ['~/item/[a-z]+']", "paths: ['~/end$']", "paths: ['~/a\\.b/c\\+d$']"],
        &[
            ("gw.test", "/item/abc", Some(0)),
            ("gw.test", "/item/abc9", Some(0)),
            ("gw.test", "/item/abc/more", Some(0)),
            ("gw.test", "/x/item/abc", None),
            ("gw.test", "/item/9", None),
            ("gw.test", "/end", Some(1)),
            ("gw.test", "/end/", None),
            ("gw.test", "/a.b/c+d", Some(2)),
            ("gw.test", "/axb/c+d", None),
        ],
    );
}

#[test]
fn an_expression_comes_before_a_plain_path_of_any_length() {
    check(
        &["paths: ['~/z/\\d+']", "paths: [/z/123]", "paths: ['~/(cats|dogs)/(?<id>\\d+)$']"],
        &[
            ("gw.test", "/z/123", Some(0)),
            ("gw.test", "/z/12", Some(0)),
            ("gw.test", "/cats/1", Some(2)),
            ("gw.test", "/dogs/22", Some(2)),
            ("gw.test", "/birds/1", None),
            ("gw.test", "/cats/x", None),
        ],
    );
}

#[test]
fn the_prefix_is_the_part_of_the_path_that_matched() {
    let headers = HeaderMap::new();
    for (route, path, prefix) in [
        ("paths: [/foo, /]", "/foobar", "/foo"),
        ("paths: [/foo, /]", "/x", "/"),
        ("paths: ['~/users/\\d+']", "/users/12/posts", "/users/12"),
        ("paths: ['~/x/(?<id>[a-z]+)$']", "/x/abc", "/x/abc"),
        ("hosts: [gw.test]", "/foo", "/"),
    ] {
        let router = router(Flavour::default(), &[route]);
        let found = router.find(&get("gw.test", path, &headers)).unwrap();
        assert_eq!(found.prefix, prefix, "{route} {path}");
    }
}

#[test]
fn requests_are_matched_on_the_normal_form_of_their_paths() {
    for (path, normal) in [
        ("/a/../b", Ok("/b")),
        ("/a/.%2e/b", Ok("/b")),
        ("/a/%252e%252e/b", Ok("/a/%252e%252e/b")),
        ("/%72ou/x", Ok("/rou/x")),
        ("/a%2fb", Ok("/a%2Fb")),
        ("/rou//x", Ok("/rou/x")),
        ("/../a", Err(PathError::AboveRoot)),
        ("/100%", Err(PathError::Escape)),
        ("/%ff", Err(PathError::NotUtf8)),
        ("/%00", Err(PathError::Nul)),
    ] {
        assert_eq!(normalise(path).as_deref().map_err(|error| *error), normal, "{path}");
    }
}

/// The normal form, made in one obvious step after the other.
fn naive(path: &str) -> Result<String, PathError> {
    if !path.starts_with('/') {
        return Err(PathError::NotAbsolute);
    }
    let mut decoded = Vec::new();
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digits: Vec<u8> = bytes.by_ref().take(2).collect();
        let text = std::str::from_utf8(&digits).map_err(|_| PathError::Escape)?;
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(PathError::Escape);
        }
        let value = u8::from_str_radix(text, 16).unwrap();
        if value == 0 {
            return Err(PathError::Nul);
        }
        match b"!*'();:@&=+$,/?%#[]".contains(&value) {
            true => decoded.extend(format!("%{value:02X}").bytes()),
            false => decoded.push(value),
        }
    }
    let decoded = String::from_utf8(decoded).map_err(|_| PathError::NotUtf8)?;
    let mut kept: Vec<&str> = Vec::new();
    let mut above = false;
    for segment in decoded.split('/').filter(|segment| !["", "."].contains(segment)) {
        match segment {
            ".." => above |= kept.pop().is_none(),
            segment => kept.push(segment),
        }
    }
    let last = decoded.rsplit('/').next().unwrap();
    let slash = if ["", ".", ".."].contains(&last) { "/" } else { "" };
    let joined = kept.iter().map(|segment| format!("/{segment}")).collect::<String>();
    if above { Err(PathError::AboveRoot) } else { Ok(joined + slash) }
}

proptest! {
    #[test]
    fn any_text_has_a_normal_form_or_none(path in any::<String>()) {
        prop_assert_eq!(normalise(&path).map(Cow::into_owned), naive(&path));
    }

    #[test]
    fn any_path_has_the_normal_form_that_the_steps_lead_to(
        path in "/([a./%é]|//|\\.\\.|%2[0-9a-fA-F]|%[46][0-9a-f]|%c3%a9|%ff){0,12}",
    ) {
        prop_assert_eq!(normalise(&path).map(Cow::into_owned), naive(&path));
        if let Ok(normal) = normalise(&path) {
            let again = normalise(&normal);
            prop_assert!(matches!(again, Ok(Cow::Borrowed(same)) if same == normal));
        }
    }
}
