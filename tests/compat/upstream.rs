//! The three upstreams of the cases: each answers with what it received, or as the query tells it to.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use crate::document::Document;
use crate::exchange::{from_latin1, latin1};

/// The ports that the cases name, and the ports that the upstreams really have.
///
/// The cases name fixed ports, which several runs at a time could not share.
#[derive(Debug, Clone)]
pub struct Upstreams {
    ports: Vec<(&'static str, String)>,
}

impl Upstreams {
    /// Starts the upstreams, which run for as long as the test does.
    pub fn start() -> Self {
        let start = |(label, port): (&'static str, &'static str)| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let real = listener.local_addr().unwrap().port().to_string();
            std::thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    std::thread::spawn(move || serve(&stream, label));
                }
            });
            (port, real)
        };
        Self { ports: [("a", "19101"), ("b", "19102"), ("c", "19103")].map(start).into() }
    }

    /// What is sent, with the real ports.
    pub fn reach(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (named, real)| text.replace(named, real))
    }

    /// What came back, with the ports that the cases name.
    pub fn name(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (named, real)| text.replace(real, named))
    }
}

struct Received {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn serve(stream: &TcpStream, label: &str) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    while let Some(received) = receive(&mut reader) {
        let closes = received
            .headers
            .iter()
            .any(|(name, value)| name == "connection" && value.eq_ignore_ascii_case("close"));
        answer(stream, label, &received)?;
        if closes {
            break;
        }
    }
    stream.shutdown(Shutdown::Both).ok()
}

fn receive(reader: &mut BufReader<&TcpStream>) -> Option<Received> {
    let line = line(reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    // A path that begins with two slashes is none of another host.
    let target = match target.strip_prefix("//") {
        Some(rest) => format!("/{}", rest.trim_start_matches('/')),
        None => target.to_owned(),
    };
    let mut headers = Vec::new();
    loop {
        let line = self::line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim_start_matches([' ', '\t']).to_owned()));
    }
    let header =
        |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = Vec::new();
    if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        loop {
            let size = self::line(reader)?;
            let size = u64::from_str_radix(size.split(';').next()?, 16).ok()?;
            reader.take(size).read_to_end(&mut body).ok()?;
            self::line(reader)?;
            if size == 0 {
                break;
            }
        }
    } else {
        let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        reader.take(length).read_to_end(&mut body).ok()?;
    }
    Some(Received { method, target, headers, body })
}

/// Answers. `None` ends the connection.
fn answer(mut stream: &TcpStream, label: &str, received: &Received) -> Option<()> {
    let query = Query::of(&received.target);
    if let Some(delay) = query.first("__delay").filter(|delay| !delay.is_empty()) {
        std::thread::sleep(Duration::from_secs_f64(delay.parse::<f64>().ok()?.min(5.0)));
    }
    if query.first("__drop").is_some_and(|value| !value.is_empty()) {
        return None;
    }
    if let Some(raw) = query.first("__raw") {
        stream.write_all(&latin1(raw)).ok()?;
        return None;
    }
    let body = match query.first("__body") {
        Some(body) => body.as_bytes().to_vec(),
        None => echo(label, received).into_bytes(),
    };
    let status: u16 = query.first("__status").map_or(Some(200), |status| status.parse().ok())?;
    let bodiless = matches!(status, 204 | 304);
    let mut head =
        format!("HTTP/1.1 {status} Said\r\nServer: echo\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n");
    let own: Vec<_> =
        query.all("__header").map(|header| header.split_once(':').unwrap_or((header, ""))).collect();
    if !bodiless && !own.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        head += "Content-Type: application/json\r\n";
    }
    for (name, value) in own {
        write!(head, "{name}: {}\r\n", value.trim()).ok()?;
    }
    let mut framed = Vec::new();
    if query.first("__chunked").is_some_and(|value| !value.is_empty()) {
        head += "Transfer-Encoding: chunked\r\n";
        framed.extend(format!("{:x}\r\n", body.len()).as_bytes());
        framed.extend(body);
        framed.extend(b"\r\n0\r\n\r\n");
    } else if !bodiless {
        write!(head, "Content-Length: {}\r\n", body.len()).ok()?;
        framed = body;
    }
    let mut bytes = latin1(&(head + "\r\n"));
    if received.method != "HEAD" && !bodiless {
        bytes.extend(framed);
    }
    stream.write_all(&bytes).ok()
}

/// What was received, as JSON.
fn echo(label: &str, received: &Received) -> String {
    let text = |text: &str| Document::Text(text.to_owned());
    let mut headers = received.headers.clone();
    headers.sort();
    let headers = headers.iter().map(|(name, value)| Document::List(vec![text(name), text(value)])).collect();
    let members = [
        ("upstream", text(label)),
        ("method", text(&received.method)),
        ("uri", text(&received.target)),
        ("headers", Document::List(headers)),
        ("body", text(&from_latin1(&received.body))),
    ];
    Document::Object(members.map(|(name, value)| (name.to_owned(), value)).into()).to_string()
}

/// The arguments of a target.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(target: &str) -> Self {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes().peekable();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let digits: Vec<u8> = bytes.clone().take(2).collect();
                let value =
                    std::str::from_utf8(&digits).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                match value.filter(|_| digits.len() == 2) {
                    Some(value) => {
                        bytes.nth(1);
                        decoded.push(value);
                    }
                    None => decoded.push(b'%'),
                }
            }
            byte => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line).ok()? == 0 {
        return None;
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Some(from_latin1(&line))
}
