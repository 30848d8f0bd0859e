//! One request and its answer, over a connection of their own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A request, ready to be sent.
#[derive(Debug)]
pub struct Request {
    pub method: String,
    pub bytes: Vec<u8>,
}

impl Request {
    /// Writes a request with the length of its body, and a host where the headers have none.
    pub fn new(
        method: &str,
        path: &str,
        host: SocketAddr,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Self {
        let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !has("host") {
            head += &format!("Host: {host}\r\n");
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        let chunked = has("transfer-encoding");
        if let Some(body) = body.filter(|_| !chunked && !has("content-length")) {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = latin1(&(head + "\r\n"));
        match body {
            Some(body) if chunked => {
                bytes.extend(format!("{:x}\r\n", body.len()).as_bytes());
                bytes.extend(body);
                bytes.extend(b"\r\n0\r\n\r\n");
            }
            body => bytes.extend(body.unwrap_or_default()),
        }
        Self { method: method.to_owned(), bytes }
    }

    /// Sends it to a plain listener.
    pub fn send(&self, address: SocketAddr) -> io::Result<Answer> {
        self.exchange(connect(address)?)
    }

    /// Sends it to a TLS listener, whose certificate may be any.
    pub fn send_tls(&self, address: SocketAddr, server_name: Option<&str>) -> io::Result<Answer> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let schemes = provider.signature_verification_algorithms.supported_schemes();
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(schemes)))
            .with_no_client_auth();
        config.enable_sni = server_name.is_some();
        let name = server_name.unwrap_or("nobody.test").to_owned();
        let name = ServerName::try_from(name).map_err(io::Error::other)?;
        let session = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
        self.exchange(StreamOwned::new(session, connect(address)?))
    }

    fn exchange(&self, mut stream: impl Read + Write) -> io::Result<Answer> {
        stream.write_all(&self.bytes)?;
        stream.flush()?;
        let mut reader = BufReader::new(stream);
        let mut answer = read_head(&mut reader)?;
        while answer.status == 100 {
            answer = read_head(&mut reader)?;
        }
        let header = |name: &str| answer.headers.iter().find(|(known, _)| known == name).map(|(_, v)| v);
        if self.method == "HEAD" || matches!(answer.status, 100..200 | 204 | 304) {
            return Ok(answer);
        }
        let mut body = Vec::new();
        if header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            read_chunks(&mut reader, &mut body)?;
        } else if let Some(length) = header("content-length").and_then(|length| length.parse().ok()) {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        } else {
            reader.read_to_end(&mut body)?;
        }
        answer.body = body;
        Ok(answer)
    }
}

/// Text of which each character is one byte.
pub fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// The other way round.
pub fn from_latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Answer> {
    let status_line = read_line(reader)?;
    let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status line but {status_line:?}")))?;
    let mut headers = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok(Answer { status, headers, body: Vec::new() });
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| io::Error::other("a header without a colon"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(reader)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            while !read_line(reader)?.is_empty() {}
            return Ok(());
        }
        let start = body.len();
        body.resize(start + size, 0);
        reader.read_exact(&mut body[start..])?;
        read_line(reader)?;
    }
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(from_latin1(line.trim_ascii_end()))
}

#[derive(Debug)]
struct AnyCertificate(Vec<SignatureScheme>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}

const PATIENCE: Duration = Duration::from_secs(15);
