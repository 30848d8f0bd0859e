//! Requests all the time, over connections that are kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};

/// Threads that send requests until they are stopped.
pub(super) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failures: AtomicU64,
}

/// What came of the requests.
#[derive(Debug)]
pub(super) struct Traffic {
    pub(super) requests: u64,
    /// What went wrong, for each request that failed.
    pub(super) failures: Vec<String>,
}

impl Load {
    pub(super) fn start(port: u16, token: &str, connections: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        });
        let request =
            format!("GET /soak HTTP/1.1\r\nhost: soak.test\r\nauthorization: Bearer {token}\r\n\r\n");
        let threads = (0..connections)
            .map(|number| {
                let (shared, request) = (Arc::clone(&shared), request.clone());
                thread::Builder::new()
                    .name(format!("client-{number}"))
                    .spawn(move || send(port, request.as_bytes(), &shared))
                    .context("cannot start a client")
            })
            .collect::<Result<_>>()?;
        Ok(Self { shared, threads })
    }

    pub(super) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// An error when so many requests fail that going on makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let failures = self.shared.failures.load(Ordering::Relaxed);
        ensure!(failures < MOST_FAILURES, "{failures} requests failed");
        Ok(())
    }

    pub(super) fn stop(mut self) -> Result<Traffic> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        for thread in self.threads.drain(..) {
            failures.extend(thread.join().map_err(|_| anyhow!("a client has panicked"))?);
        }
        Ok(Traffic { requests: self.requests(), failures })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn send(port: u16, request: &[u8], shared: &Shared) -> Vec<String> {
    let mut failures = Vec::new();
    let mut connection = None;
    while !shared.stop.load(Ordering::Relaxed) && failures.len() < MOST_FAILURES as usize {
        let mut one = || -> Result<()> {
            let stream = match connection.take() {
                Some(stream) => stream,
                None => connect(port)?,
            };
            connection = exchange(stream, request)?;
            Ok(())
        };
        if let Err(error) = one() {
            shared.failures.fetch_add(1, Ordering::Relaxed);
            failures.push(format!("{error:#}"));
        }
        shared.requests.fetch_add(1, Ordering::Relaxed);
    }
    failures
}

fn connect(port: u16) -> Result<BufReader<TcpStream>> {
    let stream =
        TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).context("no connection")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// Sends a request and gives the connection back, unless the gateway said that it closes it.
fn exchange(mut stream: BufReader<TcpStream>, request: &[u8]) -> Result<Option<BufReader<TcpStream>>> {
    stream.get_mut().write_all(request).context("the request was not taken")?;
    let answer = read(&mut stream).context("there is no whole answer")?;
    ensure!(answer.status == 200, "status {}", answer.status);
    ensure!(answer.user && answer.header, "a plugin was left out");
    Ok(if answer.closes { None } else { Some(stream) })
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Whether jwt-claims was there.
    user: bool,
    /// Whether one-header was there.
    header: bool,
    closes: bool,
}

fn read(stream: &mut impl BufRead) -> Result<Answer> {
    let mut answer = Answer::default();
    let first = line(stream)?;
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    answer.status = status.with_context(|| format!("`{first}` is no status line"))?;
    let (mut length, mut chunked) = (0, false);
    loop {
        let line = line(stream)?.to_ascii_lowercase();
        let Some((name, value)) = line.split_once(':') else { break };
        match (name, value.trim()) {
            ("x-user", "soak") => answer.user = true,
            ("x-one-header", _) => answer.header = true,
            ("connection", "close") => answer.closes = true,
            ("transfer-encoding", "chunked") => chunked = true,
            ("content-length", value) => length = value.parse().context("bad content-length")?,
            _ => {}
        }
    }
    if !chunked {
        skip(stream, length)?;
        return Ok(answer);
    }
    loop {
        let size = u64::from_str_radix(line(stream)?.trim(), 16).context("bad chunk")?;
        skip(stream, size)?;
        line(stream)?;
        if size == 0 {
            return Ok(answer);
        }
    }
}

fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        bail!("the connection was closed");
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn skip(stream: &mut impl BufRead, length: u64) -> Result<()> {
    let read = std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink())?;
    ensure!(read == length, "the body ends after {read} of {length} bytes");
    Ok(())
}

const PATIENCE: Duration = Duration::from_secs(10);
const MOST_FAILURES: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_to_its_end() {
        let bytes = b"HTTP/1.1 200 OK\r\nX-User: soak\r\nx-one-header: 1\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 401 No\r\n\
            Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\n\r\n";
        let mut stream = bytes.as_slice();
        let first = read(&mut stream).unwrap();
        assert_eq!(first, Answer { status: 200, user: true, header: true, closes: false });
        let second = read(&mut stream).unwrap();
        assert_eq!(second, Answer { status: 401, closes: true, ..Answer::default() });
        assert!(stream.is_empty());
    }

    #[test]
    fn an_answer_that_is_cut_off_is_a_failure() {
        for bytes in [&b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab"[..], b"", b"SSH\r\n\r\n"] {
            assert!(read(&mut &*bytes).is_err());
        }
    }
}
