//! What a request asks the server to answer.
//!
//! Each control can be given as a header and as a query parameter; where both are, the header counts, because a
//! gateway can set one without touching the request target. A control that makes no sense is ignored: the request
//! then gets the document, which shows what was sent.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::decode;

#[derive(Debug, Default)]
pub(crate) struct Controls {
    statuses: Vec<StatusCode>,
    pub(crate) body: Option<Value>,
    /// Name of the variable to answer with.
    pub(crate) environment: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) delay: Duration,
    pub(crate) file: Option<String>,
}

impl Controls {
    /// The controls among the `headers` and the `query` of a request.
    pub(crate) fn of(headers: &HeaderMap, query: &[(String, String)]) -> Self {
        let in_header = |name: &str| headers.get(name).map(|value| decode::text(value.as_bytes()));
        let in_query = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let given = |header: &str, parameter: &str| {
            in_header(header)
                .filter(|text| !text.is_empty())
                .or_else(|| in_query(parameter).filter(|text| !text.is_empty()))
        };
        Self {
            statuses: given("x-echo-code", "echo_code").map(|list| statuses(&list)).unwrap_or_default(),
            body: given("x-echo-body", "echo_body")
                .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
            environment: given("x-echo-env-body", "echo_env_body"),
            headers: given("x-echo-header", "echo_header")
                .map(|list| response_headers(&list))
                .unwrap_or_default(),
            delay: given("x-echo-time", "echo_time").map(|text| delay(&text)).unwrap_or_default(),
            file: given("x-echo-file", "echo_file"),
        }
    }

    /// The status to answer with, drawn anew from the list on every call; `None` when none was asked for.
    pub(crate) fn status(&self) -> Option<StatusCode> {
        let count = u64::try_from(self.statuses.len()).ok().filter(|count| *count > 0)?;
        // Fresh random keys make the hash of anything a random number, without a generator to keep.
        let drawn = RandomState::new().hash_one(()) % count;
        self.statuses.get(usize::try_from(drawn).ok()?).copied()
    }
}

/// The statuses in a list such as `200-404-500`. Informational ones are left out: they end no exchange.
fn statuses(list: &str) -> Vec<StatusCode> {
    list.split('-')
        .filter_map(|code| code.trim().parse::<u16>().ok())
        .filter(|code| (200..=599).contains(code))
        .filter_map(|code| StatusCode::from_u16(code).ok())
        .collect()
}

/// The headers in a list such as `One:1, Two:2`.
///
/// A part that does not begin with a header name belongs to the value before it, so a date can be given as it is.
fn response_headers(list: &str) -> Vec<(HeaderName, HeaderValue)> {
    let mut fields: Vec<(HeaderName, String)> = Vec::new();
    for part in list.split(", ") {
        let field = part.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value.trim().to_owned()))
        });
        match (field, fields.last_mut()) {
            (Some(field), _) => fields.push(field),
            (None, Some((_, value))) => {
                value.push_str(", ");
                value.push_str(part.trim_end());
            }
            (None, None) => {}
        }
    }
    fields
        .into_iter()
        // The server frames the message; a second opinion would leave the connection unusable.
        .filter(|(name, _)| *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING)
        .filter_map(|(name, value)| Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?)))
        .collect()
}

fn delay(text: &str) -> Duration {
    text.trim().parse().map(Duration::from_millis).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Controls {
        Controls::of(&HeaderMap::new(), &decode::pairs(query))
    }

    #[test]
    fn every_status_in_a_list_is_drawn_sooner_or_later_and_no_other() {
        let controls = asked("echo_code=200-404-500");
        let mut drawn: Vec<u16> = (0..200).filter_map(|_| controls.status()).map(|s| s.as_u16()).collect();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn, [200, 404, 500]);
    }

    #[test]
    fn codes_that_are_no_final_status_are_ignored() {
        assert_eq!(asked("echo_code=99-100-600-abc--70000").status(), None);
        assert_eq!(asked("echo_code=abc-418").status(), Some(StatusCode::IM_A_TEAPOT));
    }

    #[test]
    fn a_date_in_the_header_list_keeps_its_comma() {
        let headers = response_headers("One:1, Expires: Wed, 21 Oct 2015 07:28:00 GMT, Two: a:b");
        let shown: Vec<_> = headers.iter().map(|(n, v)| format!("{n}={}", v.to_str().unwrap())).collect();
        assert_eq!(shown, ["one=1", "expires=Wed, 21 Oct 2015 07:28:00 GMT", "two=a:b"]);
    }

    #[test]
    fn headers_that_frame_the_message_or_are_no_headers_are_left_out() {
        let headers =
            response_headers("nonsense, Content-Length: 1, Transfer-Encoding: chunked, A: \u{1}, B: 2");
        assert_eq!(headers, [(HeaderName::from_static("b"), HeaderValue::from_static("2"))]);
    }

    #[test]
    fn an_empty_control_counts_as_absent() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo-body", HeaderValue::from_static(""));
        let controls = Controls::of(&headers, &decode::pairs("echo_body=query"));
        assert_eq!(controls.body, Some("query".into()));
    }

    #[test]
    fn a_delay_that_is_no_number_is_none() {
        assert_eq!(asked("echo_time=soon").delay, Duration::ZERO);
        assert_eq!(asked("echo_time=-5").delay, Duration::ZERO);
        assert_eq!(asked("echo_time=250").delay, Duration::from_millis(250));
    }
}
