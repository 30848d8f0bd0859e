//! A server behind the gateway that remembers what reached it.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// A request as it reached the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Method.
    pub method: String,
    /// Path with the query, as received.
    pub target: String,
    /// Headers in their order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Received {
    /// First value of a header, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What the upstream says to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// An answer with a status and a body.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The request that it answers, as JSON: `method`, `target`, `headers` and, where it is text, `body`.
    fn echo(request: &Received) -> Self {
        let mut headers = Map::new();
        for (name, value) in &request.headers {
            headers.entry(name.clone()).or_insert_with(|| json!(String::from_utf8_lossy(value)));
        }
        let shown = json!({
            "method": request.method,
            "target": request.target,
            "headers": Value::Object(headers),
            "body": request.text(),
        });
        Self::new(200, shown.to_string()).header("content-type", "application/json")
    }
}

/// A server on a free port of this machine. It lives as long as the process.
#[derive(Clone)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

type Reply = dyn Fn(&Received) -> Answer + Send + Sync;

struct Shared {
    received: Mutex<Vec<Received>>,
    reply: Mutex<Arc<Reply>>,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Starts one that answers with what it received, as JSON.
    ///
    /// # Errors
    /// No port can be listened on.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { received: Mutex::default(), reply: Mutex::new(Arc::new(Answer::echo)) });
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("upstream".to_owned()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&theirs);
                // A connection that breaks is the gateway's to tell.
                thread::spawn(move || drop(converse(&stream, &shared)));
            }
        })?;
        Ok(Self { address, shared })
    }

    /// From now on, answers as `reply` says.
    pub fn reply(&self, reply: impl Fn(&Received) -> Answer + Send + Sync + 'static) {
        *self.shared.reply.lock() = Arc::new(reply);
    }

    /// From now on, answers with what it receives.
    pub fn echo(&self) {
        self.reply(Answer::echo);
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the URL of a service.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests that have reached it, the oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.received.lock().clone()
    }

    /// The requests that have reached it since this was asked last.
    pub fn take_requests(&self) -> Vec<Received> {
        std::mem::take(&mut self.shared.received.lock())
    }
}

/// Answers the requests of a connection until it ends.
fn converse(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(received) = receive(&mut reader)? {
        let head_only = received.method == "HEAD";
        let reply = Arc::clone(&shared.reply.lock());
        let answer = reply(&received);
        shared.received.lock().push(received);
        let mut head = format!("HTTP/1.1 {} Answer\r\n", answer.status);
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n", answer.body.len());
        let mut bytes = head.into_bytes();
        if !head_only && !matches!(answer.status, 204 | 304) {
            bytes.extend(&answer.body);
        }
        (&mut &*stream).write_all(&bytes)?;
    }
    Ok(())
}

/// Reads a request; none when the other side has closed the connection between two of them.
fn receive(reader: &mut impl BufRead) -> io::Result<Option<Received>> {
    let Some(first) = line(reader)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = headers(reader)?;
    let mut received =
        Received { method: method.to_owned(), target: target.to_owned(), headers, body: Vec::new() };
    received.body = body(reader, &received.headers, false)?;
    Ok(Some(received))
}

/// The header lines up to the empty one, names in lower case.
pub(super) fn headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut headers = Vec::new();
    loop {
        let mut bytes = Vec::new();
        reader.read_until(b'\n', &mut bytes)?;
        let line = bytes.trim_ascii();
        if line.is_empty() {
            return Ok(headers);
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).to_ascii_lowercase();
        headers.push((name, parts.next().unwrap_or_default().trim_ascii().to_vec()));
    }
}

/// The body that follows these headers. One that is framed by nothing goes to the end of the connection if
/// `to_end`, and is empty otherwise.
pub(super) fn body(
    reader: &mut impl BufRead,
    headers: &[(String, Vec<u8>)],
    to_end: bool,
) -> io::Result<Vec<u8>> {
    let field = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name)?;
        Some(String::from_utf8_lossy(&found.1).into_owned())
    };
    let mut body = Vec::new();
    if field("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        loop {
            let size = line(reader)?.unwrap_or_default();
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
            if size == 0 {
                // Trailers are of no interest here.
                self::headers(reader)?;
                return Ok(body);
            }
            reader.by_ref().take(size).read_to_end(&mut body)?;
            line(reader)?;
        }
    } else if let Some(length) = field("content-length") {
        let length = length.parse().map_err(io::Error::other)?;
        reader.take(length).read_to_end(&mut body)?;
    } else if to_end {
        reader.read_to_end(&mut body)?;
    }
    Ok(body)
}

/// A line without its end; none at the end of the stream.
pub(super) fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    line.truncate(line.trim_end().len());
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_headers_and_its_body_in_chunks() {
        let bytes =
            b"POST /a?b=c HTTP/1.1\r\nX-One:  1 \r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let received = receive(&mut bytes.as_slice()).unwrap().unwrap();
        assert_eq!((received.method.as_str(), received.path()), ("POST", "/a"));
        assert_eq!(received.header("x-one").unwrap(), "1");
        assert_eq!(received.text(), "abc");
        assert!(receive(&mut [].as_slice()).unwrap().is_none());
    }

    #[test]
    fn it_answers_as_it_is_told_and_remembers() {
        let upstream = Upstream::start().unwrap();
        let call = |path: &str| super::super::Call::new("GET", path).send(upstream.address()).unwrap();
        assert_eq!(call("/one").json().unwrap()["target"], "/one");
        upstream.reply(|received| Answer::new(404, received.target.clone()).header("x-a", "b"));
        let answer = call("/two");
        assert_eq!((answer.status(), answer.text().as_str()), (404, "/two"));
        assert_eq!(answer.header("x-a").unwrap(), "b");
        let targets: Vec<_> = upstream.take_requests().into_iter().map(|received| received.target).collect();
        assert_eq!(targets, ["/one", "/two"]);
        assert!(upstream.requests().is_empty());
    }
}
