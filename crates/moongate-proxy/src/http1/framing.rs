//! How the bodies of responses come.

use bytes::{Buf, Bytes};
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::Invalid;
use crate::trailers;

/// Most bytes of chunk extensions and trailers in one body.
const MAX_EXTRA: usize = 16 * 1024;

/// Most lines of trailers.
const MAX_TRAILERS: usize = 64;

/// How a body comes, and how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none, or no more.
    Ended,
    /// So many bytes are to come.
    Length(u64),
    /// In chunks.
    Chunked { at: At, extra: usize },
    /// Until the upstream closes the connection.
    UntilClose,
}

/// Within a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A chunk's size, with the digits so far.
    Size(u64, u8),
    /// What may stand behind the size, and means nothing here.
    Extension(u64),
    /// The line feed behind a size.
    SizeEnd(u64),
    /// So many bytes of a chunk.
    Data(u64),
    /// The carriage return behind a chunk.
    DataEnd,
    /// The line feed behind a chunk.
    DataEndLine,
    /// Behind the last chunk.
    Trailers,
}

/// A part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
    /// More has to be read first.
    Missing,
}

impl Framing {
    pub(super) fn chunked() -> Self {
        Self::Chunked { at: At::Size(0, 0), extra: 0 }
    }

    /// The bytes that are to come, where that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Ended => Some(0),
            Self::Length(left) => Some(*left),
            Self::Chunked { .. } | Self::UntilClose => None,
        }
    }

    /// Takes the next part of the body from what was read.
    ///
    /// # Errors
    /// When chunks are not as they should be.
    pub(super) fn take(&mut self, read: &mut Bytes) -> Result<Part, Invalid> {
        match self {
            Self::Ended => Ok(Part::End),
            _ if read.is_empty() => Ok(Part::Missing),
            Self::Length(left) => {
                let data = split(read, *left);
                *left -= data.len() as u64;
                if *left == 0 {
                    *self = Self::Ended;
                }
                Ok(Part::Data(data))
            }
            Self::UntilClose => Ok(Part::Data(std::mem::take(read))),
            Self::Chunked { at, extra } => {
                let part = next(at, extra, read)?;
                match part {
                    // The end is known with the last piece, if it came along.
                    Part::Data(_) => {
                        let (mut at, mut extra, mut ahead) = (*at, *extra, read.clone());
                        if let Ok(Part::End) = next(&mut at, &mut extra, &mut ahead) {
                            *read = ahead;
                            *self = Self::Ended;
                        }
                    }
                    Part::End | Part::Trailers(_) => *self = Self::Ended,
                    Part::Missing => {}
                }
                Ok(part)
            }
        }
    }
}

/// At most `most` bytes of what was read.
fn split(read: &mut Bytes, most: u64) -> Bytes {
    match usize::try_from(most) {
        Ok(most) if most < read.len() => read.split_to(most),
        _ => std::mem::take(read),
    }
}

fn next(at: &mut At, extra: &mut usize, read: &mut Bytes) -> Result<Part, Invalid> {
    loop {
        match at {
            At::Data(_) if read.is_empty() => return Ok(Part::Missing),
            At::Data(left) => {
                let data = split(read, *left);
                *left -= data.len() as u64;
                if *left == 0 {
                    *at = At::DataEnd;
                }
                return Ok(Part::Data(data));
            }
            At::Trailers => return trailers(read),
            _ => {}
        }
        let Some(byte) = read.first().copied() else { return Ok(Part::Missing) };
        read.advance(1);
        *at = match (*at, byte) {
            (At::Size(size, digits), _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                let size = size.checked_mul(16).ok_or(Invalid::Chunk)? + u64::from(digit);
                At::Size(size, digits.saturating_add(1))
            }
            (At::Size(size, 1..), b'\r') | (At::Extension(size), b'\r') => At::SizeEnd(size),
            (At::Size(size, 1..), b';' | b' ' | b'\t') => At::Extension(size),
            (At::Extension(size), byte) if byte != b'\n' && *extra < MAX_EXTRA => {
                *extra += 1;
                At::Extension(size)
            }
            (At::SizeEnd(0), b'\n') => At::Trailers,
            (At::SizeEnd(size), b'\n') => At::Data(size),
            (At::DataEnd, b'\r') => At::DataEndLine,
            (At::DataEndLine, b'\n') => At::Size(0, 0),
            _ => return Err(Invalid::Chunk),
        };
    }
}

/// What comes behind the last chunk, once it is there whole.
fn trailers(read: &mut Bytes) -> Result<Part, Invalid> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_TRAILERS];
    let (length, lines) = match httparse::parse_headers(read, &mut lines).map_err(Invalid::Head)? {
        httparse::Status::Complete(whole) => whole,
        httparse::Status::Partial if read.len() > MAX_EXTRA => return Err(Invalid::Chunk),
        httparse::Status::Partial => return Ok(Part::Missing),
    };
    let mut found = HeaderMap::new();
    for line in lines {
        let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Invalid::Line)?;
        let value = HeaderValue::from_bytes(line.value).map_err(|_| Invalid::Line)?;
        if trailers::may_trail(&name) {
            found.append(name, value);
        }
    }
    read.advance(length);
    Ok(if found.is_empty() { Part::End } else { Part::Trailers(found) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data and the trailers of a body that is read in pieces of `size` bytes, and what was left.
    fn read(body: &str, size: usize) -> Result<(String, HeaderMap, usize), Invalid> {
        let mut framing = Framing::chunked();
        let (mut data, mut trailers) = (Vec::new(), HeaderMap::new());
        let mut to_come = body.as_bytes().chunks(size);
        let mut unread = Bytes::new();
        loop {
            match framing.take(&mut unread)? {
                Part::Data(piece) => data.extend_from_slice(&piece),
                Part::Trailers(map) => trailers = map,
                Part::End => break,
                Part::Missing => {
                    let more = to_come.next().ok_or(Invalid::Chunk)?;
                    unread = [&unread[..], more].concat().into();
                }
            }
        }
        let left = unread.len() + to_come.map(<[u8]>::len).sum::<usize>();
        Ok((String::from_utf8(data).unwrap(), trailers, left))
    }

    #[test]
    fn chunks_become_data_however_they_are_cut() {
        let body = "5;a=\"b\"\r\nhello\r\n00C \r\n big world\r\n\r\n0\r\n\r\n";
        for size in 1..=body.len() {
            let (data, trailers, left) = read(body, size).unwrap();
            assert_eq!((data.as_str(), trailers.len(), left), ("hello big world\r\n", 0, 0), "{size}");
        }
        assert_eq!(read("0\r\n\r\nHTTP/1.1", 99).unwrap().2, 8);
    }

    #[test]
    fn trailers_come_behind_the_last_chunk() {
        for size in 1..30 {
            let (data, trailers, _) = read("1\r\na\r\n0\r\nX-Sum: 7\r\nb: c\r\n\r\n", size).unwrap();
            assert_eq!(
                (data.as_str(), &trailers["x-sum"], &trailers["b"]),
                ("a", &"7".parse().unwrap(), &"c".parse().unwrap())
            );
        }
    }

    #[test]
    fn trailers_that_belong_into_a_head_are_dropped() {
        let (data, trailers, left) =
            read("1\r\na\r\n0\r\nContent-Length: 7\r\nset-cookie: a=b\r\nx: y\r\n\r\n", 99).unwrap();
        assert_eq!((data.as_str(), trailers.len(), &trailers["x"], left), ("a", 1, &"y".parse().unwrap(), 0));
        assert!(read("0\r\nHost: a\r\n\r\n", 99).unwrap().1.is_empty());
    }

    #[test]
    fn the_end_is_known_with_the_last_piece() {
        let mut framing = Framing::chunked();
        let mut read = Bytes::from_static(b"1\r\na\r\n0\r\n\r\n");
        assert_eq!(framing.take(&mut read).unwrap(), Part::Data(Bytes::from_static(b"a")));
        assert_eq!((framing, read.len()), (Framing::Ended, 0));
    }

    #[test]
    fn chunks_that_are_not_as_they_should_be_are_refused() {
        for body in [
            "g\r\n",
            "\r\n",
            ";a\r\n",
            "1\na",
            "1\r\nab\r\n",
            "1\r\na\n",
            "-1\r\n",
            "1;a\n",
            "11111111111111111\r\n",
            "0\r\nno colon\r\n\r\n",
        ] {
            assert!(read(&format!("{body}0\r\n\r\n"), 99).is_err(), "{body:?}");
        }
        assert!(read(&format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(MAX_EXTRA + 1)), 4096).is_err());
        assert!(read(&format!("0\r\nx: {}\r\n\r\n", "x".repeat(2 * MAX_EXTRA)), 4096).is_err());
    }

    #[test]
    fn a_length_is_counted_down() {
        let mut framing = Framing::Length(5);
        let mut read = Bytes::from_static(b"abc");
        assert_eq!(framing.take(&mut read).unwrap(), Part::Data(Bytes::from_static(b"abc")));
        assert_eq!(framing.take(&mut read).unwrap(), Part::Missing);
        read = Bytes::from_static(b"defgh");
        assert_eq!(framing.take(&mut read).unwrap(), Part::Data(Bytes::from_static(b"de")));
        assert_eq!((framing, &read[..]), (Framing::Ended, &b"fgh"[..]));
    }
}
