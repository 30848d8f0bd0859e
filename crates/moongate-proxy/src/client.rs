//! A client's connection, with an eye on what goes over it.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::access_log::LogEntry;
use crate::deadline::Deadline;
use crate::error::Failure;
use crate::unreadable::{Explain, Explanation};

/// How long a client may take to accept more of a response.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// How much of a request that was answered early is read before the connection is closed, and for how long. A
/// connection that is closed with unread bytes is reset, and the client may never see its answer.
const MAX_DISCARDED: usize = 4 * 1024 * 1024;

/// See [`MAX_DISCARDED`].
const LINGER: Duration = Duration::from_secs(1);

/// Into how many lines of the longest kind the largest head can be divided.
const LINES: usize = 4;

/// Largest part of an incomplete head that is kept to be looked at.
const MAX_PARTIAL: usize = 64 * 1024;

/// The connection of a client, plain or TLS.
pub(crate) struct ClientStream<S> {
    stream: S,
    guard: Rc<Guard>,
    /// Bytes thrown away since the gateway closed its side.
    discarded: Option<usize>,
    explain: Rc<dyn Explain>,
    /// Where it is logged that the client sent something else than a request.
    log: Option<Rc<LogEntry>>,
    /// What the client is told in the end, where it sent something else than a request.
    explanation: Option<Box<Explanation>>,
}

/// What was noticed on a connection.
pub(crate) struct Guard {
    deadline: Rc<Deadline>,
    blocked_since: Cell<Option<Instant>>,
    /// Longest line of a head that is taken, in bytes.
    longest_line: usize,
    suspicion: Cell<Option<Failure>>,
    /// What is wrong with the head that was read last, where it is something that the parser has no name for.
    complaint: Cell<Option<Failure>>,
    /// Whether the client has sent something that has not become a request yet.
    seeks_request: Cell<bool>,
    /// The beginning of a head whose end has not come yet.
    partial: RefCell<Vec<u8>>,
}

impl Guard {
    pub(crate) fn new(deadline: &Rc<Deadline>, max_header_size: usize) -> Self {
        Self {
            deadline: Rc::clone(deadline),
            blocked_since: Cell::new(None),
            longest_line: max_header_size / LINES,
            suspicion: Cell::new(None),
            complaint: Cell::new(None),
            seeks_request: Cell::new(false),
            partial: RefCell::default(),
        }
    }

    /// Why the head that was read last is refused although the parser takes it: it gives its body's length more than
    /// once or in a coding that is not spoken, or a line of it is too long. Asked once for each request.
    ///
    /// The HTTP parser settles such requests by itself and drops what it does not use, so nobody behind it could
    /// refuse them.
    pub(crate) fn take_suspicion(&self) -> Option<Failure> {
        self.suspicion.take()
    }

    /// What is wrong with the head that was read last, where the parser only finds it bad.
    pub(crate) fn complaint(&self) -> Option<Failure> {
        let of_start = || {
            let partial = self.partial.borrow();
            self.complaint_about(partial.split(|byte| *byte == b'\n').next()?)
        };
        self.complaint.get().or_else(of_start)
    }

    /// What is wrong with the first line of a head, or with its beginning.
    fn complaint_about(&self, line: &[u8]) -> Option<Failure> {
        if line.len() > self.longest_line {
            return Some(Failure::UriTooLong);
        }
        has_unknown_version(line).then_some(Failure::UnknownVersion)
    }

    /// What the client sent became a request.
    pub(crate) fn found_request(&self) {
        self.seeks_request.set(false);
    }

    /// Whether the client has sent no request, or accepted nothing of a response, for too long.
    pub(crate) fn has_waited_too_long(&self) -> bool {
        match self.blocked_since.get() {
            Some(since) => since.elapsed() >= SEND_TIMEOUT,
            None => self.deadline.has_rested_too_long(),
        }
    }

    fn wrote<T>(&self, result: Poll<T>) -> Poll<T> {
        match (&result, self.blocked_since.get()) {
            (Poll::Pending, None) => self.blocked_since.set(Some(Instant::now())),
            (Poll::Ready(_), Some(_)) => self.blocked_since.set(None),
            _ => {}
        }
        result
    }

    /// Looks at bytes that were read while the connection waited for a request.
    pub(crate) fn read(&self, bytes: &[u8]) {
        self.seeks_request.set(true);
        let mut partial = self.partial.borrow_mut();
        if partial.is_empty() {
            if !self.inspect(bytes) {
                partial.extend_from_slice(bytes);
            }
        } else {
            partial.extend_from_slice(bytes);
            if self.inspect(&partial) || partial.len() > MAX_PARTIAL {
                *partial = Vec::new();
            }
        }
    }

    /// Counts the lines of a head that tell its body's length, and looks for long ones. Says whether the head is complete.
    fn inspect(&self, head: &[u8]) -> bool {
        let (mut lengths, mut is_first) = (0, true);
        let (mut has_unknown_coding, mut has_long_line) = (false, false);
        self.complaint.set(None);
        let mut start = 0;
        // What comes after the last line break is no whole line yet.
        for end in memchr::memchr_iter(b'\n', head) {
            let line = head.get(start..end).unwrap_or_default();
            start = end + 1;
            match line {
                [] | [b'\r'] if !is_first => {
                    if has_unknown_coding && lengths == 1 {
                        self.complaint.set(Some(Failure::UnknownCoding));
                    }
                    let suspicion = match self.complaint.get() {
                        Some(Failure::UriTooLong) => Some(Failure::UriTooLong),
                        _ if has_long_line => Some(Failure::HeadTooLarge),
                        _ if lengths > 1 => Some(Failure::BadRequest),
                        Some(Failure::UnknownCoding) => Some(Failure::UnknownCoding),
                        _ => None,
                    };
                    self.suspicion.set(self.suspicion.get().or(suspicion));
                    return true;
                }
                _ if is_first => {
                    // Empty lines may come before a request.
                    is_first = matches!(line, [] | [b'\r']);
                    self.complaint.set(self.complaint_about(line));
                }
                _ if line.len() > self.longest_line => has_long_line = true,
                [b'c' | b'C', ..] => lengths += u32::from(is_named(line, b"content-length")),
                [b't' | b'T', ..] if is_named(line, b"transfer-encoding") => {
                    lengths += 1;
                    let value = line.iter().position(|byte| *byte == b':').and_then(|at| line.get(at + 1..));
                    has_unknown_coding = value.is_some_and(|value| {
                        let value = value.trim_ascii();
                        !value.is_empty() && !value.eq_ignore_ascii_case(b"chunked")
                    });
                }
                _ => {}
            }
        }
        false
    }
}

/// Whether the first line of a head, or its beginning, names a version of HTTP behind the first.
fn has_unknown_version(line: &[u8]) -> bool {
    if line.ends_with(b" HTTP/1.1\r") {
        return false;
    }
    // Neither the method nor what is asked for has spaces in it.
    let Some(version) = line.trim_ascii_end().rsplit(|byte| *byte == b' ').next() else { return false };
    matches!(version.strip_prefix(b"HTTP/"), Some([b'1', b'0'..=b'9', ..] | [b'2'..=b'9', ..]))
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    line.split_at_checked(name.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(name) && matches!(rest.first(), Some(b':' | b' ' | b'\t'))
    })
}

impl<S> ClientStream<S> {
    pub(crate) fn new(
        stream: S,
        guard: Rc<Guard>,
        explain: Rc<dyn Explain>,
        log: Option<Rc<LogEntry>>,
    ) -> Self {
        Self { stream, guard, discarded: None, explain, log, explanation: None }
    }
}

impl<S: AsyncWrite + Unpin> ClientStream<S> {
    /// Writes something better, if `bytes` are the parser's answer to what it could not read.
    fn poll_explain(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.explanation.is_none() && self.guard.seeks_request.get() {
            self.explanation = self.explain.explain(bytes, self.guard.complaint()).map(Box::new);
            if let (Some(log), Some(explanation)) = (&self.log, &self.explanation) {
                log.unreadable(explanation.status, explanation.body_length as u64);
            }
        }
        let explanation = self.explanation.as_mut()?;
        Some(explanation.poll_write(&mut self.stream, cx).map_ok(|()| bytes.len()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ClientStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if self.guard.deadline.is_at_rest()
            && let Some(bytes) = buffer.filled().get(before..)
            && !bytes.is_empty()
        {
            self.guard.read(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = match self.poll_explain(cx, bytes) {
            Some(explained) => explained,
            None => Pin::new(&mut self.stream).poll_write(cx, bytes),
        };
        self.guard.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.first().map_or(&[][..], |part| part);
        let result = match self.poll_explain(cx, first) {
            Some(explained) => explained,
            None => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
        };
        self.guard.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.discarded.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.discarded = Some(0);
            self.guard.deadline.rest(Instant::now(), LINGER);
        }
        loop {
            let mut waste = [0; 8 * 1024];
            let mut buffer = ReadBuf::new(&mut waste);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            let read = buffer.filled().len();
            let discarded = self.discarded.get_or_insert(0);
            *discarded += read;
            if read == 0 || *discarded >= MAX_DISCARDED {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(&Rc::default(), 400)
    }

    fn suspicion(parts: &[&str]) -> Option<Failure> {
        let guard = guard();
        for part in parts {
            guard.read(part.as_bytes());
        }
        guard.take_suspicion()
    }

    #[test]
    fn a_head_with_two_lengths_is_suspicious_however_it_arrives() {
        let head =
            "POST / HTTP/1.1\r\nhost: a\r\nContent-Length: 5\r\ntransfer-ENCODING: chunked\r\n\r\n0\r\n\r\n";
        assert_eq!(suspicion(&[head]), Some(Failure::BadRequest));
        for at in 1..head.len() - 5 {
            let (start, end) = head.split_at(at);
            assert_eq!(suspicion(&[start, end]), Some(Failure::BadRequest), "split at {at}");
        }
        let head = "GET / HTTP/1.1\ncontent-length: 5\ncontent-length: 5\n\n";
        assert_eq!(suspicion(&[head]), Some(Failure::BadRequest));
        let head = "POST / HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n";
        assert_eq!(suspicion(&[head]), Some(Failure::UnknownCoding));
    }

    #[test]
    fn no_line_of_a_head_may_take_more_than_a_quarter_of_it() {
        let (long, longest) = ("a".repeat(90), "a".repeat(98));
        for (head, expected) in [
            (format!("GET /{long} HTTP/1.1\r\nhost: a\r\n\r\n"), Some(Failure::UriTooLong)),
            (format!("GET / HTTP/1.1\r\nx: {longest}\r\nhost: a\r\n\r\n"), Some(Failure::HeadTooLarge)),
            (format!("GET /{long} HTTP/1.1\r\nx: {longest}\r\n\r\n"), Some(Failure::UriTooLong)),
            (format!("GET / HTTP/1.1\r\nx: {long}\r\ny: {long}\r\nz: {long}\r\n\r\n"), None),
            (format!("POST / HTTP/1.1\r\nhost: a\r\n\r\n{longest}{longest}\r\n"), None),
        ] {
            assert_eq!(suspicion(&[&head]), expected, "{head}");
            let (start, end) = head.split_at(40);
            assert_eq!(suspicion(&[start, end]), expected, "{head}");
        }
        // The parser gives up before such a line has come to its end.
        assert_eq!(complaint(&[&format!("GET /{long}{long}")]), Some(Failure::UriTooLong));
    }

    fn complaint(parts: &[&str]) -> Option<Failure> {
        let guard = guard();
        for part in parts {
            guard.read(part.as_bytes());
        }
        guard.complaint()
    }

    #[test]
    fn versions_and_codings_that_are_not_spoken_are_told_apart_from_other_mistakes() {
        let (version, coding) = (Some(Failure::UnknownVersion), Some(Failure::UnknownCoding));
        for (line, expected) in [
            ("GET / HTTP/1.1", None),
            ("GET / HTTP/1.0", None),
            ("GET / HTTP/9.9", version),
            ("GET / HTTP/2.0", version),
            ("GET / HTTP/11.0", version),
            ("GET / HTTP/0.9", None),
            ("GET / HTTP/1.x", None),
            ("GET / HTTQ/9.9", None),
            ("GET /HTTP/9.9", None),
        ] {
            let head = format!("{line}\r\nHost: a\r\n\r\n");
            assert_eq!(complaint(&[&head]), expected, "{line}");
            assert_eq!(complaint(&[line]), expected, "{line} alone");
            let (start, end) = head.split_at(12);
            assert_eq!(complaint(&[start, end]), expected, "{line} in two parts");
        }
        for (lines, expected) in [
            ("Transfer-Encoding: gzip", coding),
            ("transfer-encoding: chunked, identity", coding),
            ("Transfer-Encoding: chunked", None),
            ("Transfer-Encoding: CHUNKED ", None),
            ("Transfer-Encoding: gzip\r\nContent-Length: 5", None),
            ("Transfer-Encoding: gzip\r\nTransfer-Encoding: gzip", None),
            ("Transfer-Encodings: gzip", None),
        ] {
            let head = format!("\r\nPOST / HTTP/1.1\r\n{lines}\r\n\r\n");
            assert_eq!(complaint(&[&head]), expected, "{lines}");
        }
    }

    #[test]
    fn what_a_body_says_is_not_held_against_its_head() {
        for head in [
            "POST / HTTP/1.1\r\ncontent-length: 60\r\n\r\ntransfer-encoding: chunked\r\ncontent-length: 5",
            "GET / HTTP/1.1\r\nx: content-length: 5\r\ncontent-length-x: 1\r\n\r\n",
        ] {
            assert_eq!(suspicion(&[head]), None, "{head}");
        }
    }
}
