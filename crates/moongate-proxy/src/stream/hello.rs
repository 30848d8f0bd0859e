//! The first message of a TLS client, as far as it has to be known to find a route: the server name in it.
//!
//! Nothing else is checked: whether the message is sound is for those to say who shake hands with the client.

/// Longest message that is waited for, with the heads of its records.
pub(crate) const LONGEST: usize = 18 * 1024;

/// What the beginning of a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hello {
    /// Bytes that may become a client's first message.
    Incomplete,
    /// A client's first message, with the server name in lower case if there is one.
    Complete(Option<String>),
    /// Something else.
    Invalid,
}

/// Reads the message at the beginning of `bytes`.
pub(crate) fn read(bytes: &[u8]) -> Hello {
    let mut message = Vec::new();
    let mut records = bytes;
    loop {
        // A record: its type, which is 22 for handshakes, the version and the length.
        let is_start = [22, 3].iter().zip(records).all(|(wanted, found)| wanted == found);
        if !is_start {
            return Hello::Invalid;
        }
        let Some((&[_, _, _, high, low], rest)) = records.split_first_chunk::<5>() else {
            return incomplete(bytes);
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > LONGEST_RECORD {
            return Hello::Invalid;
        }
        let (part, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        message.extend_from_slice(part);
        // The message: its type, which is 1, and its length in three bytes.
        if message.first().is_some_and(|kind| *kind != 1) {
            return Hello::Invalid;
        }
        if let Some((&[_, top, high, low], body)) = message.split_first_chunk::<4>() {
            let wanted = u32::from_be_bytes([0, top, high, low]) as usize;
            if wanted > LONGEST {
                return Hello::Invalid;
            }
            if let Some(body) = body.get(..wanted) {
                return server_name(body).map_or(Hello::Invalid, Hello::Complete);
            }
        }
        if part.len() < length {
            return incomplete(bytes);
        }
        records = rest;
        if records.is_empty() {
            return incomplete(bytes);
        }
    }
}

fn incomplete(bytes: &[u8]) -> Hello {
    if bytes.len() < LONGEST { Hello::Incomplete } else { Hello::Invalid }
}

/// The server name in the body of the message. `None` where it is no such body.
fn server_name(body: &[u8]) -> Option<Option<String>> {
    // The version and the random bytes.
    let mut rest = body.get(34..)?;
    let _session = take_short(&mut rest)?;
    let _suites = take(&mut rest)?;
    let _compressions = take_short(&mut rest)?;
    if rest.is_empty() {
        return Some(None);
    }
    let mut extensions = take(&mut rest)?;
    while !extensions.is_empty() {
        let kind = take_number(&mut extensions)?;
        let mut content = take(&mut extensions)?;
        if kind != 0 {
            continue;
        }
        let mut names = take(&mut content)?;
        while let Some((kind, after)) = names.split_first() {
            names = after;
            let name = take(&mut names)?;
            if *kind == 0 {
                let name = std::str::from_utf8(name).ok()?;
                return Some(Some(name.to_ascii_lowercase()).filter(|name| !name.is_empty()));
            }
        }
    }
    Some(None)
}

fn take_number(bytes: &mut &[u8]) -> Option<u16> {
    let (number, rest) = bytes.split_first_chunk::<2>()?;
    *bytes = rest;
    Some(u16::from_be_bytes(*number))
}

/// Bytes with their number in two bytes before them.
fn take<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = take_number(bytes)?;
    let (taken, rest) = bytes.split_at_checked(length.into())?;
    *bytes = rest;
    Some(taken)
}

/// Bytes with their number in one byte before them.
fn take_short<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = bytes.split_first()?;
    let (taken, rest) = rest.split_at_checked((*length).into())?;
    *bytes = rest;
    Some(taken)
}

/// More than TLS allows are no records.
const LONGEST_RECORD: usize = 16 * 1024 + 2048;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::ClientConnection;

    use super::*;
    use crate::tls::{TlsClient, TlsClients, UpstreamTls, UpstreamTlsOptions};

    /// What a client sends first that wants to speak to `name`.
    fn hello(name: &'static str) -> Vec<u8> {
        let clients = TlsClients::new(UpstreamTlsOptions::default());
        let connector = clients.connector(&TlsClient::new(UpstreamTls::default())).unwrap();
        let name = name.try_into().unwrap();
        let mut client = ClientConnection::new(Arc::clone(connector.config()), name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    /// The same message in records of `size` bytes.
    fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
        let record = |part: &[u8]| [&[22, 3, 1], &(part.len() as u16).to_be_bytes()[..], part].concat();
        hello[5..].chunks(size).flat_map(record).collect()
    }

    #[test]
    fn the_server_name_is_found_however_the_message_arrives() {
        let bytes = hello("A.Test");
        let found = Hello::Complete(Some("a.test".to_owned()));
        assert_eq!(read(&bytes), found);
        assert_eq!(read(&[&bytes[..], b"more"].concat()), found);
        for end in 0..bytes.len() {
            assert_eq!(read(&bytes[..end]), Hello::Incomplete, "to {end}");
        }
        for size in [1, 3, 100] {
            let bytes = in_records(&bytes, size);
            assert_eq!(read(&bytes), found, "in records of {size}");
            assert_eq!(read(&bytes[..bytes.len() - 1]), Hello::Incomplete);
        }
    }

    #[test]
    fn a_client_that_names_no_server_has_none() {
        assert_eq!(read(&hello("192.0.2.1")), Hello::Complete(None));
    }

    #[test]
    fn what_is_no_client_of_tls_is_refused() {
        let bytes = hello("a.test");
        let mut server = bytes.clone();
        server[5] = 2;
        // A session id that is longer than the message.
        let short = [&[22, 3, 1, 0, 39, 1, 0, 0, 35][..], &[0; 34], &[255]].concat();
        let endless = in_records(&[&[0; 5][..], &[1, 0, 255, 255], &[0; 9000]].concat(), 100);
        for other in [&b"GET / HTTP/1.1\r\n"[..], &[22, 4], &[22, 3, 1, 0, 0], &server, &short, &endless] {
            assert_eq!(read(other), Hello::Invalid);
        }
    }
}
