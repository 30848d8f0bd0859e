//! The head of a response, as the client gets it.

use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::forwarded::{VIA_1_1, X_KONG_REQUEST_ID};
use crate::options::HeaderTokens;

/// Where a response came from, and how long it took.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timing {
    /// The gateway or a plugin answered, after this long.
    Own(Duration),
    /// The request was sent, or it was tried to.
    Proxied {
        /// From the request's arrival until it was sent.
        gateway: Duration,
        /// From then until the head of the response was there, or until it was clear that none comes.
        upstream: Duration,
    },
}

impl Timing {
    /// The part of an upstream.
    pub(crate) fn upstream(self) -> Option<Duration> {
        match self {
            Self::Own(_) => None,
            Self::Proxied { upstream, .. } => Some(upstream),
        }
    }
}

/// Adds what the gateway says of a response.
pub(crate) fn annotate(
    headers: &mut HeaderMap,
    tokens: &HeaderTokens,
    timing: Timing,
    id: Option<HeaderValue>,
) {
    let timing = match timing {
        // A plugin answered with what an upstream said earlier.
        Timing::Own(taken) if headers.contains_key(X_KONG_UPSTREAM_LATENCY) => {
            Timing::Proxied { gateway: taken, upstream: Duration::ZERO }
        }
        timing => timing,
    };
    match timing {
        Timing::Own(taken) => {
            if tokens.response_latency {
                headers.insert(X_KONG_RESPONSE_LATENCY, milliseconds(taken));
            }
        }
        Timing::Proxied { gateway, upstream } => {
            if tokens.upstream_latency {
                headers.insert(X_KONG_UPSTREAM_LATENCY, milliseconds(upstream));
            }
            if tokens.proxy_latency {
                headers.insert(X_KONG_PROXY_LATENCY, milliseconds(gateway));
            }
            if tokens.via {
                headers.append(header::VIA, HeaderValue::from_static(VIA_1_1));
            }
        }
    }
    if tokens.server && !headers.contains_key(header::SERVER) {
        headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    }
    if let Some(id) = id {
        headers.insert(X_KONG_REQUEST_ID, id);
    }
}

/// Adds the status that the upstream answered with; a plugin may change the response's own.
pub(crate) fn tell_upstream_status(head: &mut http::response::Parts) {
    head.headers.insert(X_KONG_UPSTREAM_STATUS, HeaderValue::from(head.status.as_u16()));
}

/// Names the character set of texts whose `Content-Type` says nothing but the type.
pub(crate) fn name_charset(head: &mut http::response::Parts) {
    let headers = &mut head.headers;
    let Some(kind) = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes) else { return };
    let Some((_, named)) = TEXTS.iter().find(|(text, _)| kind.eq_ignore_ascii_case(text.as_bytes())) else {
        return;
    };
    // What is shown after a redirect is another page, and what is compressed is no text.
    if matches!(head.status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND)
        || headers.get(header::CONTENT_ENCODING).is_some_and(|coding| !coding.is_empty())
    {
        return;
    }
    let value = match named.as_bytes().starts_with(kind) {
        true => HeaderValue::from_static(named),
        // The type stays in the letters that the upstream wrote it in.
        false => match HeaderValue::from_bytes(&[kind, b"; charset=UTF-8"].concat()) {
            Ok(value) => value,
            Err(_) => return,
        },
    };
    headers.insert(header::CONTENT_TYPE, value);
}

/// Keeps the first of several lines where a header can have one value only.
pub(crate) fn drop_repeated(headers: &mut HeaderMap) {
    // Known without a look at the names.
    if headers.len() == headers.keys_len() {
        return;
    }
    for name in SINGLE {
        if headers.get_all(&name).iter().nth(1).is_some()
            && let Some(first) = headers.get(&name).cloned()
        {
            headers.insert(name, first);
        }
    }
}

fn milliseconds(duration: Duration) -> HeaderValue {
    HeaderValue::from(duration.as_millis() as u64)
}

/// The types of texts, and how they are sent.
const TEXTS: [(&str, &str); 6] = [
    ("text/html", "text/html; charset=UTF-8"),
    ("text/plain", "text/plain; charset=UTF-8"),
    ("text/xml", "text/xml; charset=UTF-8"),
    ("application/javascript", "application/javascript; charset=UTF-8"),
    ("application/rss+xml", "application/rss+xml; charset=UTF-8"),
    ("text/vnd.wap.wml", "text/vnd.wap.wml; charset=UTF-8"),
];

/// Headers that can have one value only.
const SINGLE: [HeaderName; 8] = [
    header::SERVER,
    header::DATE,
    header::CONTENT_TYPE,
    header::LAST_MODIFIED,
    header::ETAG,
    header::LOCATION,
    header::EXPIRES,
    header::CONTENT_ENCODING,
];

const SERVER: &str = concat!("moongate/", env!("CARGO_PKG_VERSION"));
const X_KONG_PROXY_LATENCY: HeaderName = HeaderName::from_static("x-kong-proxy-latency");
const X_KONG_RESPONSE_LATENCY: HeaderName = HeaderName::from_static("x-kong-response-latency");
const X_KONG_UPSTREAM_STATUS: HeaderName = HeaderName::from_static("x-kong-upstream-status");
const X_KONG_UPSTREAM_LATENCY: HeaderName = HeaderName::from_static("x-kong-upstream-latency");

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(status: u16, headers: &[(HeaderName, &'static str)]) -> http::response::Parts {
        let (mut head, ()) = http::Response::builder().status(status).body(()).unwrap().into_parts();
        for (name, value) in headers {
            head.headers.append(name, HeaderValue::from_static(value));
        }
        head
    }

    fn charset(status: u16, headers: &[(HeaderName, &'static str)]) -> String {
        let mut head = sent(status, headers);
        name_charset(&mut head);
        head.headers[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    }

    #[test]
    fn texts_without_a_character_set_get_one() {
        let kind = |kind| charset(200, &[(header::CONTENT_TYPE, kind)]);
        assert_eq!(kind("text/plain"), "text/plain; charset=UTF-8");
        assert_eq!(kind("application/javascript"), "application/javascript; charset=UTF-8");
        assert_eq!(kind("Text/HTML"), "Text/HTML; charset=UTF-8");
        for other in
            ["application/json", "text/css", "text/plain; charset=ascii", "text/html;level=1", "text"]
        {
            assert_eq!(kind(other), other);
        }
    }

    #[test]
    fn redirects_and_compressed_texts_get_no_character_set() {
        assert_eq!(charset(302, &[(header::CONTENT_TYPE, "text/html")]), "text/html");
        assert_eq!(charset(307, &[(header::CONTENT_TYPE, "text/html")]), "text/html; charset=UTF-8");
        let compressed = [(header::CONTENT_TYPE, "text/html"), (header::CONTENT_ENCODING, "gzip")];
        assert_eq!(charset(200, &compressed), "text/html");
    }

    #[test]
    fn of_several_lines_the_first_stays_where_one_makes_sense() {
        let lines = [
            (header::SERVER, "a"),
            (header::SERVER, "b"),
            (header::SET_COOKIE, "c=1"),
            (header::SET_COOKIE, "d=2"),
        ];
        let mut head = sent(200, &lines);
        drop_repeated(&mut head.headers);
        assert_eq!(head.headers.get_all(header::SERVER).iter().collect::<Vec<_>>(), ["a"]);
        assert_eq!(head.headers.get_all(header::SET_COOKIE).iter().count(), 2);
    }
}
