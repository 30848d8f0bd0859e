//! What a client is told that sent something else than a request.
//!
//! The HTTP parser answers that by itself, with an empty body. What it writes is replaced on its way out. Not where it
//! came in one read with a request before it: then the parser's bare answer stays.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use moongate_hooks::PluginRuntime;
use tokio::io::AsyncWrite;

use crate::error::Failure;
use crate::handler::id_value;
use crate::options::ProxyOptions;
use crate::response::{self, Timing};
use crate::worker::Worker;

/// Longest answer that the parser gives by itself, in bytes.
const MAX_LENGTH: usize = 256;

/// Knows what to say instead of the parser's own answers.
pub(crate) trait Explain {
    /// What to write instead of `written`; `None` when that is no answer of the parser's own. The `complaint` is what is
    /// known to be wrong where the parser speaks of a bad request or a large head.
    fn explain(&self, written: &[u8], complaint: Option<Failure>) -> Option<Explanation>;
}

impl<R: PluginRuntime> Explain for Worker<R> {
    fn explain(&self, written: &[u8], complaint: Option<Failure>) -> Option<Explanation> {
        let (failure, date) = read(written)?;
        let failure = match (failure, complaint) {
            (Failure::BadRequest, Some(complaint)) => complaint,
            (Failure::HeadTooLarge, Some(Failure::UriTooLong)) => Failure::UriTooLong,
            _ => failure,
        };
        let (text, body_length) = write(failure, date, &self.options, self.request_id());
        Some(Explanation { status: failure.status().as_u16(), body_length, text, written: 0 })
    }
}

/// The last answer on a connection.
pub(crate) struct Explanation {
    pub(crate) status: u16,
    pub(crate) body_length: usize,
    text: Vec<u8>,
    written: usize,
}

impl Explanation {
    /// Writes all of it. Nothing is written from then on.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.text.get(self.written..) {
            match ready!(Pin::new(&mut *stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.written += written,
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What the parser's answer means, and the date in it.
fn read(written: &[u8]) -> Option<(Failure, &str)> {
    if written.len() > MAX_LENGTH || !written.starts_with(b"HTTP/1.") {
        return None;
    }
    let mut lines = std::str::from_utf8(written).ok()?.strip_suffix("\r\n\r\n")?.split("\r\n");
    let failure = match lines.next()?.split(' ').nth(1)? {
        "400" => Failure::BadRequest,
        "414" => Failure::UriTooLong,
        "431" => Failure::HeadTooLarge,
        _ => return None,
    };
    let mut date = "";
    for line in lines {
        match line.split_once(": ")? {
            ("connection", "close") | ("content-length", "0") => {}
            ("date", value) => date = value,
            _ => return None,
        }
    }
    Some((failure, date))
}

/// The whole answer, and the length of its body.
fn write(failure: Failure, date: &str, options: &ProxyOptions, id: u128) -> (Vec<u8>, usize) {
    let (kind, body) = failure.body(&HeaderMap::new(), options.error_default_type, &format!("{id:032x}"));
    let mut headers = HeaderMap::new();
    headers.extend(HeaderValue::from_str(date).ok().map(|date| (header::DATE, date)));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    let id = options.headers.request_id.then(|| id_value(id));
    response::annotate(&mut headers, &options.headers, Timing::Own(Duration::ZERO), id);
    let mut text = format!("HTTP/1.1 {}\r\n", failure.status()).into_bytes();
    for (name, value) in &headers {
        text.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend_from_slice(b"\r\n");
    text.extend_from_slice(&body);
    (text, body.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_parsers_own_answers_are_replaced() {
        let own = "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\
                   date: Mon, 23 Nov 2026 12:00:00 GMT\r\n\r\n";
        assert_eq!(read(own.as_bytes()), Some((Failure::HeadTooLarge, "Mon, 23 Nov 2026 12:00:00 GMT")));
        for other in [
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\nserver: a\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nx",
        ] {
            assert_eq!(read(other.as_bytes()), None, "{other}");
        }
    }
}
