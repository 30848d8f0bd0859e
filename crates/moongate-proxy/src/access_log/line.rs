//! The line of a request, composed in two steps: from the request's head when it comes, and when its response has ended.

use std::cell::RefCell;
use std::io::Write;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderName, HeaderValue, Version, header, request};
use moongate_hooks::Matched;
use tokio::time::Instant;

use super::stamp::Stamp;
use super::{AccessLogFormat, LogBuffer};
use crate::handler::id_text;

/// The status of a request whose client went before there was an answer.
const CLIENT_CLOSED: u16 = 499;

/// What a connection's requests are logged with, one at a time.
pub(crate) struct LogEntry {
    buffer: Rc<LogBuffer>,
    /// The address of the connection's other end.
    peer: HeaderValue,
    text: RefCell<Text>,
}

/// The parts of a line that are known from the request.
#[derive(Default)]
struct Text {
    /// What comes before the time.
    before: Vec<u8>,
    /// What comes between the time and the status.
    middle: Vec<u8>,
    /// What comes behind the number of bytes.
    after: Vec<u8>,
    matched: Option<Arc<Matched>>,
}

/// A request that will be logged when this is dropped.
pub(crate) struct Logging {
    entry: Rc<LogEntry>,
    started: Instant,
    status: u16,
    sent: u64,
}

impl LogEntry {
    pub(crate) fn new(buffer: &Rc<LogBuffer>, peer: HeaderValue) -> Rc<Self> {
        Rc::new(Self { buffer: Rc::clone(buffer), peer, text: RefCell::default() })
    }

    /// Begins with the line of a request. `client` is its address where that is not the connection's other end.
    pub(crate) fn begin(
        self: &Rc<Self>,
        head: &request::Parts,
        client: Option<IpAddr>,
        id: u128,
        started: Instant,
    ) -> Logging {
        let text = &mut *self.text.borrow_mut();
        let Text { before, middle, after, matched } = text;
        for part in [&mut *before, &mut *middle, &mut *after] {
            part.clear();
        }
        *matched = None;
        match self.buffer.format() {
            AccessLogFormat::Combined => {
                self.client(before, client);
                before.extend_from_slice(b" - ");
                match user(&head.headers) {
                    Some(user) => escape(before, &user),
                    None => before.push(b'-'),
                }
                before.extend_from_slice(b" [");
                middle.extend_from_slice(b"] \"");
                request_line(middle, head);
                middle.extend_from_slice(b"\" ");
                after.extend_from_slice(b" \"");
                value(after, head, header::REFERER);
                after.extend_from_slice(b"\" \"");
                value(after, head, header::USER_AGENT);
                after.extend_from_slice(b"\" kong_request_id: \"");
                after.extend_from_slice(&id_text(id));
                after.extend_from_slice(b"\"\n");
            }
            AccessLogFormat::Json => {
                before.extend_from_slice(b"{\"time\":\"");
                middle.extend_from_slice(b"\",\"client_ip\":\"");
                self.client(middle, client);
                middle.extend_from_slice(b"\",\"method\":\"");
                json(middle, head.method.as_str().as_bytes());
                middle.extend_from_slice(b"\",\"uri\":\"");
                json(middle, uri(head).as_bytes());
                middle.extend_from_slice(b"\",\"protocol\":\"");
                middle.extend_from_slice(protocol(head.version).as_bytes());
                for (name, key) in
                    [(header::HOST, "host"), (header::REFERER, "referer"), (header::USER_AGENT, "user_agent")]
                {
                    let Some(value) = head.headers.get(name) else { continue };
                    // Writing to a vector cannot fail.
                    let _ = write!(middle, "\",\"{key}\":\"");
                    json(middle, value.as_bytes());
                }
                let _ = write!(middle, "\",\"request_id\":\"{id:032x}\",\"status\":");
            }
        }
        Logging { entry: Rc::clone(self), started, status: CLIENT_CLOSED, sent: 0 }
    }

    /// Logs what was no request.
    pub(crate) fn unreadable(&self, status: u16, sent: u64) {
        self.buffer.add(|line, stamp| match self.buffer.format() {
            AccessLogFormat::Combined => {
                self.client(line, None);
                line.extend_from_slice(b" - - [");
                line.extend_from_slice(&stamp.common);
                let _ = writeln!(line, "] \"\" {status} {sent} \"-\" \"-\"");
            }
            AccessLogFormat::Json => {
                line.extend_from_slice(b"{\"time\":\"");
                line.extend_from_slice(&stamp.iso);
                line.extend_from_slice(b"\",\"client_ip\":\"");
                self.client(line, None);
                let _ = writeln!(line, "\",\"status\":{status},\"bytes_sent\":{sent}}}");
            }
        });
    }

    fn client(&self, line: &mut Vec<u8>, client: Option<IpAddr>) {
        match client {
            None => line.extend_from_slice(self.peer.as_bytes()),
            Some(client) => {
                let _ = write!(line, "{client}");
            }
        }
    }

    fn finish(&self, line: &mut Vec<u8>, stamp: &Stamp, status: u16, sent: u64, taken: Duration) {
        let text = self.text.borrow();
        line.extend_from_slice(&text.before);
        match self.buffer.format() {
            AccessLogFormat::Combined => {
                line.extend_from_slice(&stamp.common);
                line.extend_from_slice(&text.middle);
                number(line, status.into());
                line.push(b' ');
                number(line, sent);
                line.extend_from_slice(&text.after);
            }
            AccessLogFormat::Json => {
                line.extend_from_slice(&stamp.iso);
                line.extend_from_slice(&text.middle);
                let milliseconds = taken.as_secs_f64() * 1000.0;
                let _ = write!(line, "{status},\"bytes_sent\":{sent},\"duration_ms\":{milliseconds:.3}");
                if let Some(matched) = &text.matched {
                    for (key, name, id) in [
                        ("route", matched.route_name.as_ref(), Some(&matched.route_id)),
                        ("service", matched.service_name.as_ref(), matched.service_id.as_ref()),
                    ] {
                        let Some(shown) = name.or(id) else { continue };
                        let _ = write!(line, ",\"{key}\":\"");
                        json(line, shown.as_bytes());
                        line.push(b'"');
                    }
                }
                line.extend_from_slice(b"}\n");
            }
        }
    }
}

impl Logging {
    /// The request found its route.
    pub(crate) fn found(&self, matched: Option<&Arc<Matched>>) {
        if self.entry.buffer.format() == AccessLogFormat::Json {
            self.entry.text.borrow_mut().matched = matched.cloned();
        }
    }

    /// The request is answered.
    pub(crate) fn answered(&mut self, status: u16) {
        self.status = status;
    }

    /// So many bytes more of the response's body went to the client.
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes as u64;
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let entry = &self.entry;
        let taken = match entry.buffer.format() {
            AccessLogFormat::Combined => Duration::ZERO,
            AccessLogFormat::Json => self.started.elapsed(),
        };
        entry.buffer.add(|line, stamp| entry.finish(line, stamp, self.status, self.sent, taken));
    }
}

fn request_line(line: &mut Vec<u8>, head: &request::Parts) {
    escape(line, head.method.as_str().as_bytes());
    line.push(b' ');
    escape(line, uri(head).as_bytes());
    line.push(b' ');
    line.extend_from_slice(protocol(head.version).as_bytes());
}

fn uri(head: &request::Parts) -> &str {
    head.uri.path_and_query().map_or("", |target| target.as_str())
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

/// The first value of a header.
fn value(line: &mut Vec<u8>, head: &request::Parts, name: HeaderName) {
    match head.headers.get(name) {
        Some(value) => escape(line, value.as_bytes()),
        None => line.push(b'-'),
    }
}

/// The name that the client gave with a password.
fn user(headers: &http::HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, credentials) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let mut pair = BASE64_STANDARD.decode(credentials.trim_ascii()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    pair.truncate(colon);
    (!pair.is_empty()).then_some(pair)
}

/// Appends text in which nothing can end the quotes around it, or the line.
fn escape(line: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.iter().all(is_plain) {
        line.extend_from_slice(text);
        return;
    }
    for byte in text {
        match is_plain(byte) {
            true => line.push(*byte),
            false => {
                let _ = write!(line, "\\x{byte:02X}");
            }
        }
    }
}

/// Appends text as it stands in a JSON string. What is no UTF-8 is replaced.
fn json(line: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.iter().all(is_plain) {
        line.extend_from_slice(text);
        return;
    }
    for letter in String::from_utf8_lossy(text).chars() {
        match letter {
            '"' => line.extend_from_slice(b"\\\""),
            '\\' => line.extend_from_slice(b"\\\\"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(line, "\\u{:04x}", u32::from(letter));
            }
            _ => line.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Appends a number in decimal digits, without what formatting brings with it.
fn number(line: &mut Vec<u8>, number: u64) {
    let start = line.len();
    let mut rest = number;
    loop {
        line.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = line.get_mut(start..) {
        digits.reverse();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_shown() {
        for shown in [0, 7, 10, 404, 1_000_000, u64::MAX] {
            let mut line = b"9 ".to_vec();
            number(&mut line, shown);
            assert_eq!(String::from_utf8(line).unwrap(), format!("9 {shown}"));
        }
    }
}
