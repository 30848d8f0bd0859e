//! The PROXY protocol: what a load balancer says about the client of a connection, before the client's own bytes.
//!
//! Both versions are understood. The header is taken from the connection byte for byte, so what follows it is read by
//! whoever reads next.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Longest header of the first version.
const LONGEST_V1: usize = 107;

/// Longest header of the second version that is taken; the protocol itself would allow 64 KiB.
const LONGEST_V2: usize = 4096;

const SIGNATURE_V2: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a header says, or is to become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// Bytes that begin a header.
    Incomplete,
    /// A header.
    Complete {
        /// Its length in bytes.
        length: usize,
        /// The client, where the header names one: a load balancer's own connections have none.
        client: Option<SocketAddr>,
    },
    /// Something else.
    Invalid,
}

/// Takes the header from the beginning of a connection.
///
/// # Errors
/// When the connection does not begin with one, or ends before.
pub(crate) async fn receive(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut start = Vec::with_capacity(LONGEST_V1);
    let mut part = [0; 512];
    loop {
        let peeked = stream.peek(&mut part).await?;
        if peeked == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let known = start.len();
        start.extend_from_slice(part.get(..peeked).unwrap_or_default());
        let (client, end) = match read(&start) {
            Header::Incomplete => (None, start.len()),
            Header::Complete { length, client } => (Some(client), length),
            Header::Invalid => {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "no header of the PROXY protocol"));
            }
        };
        // What was peeked at and belongs to the header is taken, so that the next look shows what is new.
        let taken = part.get_mut(..end.saturating_sub(known)).unwrap_or_default();
        stream.read_exact(taken).await?;
        if let Some(client) = client {
            return Ok(client);
        }
    }
}

/// Reads the header at the beginning of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Header {
    if begins(bytes, SIGNATURE_V2) {
        read_v2(bytes)
    } else if begins(bytes, b"PROXY ") {
        read_v1(bytes)
    } else {
        Header::Invalid
    }
}

/// Whether `bytes` begin with `start`, as far as there are any.
fn begins(bytes: &[u8], start: &[u8]) -> bool {
    let length = bytes.len().min(start.len());
    bytes.get(..length) == start.get(..length)
}

fn read_v1(bytes: &[u8]) -> Header {
    let most = bytes.get(..LONGEST_V1).unwrap_or(bytes);
    let Some(end) = most.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() < LONGEST_V1 { Header::Incomplete } else { Header::Invalid };
    };
    let complete = |client| Header::Complete { length: end + 2, client };
    let Some(line) = bytes.get(..end).and_then(|line| std::str::from_utf8(line).ok()) else {
        return Header::Invalid;
    };
    let mut words = line.split(' ').skip(1);
    let kind = words.next();
    // Whatever stands behind it means nothing.
    if kind == Some("UNKNOWN") {
        return complete(None);
    }
    let words: Vec<&str> = words.collect();
    let [source, destination, source_port, destination_port] = words.as_slice() else {
        return Header::Invalid;
    };
    let is_sound = port(destination_port).is_some()
        && match kind {
            Some("TCP4") => is::<Ipv4Addr>(source) && is::<Ipv4Addr>(destination),
            Some("TCP6") => is::<Ipv6Addr>(source) && is::<Ipv6Addr>(destination),
            _ => false,
        };
    match (source.parse::<IpAddr>(), port(source_port)) {
        (Ok(ip), Some(port)) if is_sound => complete(Some(SocketAddr::new(ip, port))),
        _ => Header::Invalid,
    }
}

fn is<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// A port in digits alone, without zeros before it.
fn port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn read_v2(bytes: &[u8]) -> Header {
    let Some((&[version_and_command, family, high, low], rest)) =
        bytes.get(SIGNATURE_V2.len()..).and_then(|rest| rest.split_first_chunk::<4>())
    else {
        return Header::Incomplete;
    };
    let body = usize::from(u16::from_be_bytes([high, low]));
    let length = SIGNATURE_V2.len() + 4 + body;
    if version_and_command >> 4 != 2 || length > LONGEST_V2 {
        return Header::Invalid;
    }
    let Some(addresses) = rest.get(..body) else { return Header::Incomplete };
    let client = match (version_and_command & 0xf, family) {
        // The load balancer's own connection, or one of a kind that has no such addresses.
        (0, _) => None,
        (1, 0x11 | 0x12) => match v4(addresses) {
            Some(client) => Some(client),
            None => return Header::Invalid,
        },
        (1, 0x21 | 0x22) => match v6(addresses) {
            Some(client) => Some(client),
            None => return Header::Invalid,
        },
        (1, _) => None,
        _ => return Header::Invalid,
    };
    Header::Complete { length, client }
}

/// Source, destination and both ports; more may follow.
fn v4(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, rest) = bytes.split_first_chunk::<4>()?;
    let (_, ports) = rest.split_first_chunk::<4>()?;
    let (source, rest) = ports.split_first_chunk::<2>()?;
    rest.first_chunk::<2>()?;
    Some(SocketAddr::new(Ipv4Addr::from(*ip).into(), u16::from_be_bytes(*source)))
}

fn v6(bytes: &[u8]) -> Option<SocketAddr> {
    let (ip, rest) = bytes.split_first_chunk::<16>()?;
    let (_, ports) = rest.split_first_chunk::<16>()?;
    let (source, rest) = ports.split_first_chunk::<2>()?;
    rest.first_chunk::<2>()?;
    Some(SocketAddr::new(Ipv6Addr::from(*ip).into(), u16::from_be_bytes(*source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(length: usize, client: Option<&str>) -> Header {
        Header::Complete { length, client: client.map(|client| client.parse().unwrap()) }
    }

    fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let mut header = SIGNATURE_V2.to_vec();
        header.extend_from_slice(&[command, family]);
        header.extend_from_slice(&(body.len() as u16).to_be_bytes());
        header.extend_from_slice(body);
        header
    }

    #[test]
    fn a_line_names_the_client() {
        for (line, client) in [
            ("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", Some("192.0.2.1:56324")),
            ("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", Some("[2001:db8::1]:1")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN what ever this is\r\n", None),
        ] {
            assert_eq!(read(format!("{line}GET / HTTP/1.1\r\n").as_bytes()), complete(line.len(), client));
            for end in 0..line.len() {
                assert_eq!(read(&line.as_bytes()[..end]), Header::Incomplete, "{line:?} to {end}");
            }
        }
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for line in [
            "GET / HTTP/1.1\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 1\r\n",
            "PROXY TCP4  192.0.2.1 192.0.2.2 56324 443\r\n",
            "PROXY TCP4 2001:db8::1 ::1 1 1\r\n",
            "PROXY TCP6 192.0.2.1 ::1 1 1\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 +1 443\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 01 443\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n",
            "PROXY TCP4 192.0.2.\u{661} 192.0.2.2 1 443\r\n",
            &long,
        ] {
            assert_eq!(read(line.as_bytes()), Header::Invalid, "{line:?}");
        }
    }

    #[test]
    fn a_binary_header_names_the_client() {
        let v4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 187];
        let mut v6 = [0; 36];
        (v6[0], v6[1], v6[15], v6[33]) = (0x20, 1, 9, 80);
        let with_more = [&v4[..], &[3, 0, 1, 7]].concat();
        for (header, client) in [
            (v2(0x21, 0x11, &v4), Some("192.0.2.1:56324")),
            (v2(0x21, 0x12, &v4), Some("192.0.2.1:56324")),
            (v2(0x21, 0x11, &with_more), Some("192.0.2.1:56324")),
            (v2(0x21, 0x21, &v6), Some("[2001::9]:80")),
            (v2(0x21, 0x31, &[0; 216]), None),
            (v2(0x21, 0, &[]), None),
            (v2(0x20, 0x11, &v4), None),
            (v2(0x20, 0, &[]), None),
        ] {
            let followed = [&header[..], b"more"].concat();
            assert_eq!(read(&followed), complete(header.len(), client));
            for end in 0..header.len() {
                assert_eq!(read(&header[..end]), Header::Incomplete, "to {end}");
            }
        }
    }

    #[test]
    fn binary_headers_that_say_nothing_sensible_are_refused() {
        for header in [
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 35]),
            v2(0x21, 0, &[0; 5000]),
            b"\r\n\r\n\0\r\nQUIX".to_vec(),
        ] {
            assert_eq!(read(&header), Header::Invalid);
        }
    }
}
