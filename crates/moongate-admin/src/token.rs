//! The secret that callers show when one is configured.

use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Whether a request shows `expected`, as a bearer token or in the header that Kong's clients use.
pub(crate) fn is_shown(expected: &str, headers: &HeaderMap) -> bool {
    let bearer = headers.get_all(AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(BEARER.len())?;
        scheme.eq_ignore_ascii_case(BEARER).then_some(token)
    });
    let own = headers.get_all(HEADER).iter().map(|value| value.as_bytes());
    bearer.chain(own).fold(false, |shown, token| shown | same(expected.as_bytes(), token))
}

/// Compares in a time that tells nothing but the lengths.
fn same(expected: &[u8], given: &[u8]) -> bool {
    if expected.len() != given.len() {
        return false;
    }
    let difference = expected.iter().zip(given).fold(0, |difference, (a, b)| difference | (a ^ b));
    std::hint::black_box(difference) == 0
}

const BEARER: &[u8] = b"Bearer ";
const HEADER: &str = "kong-admin-token";

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn shown(name: &'static str, value: &'static str) -> bool {
        let headers = [(HeaderName::from_static(name), value.parse().unwrap())].into_iter().collect();
        is_shown("secret", &headers)
    }

    #[test]
    fn the_token_is_accepted_in_both_headers() {
        assert!(shown("authorization", "Bearer secret"));
        assert!(shown("authorization", "bearer secret"));
        assert!(shown("kong-admin-token", "secret"));
    }

    #[test]
    fn anything_else_is_not() {
        assert!(!is_shown("secret", &HeaderMap::new()));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer secre",
            "Bearer Secret",
            "Bearer secrets",
            "Basic secret",
            "secret",
        ] {
            assert!(!shown("authorization", wrong), "{wrong}");
        }
        for wrong in ["", "Bearer secret", "Secret"] {
            assert!(!shown("kong-admin-token", wrong), "{wrong}");
        }
    }
}
