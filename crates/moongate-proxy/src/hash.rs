//! What of a request is hashed, so that requests that have it in common go to the same target.

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, header};
use moongate_balancer::{Algorithm, HashSource, Settings, hash};
use moongate_hooks::Exchange;
use moongate_router::{Captures, normalise};
use percent_encoding::percent_decode;
use uuid::Uuid;

/// The hash of a request, and the cookie that the client is to keep for the next time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashed {
    pub(crate) hash: Option<u32>,
    pub(crate) cookie: Option<HeaderValue>,
}

/// Looks for what the settings say, and for their fallback where the request does not have it. `random` makes the
/// value of a new cookie.
pub(crate) fn of(
    settings: &Settings,
    exchange: &Exchange,
    captures: Option<&Captures>,
    random: impl FnOnce() -> u128,
) -> Hashed {
    for source in [&settings.hash_on, &settings.hash_fallback] {
        if let HashSource::Cookie { name, path } = source {
            if let Some(value) = cookie(&exchange.request.headers, name) {
                return Hashed { hash: Some(hash(value)), cookie: None };
            }
            let value = uuid::Builder::from_random_bytes(random().to_be_bytes()).into_uuid();
            return Hashed { hash: Some(hash(value.to_string().as_bytes())), cookie: set(name, path, value) };
        }
        if let Some(value) = value(source, exchange, captures) {
            return Hashed { hash: Some(hash(&value)), cookie: None };
        }
    }
    Hashed::default()
}

/// Looks for what the settings say in a stream, of which only the client's address is known.
pub(crate) fn of_stream(settings: &Settings, client: IpAddr) -> Hashed {
    let hashes =
        |source: &HashSource| settings.algorithm == Algorithm::ConsistentHashing && *source == HashSource::Ip;
    let is_hashed = hashes(&settings.hash_on) || hashes(&settings.hash_fallback);
    Hashed { hash: is_hashed.then(|| hash(client.to_string().as_bytes())), cookie: None }
}

/// Whether what the route's expressions captured has to be known.
pub(crate) fn needs_captures(settings: &Settings) -> bool {
    [&settings.hash_on, &settings.hash_fallback]
        .iter()
        .any(|source| matches!(source, HashSource::UriCapture(_)))
}

/// What the request has of a source other than a cookie; nothing where that is empty.
fn value<'a>(
    source: &HashSource,
    exchange: &'a Exchange,
    captures: Option<&'a Captures>,
) -> Option<Cow<'a, [u8]>> {
    let request = &exchange.request;
    let value: Cow<'a, [u8]> = match source {
        HashSource::None | HashSource::Cookie { .. } => return None,
        HashSource::Consumer => {
            let identity = exchange.identity.as_ref()?;
            let consumer = identity.consumer.as_ref().map(|consumer| &consumer.id);
            consumer.or(identity.credential.as_ref().map(|credential| &credential.id))?.as_bytes().into()
        }
        HashSource::UriCapture(group) => match group.parse() {
            Ok(number) => captures?.get(number)?.as_bytes().into(),
            Err(_) => captures?.name(group)?.as_bytes().into(),
        },
        HashSource::Ip => exchange.client.address.to_string().into_bytes().into(),
        HashSource::Header(name) => {
            let mut values = request.headers.get_all(name).iter().map(HeaderValue::as_bytes);
            let first = values.next()?;
            match values.next() {
                None => first.into(),
                Some(second) => [first, second].into_iter().chain(values).collect::<Vec<_>>().concat().into(),
            }
        }
        HashSource::Path => normalise(request.uri.path()).ok()?.into_owned().into_bytes().into(),
        HashSource::QueryArgument(name) => argument(request.uri.query()?, name)?.into(),
    };
    (!value.is_empty()).then_some(value)
}

/// The values of a query's argument, sorted and joined by commas.
fn argument(query: &str, wanted: &str) -> Option<Vec<u8>> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode(text.as_bytes()).collect::<Vec<u8>>()
    };
    let mut values: Vec<Vec<u8>> = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "true")))
        .filter(|(name, _)| decode(name) == wanted.as_bytes())
        .map(|(_, value)| decode(value))
        .collect();
    values.sort();
    if values.is_empty() { None } else { Some(values.join(&b',')) }
}

/// The value of a cookie, unless it is empty.
fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a [u8]> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .find_map(|pair| {
            let pair = pair.trim_ascii();
            pair.strip_prefix(wanted.as_bytes())?.strip_prefix(b"=")
        })
        .filter(|value| !value.is_empty())
}

/// The header that sets a cookie. The attribute is spelt as Kong does.
fn set(name: &str, path: &str, value: Uuid) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{name}={value}; Path={path}; Same-Site=Lax; HttpOnly")).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, Request};
    use moongate_hooks::{Client, Consumer, Credential, Identity};

    use super::*;

    fn exchange(request: http::request::Builder) -> Exchange {
        let client = Client {
            peer: "10.1.2.3:4".parse().unwrap(),
            address: "10.1.2.3".parse().unwrap(),
            tls: false,
            trusted: false,
            port: 8000,
        };
        Exchange::new(1, request.body(()).unwrap().into_parts().0, client, tokio::time::Instant::now())
    }

    fn header_source(name: &'static str) -> HashSource {
        HashSource::Header(HeaderName::from_static(name))
    }

    fn hashed(on: HashSource, fallback: HashSource, request: http::request::Builder) -> Hashed {
        let settings = Settings { hash_on: on, hash_fallback: fallback, ..Settings::default() };
        of(&settings, &exchange(request), None, || 7)
    }

    fn just(value: &str) -> Hashed {
        Hashed { hash: Some(hash(value.as_bytes())), cookie: None }
    }

    #[test]
    fn each_source_takes_its_part_of_the_request() {
        let argument = |name: &str| HashSource::QueryArgument(name.to_owned());
        let cookie = || HashSource::Cookie { name: "sid".to_owned(), path: "/".to_owned() };
        let query = "/a?key=red&other=1&two=b&two=a%2C&two=+&bare";
        for (source, request, expected) in [
            (HashSource::Ip, Request::get("/"), "10.1.2.3"),
            (header_source("x-key"), Request::get("/").header("X-Key", "red"), "red"),
            (header_source("x-key"), Request::get("/").header("X-Key", "r").header("X-Key", "ed"), "red"),
            (HashSource::Path, Request::get("/a/./b%20c?x=1"), "/a/b c"),
            (argument("key"), Request::get(query), "red"),
            (argument("two"), Request::get(query), " ,a,,b"),
            (argument("bare"), Request::get(query), "true"),
            (cookie(), Request::get("/").header("Cookie", "a=1; sid=red; sid=green"), "red"),
            (cookie(), Request::get("/").header("Cookie", "xsid=1").header("Cookie", "sid=red"), "red"),
        ] {
            assert_eq!(hashed(source.clone(), HashSource::None, request), just(expected), "{source:?}");
        }
    }

    #[test]
    fn whoever_was_authenticated_is_hashed_and_without_a_consumer_the_credential() {
        let consumer = |id: &str| Consumer { id: id.to_owned(), username: None, custom_id: None };
        let credential = |id: &str| Credential { id: id.to_owned(), identifier: None };
        let settings = Settings { hash_on: HashSource::Consumer, ..Settings::default() };
        for (identity, expected) in [
            (Identity { consumer: Some(consumer("c")), credential: Some(credential("k")) }, just("c")),
            (Identity { consumer: None, credential: Some(credential("k")) }, just("k")),
            (Identity::default(), Hashed::default()),
        ] {
            let mut exchange = exchange(Request::get("/"));
            exchange.identity = Some(Box::new(identity));
            assert_eq!(of(&settings, &exchange, None, || 7), expected);
        }
    }

    #[test]
    fn what_is_missing_or_empty_is_replaced_by_the_fallback() {
        let fallback = || header_source("x-other");
        let request = || Request::get("/?key=").header("X-Other", "z").header("X-Key", "");
        for source in [
            HashSource::Consumer,
            header_source("x-key"),
            header_source("x-none"),
            HashSource::QueryArgument("key".to_owned()),
            HashSource::QueryArgument("none".to_owned()),
        ] {
            assert_eq!(hashed(source, fallback(), request()), just("z"));
        }
        assert_eq!(hashed(fallback(), HashSource::Ip, request()), just("z"));
        assert_eq!(hashed(HashSource::Consumer, HashSource::None, request()), Hashed::default());
    }

    #[test]
    fn a_client_without_the_cookie_gets_one_that_leads_to_the_same_target() {
        let source = || HashSource::Cookie { name: "sid".to_owned(), path: "/app".to_owned() };
        let first = hashed(source(), HashSource::None, Request::get("/"));
        let line = first.cookie.unwrap();
        let line = line.to_str().unwrap();
        let value =
            line.strip_prefix("sid=").unwrap().strip_suffix("; Path=/app; Same-Site=Lax; HttpOnly").unwrap();
        let id: Uuid = value.parse().unwrap();
        assert_eq!(id.get_version_num(), 4);
        let next = Request::get("/").header("Cookie", format!("sid={value}"));
        assert_eq!(hashed(source(), HashSource::None, next), Hashed { hash: first.hash, cookie: None });

        let given = hashed(header_source("x-key"), source(), Request::get("/").header("X-Key", "red"));
        assert_eq!(given, just("red"));
        assert!(hashed(header_source("x-key"), source(), Request::get("/")).cookie.is_some());
    }
}
