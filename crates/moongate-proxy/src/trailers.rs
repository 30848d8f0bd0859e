//! What comes behind the body of a message.
//!
//! Who gets trailers may take them for headers, and plugins do not see them. So none passes that says how a message is
//! read, where it goes or who sent it, and of a request's only those that its head announces and does not have itself.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http_body::Frame;

/// Whether a field may come behind a body at all.
pub(crate) fn may_trail(name: &HeaderName) -> bool {
    const NEVER: [HeaderName; 30] = [
        // Framing and the connection.
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        // Where a request goes, and what it is done for.
        header::CACHE_CONTROL,
        header::EXPECT,
        header::HOST,
        header::IF_MATCH,
        header::IF_MODIFIED_SINCE,
        header::IF_NONE_MATCH,
        header::IF_RANGE,
        header::IF_UNMODIFIED_SINCE,
        header::MAX_FORWARDS,
        header::PRAGMA,
        header::RANGE,
        // Who sends it.
        header::AUTHORIZATION,
        header::COOKIE,
        header::FORWARDED,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::SET_COOKIE,
        header::VIA,
        header::WWW_AUTHENTICATE,
        // How the body is read.
        header::CONTENT_ENCODING,
        header::CONTENT_RANGE,
        header::CONTENT_TYPE,
        header::LOCATION,
        header::RETRY_AFTER,
    ];
    !NEVER.contains(name) && !matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

/// The fields that may come behind the body of a request with this head.
pub(crate) fn announced(head: &HeaderMap) -> Box<[HeaderName]> {
    head.get_all(header::TRAILER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| may_trail(name) && !is_ours(name) && !head.contains_key(name))
        .collect()
}

/// The trailers in `frame` that were announced, as a frame; `None` where there are none.
pub(crate) fn passed(frame: Frame<Bytes>, announced: &[HeaderName]) -> Option<Frame<Bytes>> {
    let mut trailers = frame.into_trailers().ok()?;
    if trailers.keys().any(|name| !announced.contains(name)) {
        let others: Vec<_> = trailers.keys().filter(|name| !announced.contains(name)).cloned().collect();
        for name in others {
            trailers.remove(name);
        }
    }
    (!trailers.is_empty()).then(|| Frame::trailers(trailers))
}

/// Whether upstreams believe that the gateway or a plugin wrote it.
fn is_ours(name: &HeaderName) -> bool {
    const OURS: [&str; 8] = [
        "x-anonymous-",
        "x-authenticated-",
        "x-consumer-",
        "x-credential-",
        "x-forwarded-",
        "x-kong-",
        "x-real-ip",
        "x-userinfo",
    ];
    OURS.iter().any(|start| name.as_str().starts_with(start))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn map(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_request_has_the_trailers_that_it_announces_and_may_have() {
        let head = map(&[
            ("trailer", "X-Sum, Content-Length,host ,, x-consumer-username, X-Role"),
            ("x-role", "guest"),
        ]);
        assert_eq!(*announced(&head), [HeaderName::from_static("x-sum")]);
        assert!(announced(&HeaderMap::new()).is_empty());
    }

    #[test]
    fn what_was_not_announced_does_not_pass() {
        let names = [HeaderName::from_static("a"), HeaderName::from_static("b")];
        let trailers = || Frame::trailers(map(&[("a", "1"), ("c", "2")]));
        assert_eq!(passed(trailers(), &names).unwrap().into_trailers().unwrap(), map(&[("a", "1")]));
        assert!(passed(trailers(), &[]).is_none());
    }
}
