//! Whether the proxies do the same work.
//!
//! A proxy that adds fewer headers has less to do. Both sides of every proxy are looked at once, and what differs
//! from nginx stands under the table.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::http;

use super::contender::{Contender, Stage};

/// Describes how the headers of each proxy differ from those of the first.
///
/// Listens on the upstream's port, which must still be free.
pub(crate) fn differences(stage: &Stage, contenders: &[Contender]) -> Result<Vec<String>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, stage.upstream))
        .with_context(|| format!("cannot listen on port {}", stage.upstream))?;
    let mut differences = Vec::new();
    let mut first: Option<Heads> = None;
    for contender in contenders {
        stage.interrupt.check()?;
        let heads = Heads::through(contender, &listener)
            .with_context(|| format!("cannot look at the headers of {}", contender.name()))?;
        match &first {
            None => first = Some(heads),
            Some(first) => {
                let name = contender.name();
                differences.extend(difference(name, "requests", &first.request, &heads.request));
                differences.extend(difference(name, "responses", &first.response, &heads.response));
            }
        }
    }
    Ok(differences)
}

/// Names of headers, in lower case.
struct Heads {
    request: BTreeSet<String>,
    response: BTreeSet<String>,
}

impl Heads {
    fn through(contender: &Contender, listener: &TcpListener) -> Result<Self> {
        thread::scope(|scope| {
            let client = scope.spawn(|| http::get(contender.port, "/", &[]));
            let request = receive(listener);
            let response = client.join().map_err(|_| anyhow::anyhow!("the client has panicked"))??;
            let response = response.headers().map(|(name, _)| name.to_ascii_lowercase()).collect();
            Ok(Self { request: request?, response })
        })
    }
}

/// Accepts one request and answers it.
fn receive(listener: &TcpListener) -> Result<BTreeSet<String>> {
    let mut stream = accept(listener)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut names = BTreeSet::new();
    for line in BufReader::new(&stream).lines().skip(1) {
        let line = line?;
        let Some((name, _)) = line.split_once(':') else { break };
        names.insert(name.to_ascii_lowercase());
    }
    stream.write_all(ANSWER)?;
    Ok(names)
}

fn accept(listener: &TcpListener) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let watch = crate::clock::Stopwatch::start();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock && watch.elapsed() < LIMIT => {
                thread::sleep(Duration::from_millis(10));
            }
            Err(error) => return Err(error).context("no request has arrived"),
        }
    }
}

fn difference(name: &str, what: &str, first: &BTreeSet<String>, other: &BTreeSet<String>) -> Option<String> {
    let names = |set: Vec<&String>| set.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = names(other.difference(first).collect());
    let less = names(first.difference(other).collect());
    let parts = [("more than nginx's", more), ("without", less)];
    let parts: Vec<_> = parts.iter().filter(|(_, names)| !names.is_empty()).collect();
    let parts: Vec<_> = parts.iter().map(|(word, names)| format!("{word}: {names}")).collect();
    (!parts.is_empty()).then(|| format!("Headers of {name}'s {what}, {}", parts.join("; ")))
}

/// Has the headers that the upstream's answers have.
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differences_are_described() {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(difference("x", "requests", &set(&["via"]), &set(&["via"])), None);
        assert_eq!(
            difference("x", "requests", &set(&["host", "via"]), &set(&["host", "a", "b"])).unwrap(),
            "Headers of x's requests, more than nginx's: a, b; without: via"
        );
    }
}
