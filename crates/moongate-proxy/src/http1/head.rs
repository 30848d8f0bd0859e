//! The heads of responses.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, Version, response};
use httparse::{ParserConfig, Status};

use super::Invalid;
use super::framing::Framing;

/// Most lines that a head may have.
const MAX_LINES: usize = 128;

/// Headers that the gateway may add to a response; there is room for them without another allocation.
const ADDED: usize = 8;

/// The head of a response, and what it says of its connection.
pub(super) struct Head {
    /// Without the lines that are about the connection.
    pub(super) parts: response::Parts,
    /// How the body comes.
    pub(super) framing: Framing,
    /// Whether another request can follow.
    pub(super) keeps_alive: bool,
    /// Whether there is a line that announces trailers.
    pub(super) announces_trailers: bool,
}

/// Reads a head, if it is there whole, and tells its length in bytes.
///
/// `answers_head` is whether the request was a HEAD request, whose answers have no body.
///
/// # Errors
/// When this is no response, or where its body ends cannot be told for certain.
pub(super) fn parse(bytes: &Bytes, answers_head: bool) -> Result<Option<(Head, usize)>, Invalid> {
    let mut lines = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, bytes, &mut lines);
    let Status::Complete(length) = parsed.map_err(Invalid::Head)? else { return Ok(None) };

    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status =
        response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Invalid::StatusCode)?;
    parts.version = if response.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    parts.headers.reserve(response.headers.len() + ADDED);
    let mut said = Said::default();
    for line in response.headers.iter() {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Invalid::Line)?;
        let value = HeaderValue::from_maybe_shared(bytes.slice_ref(line.value)).map_err(|_| Invalid::Line)?;
        if !said.hear(&name, &value)? {
            parts.headers.append(name, value);
        }
    }
    for name in std::mem::take(&mut said.named) {
        parts.headers.remove(name);
    }
    let framing = said.framing(parts.status, parts.version, answers_head, &mut parts.headers)?;
    let keeps_alive = match parts.version {
        Version::HTTP_10 => said.keep_alive && !said.close,
        _ => !said.close,
    };
    let keeps_alive = keeps_alive && framing != Framing::UntilClose;
    Ok(Some((Head { parts, framing, keeps_alive, announces_trailers: said.trailers }, length)))
}

/// What the lines of a head say of body and connection.
#[derive(Default)]
struct Said {
    /// The body's length, in so many lines.
    length: Option<u64>,
    lengths: usize,
    /// Whether the last transfer coding is `chunked`.
    chunked: Option<bool>,
    close: bool,
    keep_alive: bool,
    /// Whether trailers are announced.
    trailers: bool,
    /// Other headers that are for the connection.
    named: Vec<HeaderName>,
}

impl Said {
    /// Says whether the line is about the connection.
    fn hear(&mut self, name: &HeaderName, value: &HeaderValue) -> Result<bool, Invalid> {
        match *name {
            header::CONTENT_LENGTH => {
                let length = length_of(value.as_bytes()).ok_or(Invalid::Length)?;
                if self.length.is_some_and(|before| before != length) {
                    return Err(Invalid::Length);
                }
                self.length = Some(length);
                self.lengths += 1;
                return Ok(false);
            }
            header::TRANSFER_ENCODING => {
                let last = value.as_bytes().rsplit(|byte| *byte == b',').next().unwrap_or_default();
                self.chunked = Some(last.trim_ascii().eq_ignore_ascii_case(b"chunked"));
            }
            header::CONNECTION => {
                for option in value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                    if option.eq_ignore_ascii_case(b"keep-alive") {
                        self.keep_alive = true;
                    } else if option.eq_ignore_ascii_case(b"close") {
                        self.close = true;
                    } else if let Ok(name) = HeaderName::from_bytes(option)
                        && name != header::CONTENT_LENGTH
                    {
                        self.named.push(name);
                    }
                }
            }
            header::UPGRADE => {}
            header::TRAILER => {
                self.trailers = true;
                return Ok(false);
            }
            _ => return Ok(matches!(name.as_str(), "keep-alive" | "proxy-connection")),
        }
        Ok(true)
    }

    fn framing(
        &self,
        status: StatusCode,
        version: Version,
        answers_head: bool,
        headers: &mut HeaderMap,
    ) -> Result<Framing, Invalid> {
        if self.lengths > 1
            && let Some(length) = self.length
        {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        if answers_head || bodiless || status.is_informational() {
            return Ok(Framing::Ended);
        }
        match (self.chunked, self.length) {
            (Some(_), _) if version == Version::HTTP_10 => Err(Invalid::Length),
            (Some(true), _) => {
                headers.remove(header::CONTENT_LENGTH);
                Ok(Framing::chunked())
            }
            (Some(false), _) => {
                headers.remove(header::CONTENT_LENGTH);
                Ok(Framing::UntilClose)
            }
            (None, Some(0)) => Ok(Framing::Ended),
            (None, Some(length)) => Ok(Framing::Length(length)),
            (None, None) => Ok(Framing::UntilClose),
        }
    }
}

/// A length in decimal digits, and nothing else.
fn length_of(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |length, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        length.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<Option<(Head, usize)>, Invalid> {
        parse(&Bytes::copy_from_slice(head.as_bytes()), false)
    }

    fn framing(head: &str) -> Option<(Framing, bool)> {
        let (head, _) = read(&format!("{head}\r\n\r\n")).ok()??;
        Some((head.framing, head.keeps_alive))
    }

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let whole = "HTTP/1.1 201 Created\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 3\r\n\r\nabc";
        let length = whole.len() - 3;
        for end in 0..length {
            assert!(read(&whole[..end]).unwrap().is_none(), "{end}");
        }
        let (head, read) = read(whole).unwrap().unwrap();
        assert_eq!((read, head.parts.status.as_u16()), (length, 201));
        assert_eq!(head.parts.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((head.framing, head.keeps_alive), (Framing::Length(3), true));
    }

    #[test]
    fn the_head_tells_how_the_body_comes() {
        let until_close = Some((Framing::UntilClose, false));
        for (head, expected) in [
            ("HTTP/1.1 200 OK", until_close),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0", Some((Framing::Ended, true))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close", Some((Framing::Length(7), false))),
            ("HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7", Some((Framing::Length(7), true))),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked", Some((Framing::chunked(), true))),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked",
                Some((Framing::chunked(), true)),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip", until_close),
            ("HTTP/1.1 204 No Content", Some((Framing::Ended, true))),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 7", Some((Framing::Ended, true))),
            ("HTTP/1.1 100 Continue", Some((Framing::Ended, true))),
            ("HTTP/1.0 200 OK\r\nContent-Length: 7", Some((Framing::Length(7), false))),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: Keep-Alive",
                Some((Framing::Length(7), true)),
            ),
        ] {
            assert_eq!(framing(head), expected, "{head}");
        }
    }

    #[test]
    fn what_is_about_the_connection_stays_behind() {
        let lines = "Connection: keep-alive, X-Own, Content-Length\r\nKeep-Alive: timeout=5\r\nX-Own: 1\r\nX-Other: 2\r\n\
                     Upgrade: h2c\r\nTrailer: X-Sum\r\nProxy-Connection: close\r\nContent-Length: 0";
        let (head, _) = read(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n")).unwrap().unwrap();
        let mut left: Vec<_> = head.parts.headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "trailer", "x-other"]);
        assert!(head.announces_trailers);
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 8",
            "HTTP/1.1 200 OK\r\nContent-Length: +7",
            "HTTP/1.1 200 OK\r\nContent-Length: 7, 7",
            "HTTP/1.1 200 OK\r\nContent-Length:",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            "HTTP/1.1 20 OK",
            "HTTP/1.1 200 OK\r\nA B: 1",
            "HTTP/1.1 200 OK\r\nA: 1\r\n folded",
            "SSH-2.0-OpenSSH_9.2",
        ] {
            assert!(read(&format!("{head}\r\n\r\n")).is_err(), "{head}");
        }
    }
}
