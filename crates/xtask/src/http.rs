//! One HTTP request at a time, over a connection of its own.

use std::fmt;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .context("the answer has no end of headers")?;
        let (head, rest) = bytes.split_at(end);
        let head = String::from_utf8_lossy(head).into_owned();
        let status =
            head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok()).with_context(
                || format!("this is not an HTTP/1.1 answer: {}", head.lines().next().unwrap_or_default()),
            )?;
        let mut answer = Self { status, head, body: String::new() };
        let rest = rest.get(4..).unwrap_or_default();
        let chunked =
            answer.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length =
            answer.header("content-length").map(str::parse).transpose().context("bad content-length")?;
        let body = match length {
            _ if chunked => joined(rest)?,
            Some(length) if rest.len() < length => {
                bail!("the answer ends after {} of {length} bytes", rest.len())
            }
            Some(length) => rest.get(..length).unwrap_or(rest).to_vec(),
            None => rest.to_vec(),
        };
        answer.body = String::from_utf8_lossy(&body).into_owned();
        Ok(answer)
    }
}

/// As `curl -i` shows it.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.head.lines() {
            writeln!(f, "{line}")?;
        }
        write!(f, "\n{}", self.body)
    }
}

/// Sends `GET path` to a port of this machine.
pub(crate) fn get(port: u16, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    exchange(port, "GET", path, headers, "").with_context(|| format!("GET http://127.0.0.1:{port}{path}"))
}

/// Sends `PATCH path` with a JSON body.
pub(crate) fn patch(port: u16, path: &str, body: &serde_json::Value) -> Result<Answer> {
    let headers = [("content-type", "application/json")];
    exchange(port, "PATCH", path, &headers, &body.to_string())
        .with_context(|| format!("PATCH http://127.0.0.1:{port}{path}"))
}

fn exchange(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Answer::read(&answer)
}

/// The body that was sent in chunks.
fn joined(mut chunks: &[u8]) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|two| two == b"\r\n").context("a chunk has no size")?;
        let (size, rest) = chunks.split_at(end);
        let size = str::from_utf8(size)?.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).with_context(|| format!("`{size}` is no chunk size"))?;
        if size == 0 {
            return Ok(body);
        }
        let rest = rest.get(2..).unwrap_or_default();
        let (chunk, rest) = rest.split_at_checked(size).context("a chunk is cut off")?;
        body.extend_from_slice(chunk);
        chunks = rest.get(2..).context("a chunk has no end")?;
    }
}

const LIMIT: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_status_headers_and_body() {
        let answer =
            Answer::read(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nX-One:  1 \r\n\r\nno").unwrap();
        assert_eq!((answer.status, answer.header("x-one"), answer.body.as_str()), (401, Some("1"), "no"));
        assert_eq!(answer.to_string(), "HTTP/1.1 401 Unauthorized\nContent-Length: 2\nX-One:  1 \n\nno");
    }

    #[test]
    fn chunks_are_joined() {
        let answer = Answer::read(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n",
        );
        assert_eq!(answer.unwrap().body, "abcde");
    }

    #[test]
    fn an_answer_that_was_cut_off_is_an_error() {
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\n").is_err());
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab").is_err());
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").is_err());
    }
}
