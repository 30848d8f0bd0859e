//! An HTTP client that sends what it is told, well-formed or not, and tells what it got.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A response, as received.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case; values as bytes.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Response {
    /// First value of a header, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.raw_header(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// First value of a header.
    pub fn raw_header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// A connection that can carry several requests.
pub struct Client {
    reader: BufReader<TcpStream>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    pub fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    pub fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Sends a GET request and waits for its response.
    pub fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> std::io::Result<Response> {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: gateway.test\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        self.send((request + "\r\n").as_bytes())?;
        self.receive()
    }

    /// Reads a response with its whole body.
    pub fn receive(&mut self) -> std::io::Result<Response> {
        let mut response = self.receive_head()?;
        if matches!(response.status, 204 | 304) {
            return Ok(response);
        }
        if let Some(length) = response.header("content-length") {
            let mut body = vec![0; length.parse().map_err(std::io::Error::other)?];
            self.reader.read_exact(&mut body)?;
            response.body = body;
        } else if response.header("transfer-encoding").is_some() {
            response.body = self.receive_chunks()?;
        } else {
            self.reader.read_to_end(&mut response.body)?;
        }
        Ok(response)
    }

    /// Reads the head of a response, and leaves its body.
    pub fn receive_head(&mut self) -> std::io::Result<Response> {
        let mut line = self.line()?;
        while line.starts_with(b"HTTP/1.1 100") {
            while !self.line()?.is_empty() {}
            line = self.line()?;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other(format!("no status line but {text:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(Response { status, headers, body: Vec::new() });
            }
            let colon = line.iter().position(|byte| *byte == b':').expect("a header line has a colon");
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
    }

    /// What follows, line by line, to the end of the connection.
    pub fn into_lines(self) -> impl Iterator<Item = String> {
        self.reader.lines().map_while(Result::ok)
    }

    /// Reads and counts what follows, to the end of the connection or `limit` bytes.
    pub fn count(&mut self, limit: u64) -> std::io::Result<u64> {
        let mut buffer = vec![0; 256 * 1024];
        let mut count = 0;
        while count < limit {
            let read = self.reader.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            count += read as u64;
        }
        Ok(count)
    }

    /// Whether the other side closed the connection.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.reader.fill_buf(), Ok([]) | Err(_))
    }

    fn receive_chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = String::from_utf8_lossy(&line);
            let size = usize::from_str_radix(size.split(';').next().unwrap().trim(), 16)
                .map_err(std::io::Error::other)?;
            let mut chunk = vec![0; size];
            self.reader.read_exact(&mut chunk)?;
            body.extend(chunk);
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = Vec::new();
        if self.reader.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the connection was closed"));
        }
        while matches!(line.last(), Some(b'\r' | b'\n')) {
            line.pop();
        }
        Ok(line)
    }
}

/// Sends one GET request over a connection of its own.
pub fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Response {
    Client::connect(address).get(path, headers).unwrap_or_else(|error| panic!("GET {path}: {error}"))
}

/// Sends bytes over a connection of their own and reads a response, if there is one.
pub fn raw(address: SocketAddr, request: &[u8]) -> Option<Response> {
    let mut client = Client::connect(address);
    client.send(request).unwrap();
    client.receive().ok()
}
