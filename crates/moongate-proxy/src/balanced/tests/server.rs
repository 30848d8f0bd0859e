use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// A target. Answers with its name; `?status=` and `?delay=` (milliseconds) in the path change how.
pub(super) struct Server {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
    /// The status of answers to `/status`.
    status: Arc<AtomicU16>,
}

impl Server {
    pub(super) fn start(name: &'static str) -> Self {
        Self::start_at(name, "127.0.0.1:0")
    }

    pub(super) fn start_at(name: &'static str, address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (seen, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(200)));
        let (seen_too, status_too) = (Arc::clone(&seen), Arc::clone(&status));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, status) = (Arc::clone(&seen_too), Arc::clone(&status_too));
                std::thread::spawn(move || serve(name, &stream, &seen, &status));
            }
        });
        Self { address, seen, status }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// The heads of all requests so far.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().clone()
    }

    pub(super) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }
}

fn serve(name: &str, stream: &TcpStream, seen: &Mutex<Vec<String>>, status: &AtomicU16) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        seen.lock().push(head.clone());
        let path = head.split(' ').nth(1).unwrap();
        let argument = |name: &str| {
            let (_, value) = path.split_once(&format!("{name}="))?;
            value.split('&').next()?.parse::<u64>().ok()
        };
        std::thread::sleep(Duration::from_millis(argument("delay").unwrap_or(0)));
        let fixed = path.starts_with("/status").then(|| status.load(Ordering::Relaxed).into());
        let status = fixed.or(argument("status")).unwrap_or(200);
        let host = head
            .lines()
            .find_map(|line| line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("host")))
            .map_or("", |(_, value)| value);
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nX-Seen-Host: {host}\r\n\r\n{name}",
            name.len()
        );
        if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
