//! The access log: one line for each request, and for each stream.
//!
//! Lines are composed by the workers, which hand them over in large parts a few times a second, and written by a thread of
//! the log's own. So a slow disk holds up nobody; when it is too slow, lines are dropped and counted.

mod buffer;
mod file;
mod line;
mod stamp;
mod stream;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

pub(crate) use buffer::LogBuffer;
use file::LogFile;
pub(crate) use line::{LogEntry, Logging};
pub(crate) use stream::StreamLogging;

/// Parts that wait to be written, each of up to [`buffer::PART`] bytes.
const WAITING: usize = 256;

/// How often to look whether the file was moved away.
const LOOK: Duration = Duration::from_secs(1);

/// Where lines are written to, and how they look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessLogOptions {
    /// Where lines are written to.
    pub target: LogTarget,
    /// How the lines of requests look.
    pub format: AccessLogFormat,
}

/// Where lines are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The end of a file, which is made if it is missing. When it is moved away or removed, another is begun.
    File(PathBuf),
}

/// How the lines of requests look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// nginx's `combined`, with the request's id behind it as Kong writes it.
    Combined,
    /// One JSON object a line.
    Json,
}

/// The logs of a proxy, which may be the same.
#[derive(Clone, Default)]
pub(crate) struct AccessLogs {
    pub(crate) requests: Option<Arc<AccessLog>>,
    pub(crate) streams: Option<Arc<AccessLog>>,
}

impl AccessLogs {
    /// Starts the logs.
    ///
    /// # Errors
    /// When a file cannot be opened.
    pub(crate) fn start(
        requests: Option<&AccessLogOptions>,
        streams: Option<&AccessLogOptions>,
    ) -> io::Result<Self> {
        let start = |options| AccessLog::start(options).map(Arc::new);
        let of_requests = requests.map(start).transpose()?;
        let of_streams = match streams {
            same if same == requests => of_requests.clone(),
            other => other.map(start).transpose()?,
        };
        Ok(Self { requests: of_requests, streams: of_streams })
    }

    /// Opens the files anew, after what was handed over is written.
    pub(crate) fn reopen(&self) {
        self.requests.iter().chain(&self.streams).for_each(|log| log.reopen());
    }

    /// Writes what was handed over, and ends.
    pub(crate) fn stop(&self) {
        self.requests.iter().chain(&self.streams).for_each(|log| log.stop());
    }
}

/// A running log.
pub(crate) struct AccessLog {
    sender: SyncSender<Message>,
    format: AccessLogFormat,
    /// Lines that found no room since it was last told.
    dropped: Arc<AtomicU64>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Lines(Vec<u8>),
    Reopen,
    Stop,
}

impl AccessLog {
    /// Opens the target, and starts the thread that writes to it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    fn start(options: &AccessLogOptions) -> io::Result<Self> {
        let output = Output::open(&options.target)?;
        let (sender, messages) = sync_channel(WAITING);
        let dropped = Arc::new(AtomicU64::new(0));
        let looked = Instant::now();
        let writer = Writer { output, dropped: Arc::clone(&dropped), looked, failing: false };
        let thread =
            std::thread::Builder::new().name("access-log".to_owned()).spawn(move || writer.run(&messages))?;
        Ok(Self { sender, format: options.format, dropped, thread: Mutex::new(Some(thread)) })
    }

    fn format(&self) -> AccessLogFormat {
        self.format
    }

    /// Hands `count` lines over to be written, or drops them where too many wait already.
    fn put(&self, lines: Vec<u8>, count: u64) {
        if self.sender.try_send(Message::Lines(lines)).is_err() {
            self.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// Opens the file anew, after what was handed over is written.
    fn reopen(&self) {
        let _ = self.sender.send(Message::Reopen);
    }

    /// Writes what was handed over, and ends.
    fn stop(&self) {
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = self.sender.send(Message::Stop);
            let _ = thread.join();
        }
    }
}

enum Output {
    Stdout,
    Stderr,
    File(LogFile),
}

impl Output {
    fn open(target: &LogTarget) -> io::Result<Self> {
        Ok(match target {
            LogTarget::Stdout => Self::Stdout,
            LogTarget::Stderr => Self::Stderr,
            LogTarget::File(path) => Self::File(LogFile::open(path.clone())?),
        })
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut output = io::stdout().lock();
                output.write_all(lines)?;
                output.flush()
            }
            Self::Stderr => io::stderr().write_all(lines),
            Self::File(file) => file.write(lines),
        }
    }
}

/// What the thread works with.
struct Writer {
    output: Output,
    dropped: Arc<AtomicU64>,
    /// When it was last looked whether the file is still there.
    looked: Instant,
    /// Whether writing failed the last time.
    failing: bool,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let message = messages.recv_timeout(LOOK);
            if self.looked.elapsed() >= LOOK {
                self.reopen(LogFile::look);
                self.looked = Instant::now();
            }
            match message {
                Ok(Message::Lines(lines)) => self.write(&lines),
                Ok(Message::Reopen) => self.reopen(LogFile::reopen),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tell();
        }
        self.tell();
    }

    fn write(&mut self, lines: &[u8]) {
        let result = self.output.write(lines);
        if result.is_err() {
            let count = lines.iter().filter(|byte| **byte == b'\n').count();
            self.dropped.fetch_add(count as u64, Ordering::Relaxed);
        }
        self.is_done(result);
    }

    fn reopen(&mut self, open: fn(&mut LogFile) -> io::Result<()>) {
        if let Output::File(file) = &mut self.output {
            let result = open(file);
            self.is_done(result);
        }
    }

    /// Tells of an error once, until there is none.
    fn is_done(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.failing = false,
            Err(_) if self.failing => {}
            Err(error) => {
                self.failing = true;
                tracing::error!(%error, "the access log cannot be written");
            }
        }
    }

    fn tell(&self) {
        let lines = self.dropped.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "lines of the access log were dropped");
        }
    }
}

#[cfg(test)]
mod tests;
