//! Asks the Admin API of the running gateway.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

impl Answer {
    /// What the answer has to say, which is in JSON.
    pub(super) fn message(&self) -> String {
        let json: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        let message = json.as_ref().and_then(|json| json.get("message")?.as_str());
        message.map_or_else(|| format!("answered with status {}", self.status), str::to_owned)
    }
}

/// Sends a request without a body and waits for its answer.
pub(super) fn ask(
    listener: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    timeout: Duration,
) -> io::Result<Answer> {
    let address = reachable(listener);
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    // The end of an HTTP/1.0 answer is the end of the connection, so no framing has to be understood.
    let token = token.map_or_else(String::new, |token| format!("kong-admin-token: {token}\r\n"));
    write!(stream, "{method} {path} HTTP/1.0\r\nhost: {address}\r\n{token}content-length: 0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP"))
}

/// Where to connect to for what listens on every interface.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

const LONGEST_ANSWER: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_message_are_taken_from_an_answer() {
        let answer =
            parse("HTTP/1.0 400 Bad Request\r\ncontent-length: 2\r\n\r\n{\"message\":\"no\"}").unwrap();
        assert_eq!((answer.status, answer.message().as_str()), (400, "no"));
        assert_eq!(parse("SSH-2.0-OpenSSH\r\n\r\n"), None);
    }

    #[test]
    fn a_listener_on_every_interface_is_reached_over_loopback() {
        assert_eq!(reachable("0.0.0.0:8001".parse().unwrap()), "127.0.0.1:8001".parse().unwrap());
        assert_eq!(reachable("[::]:8001".parse().unwrap()), "[::1]:8001".parse().unwrap());
        assert_eq!(reachable("10.0.0.1:8001".parse().unwrap()), "10.0.0.1:8001".parse().unwrap());
    }
}
