//! What guests say: log lines, and whatever their language writes to stdout and stderr.
//!
//! Both end in the gateway's log under the plugin's name, and both are bounded: a plugin that floods the log
//! would otherwise fill a disk, or cost other requests their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::time::Instant;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::settings::bounds;

/// The log of one plugin, shared by all its instances.
pub(crate) struct PluginLog {
    plugin: String,
    started: Instant,
    second: AtomicU64,
    lines: AtomicU32,
}

impl PluginLog {
    pub(crate) fn new(plugin: &str) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.to_owned(),
            started: Instant::now(),
            second: AtomicU64::new(0),
            lines: AtomicU32::new(0),
        })
    }

    /// Writes a line, unless the plugin has used up its lines of this second.
    pub(crate) fn write(&self, level: tracing::Level, message: &str) {
        if !enabled(level) || !self.admit() {
            return;
        }
        let message = clip(message, bounds::LOG_LINE);
        let plugin = self.plugin.as_str();
        match level {
            tracing::Level::ERROR => tracing::error!(target: "moongate::plugin", plugin, "{message}"),
            tracing::Level::WARN => tracing::warn!(target: "moongate::plugin", plugin, "{message}"),
            tracing::Level::INFO => tracing::info!(target: "moongate::plugin", plugin, "{message}"),
            tracing::Level::DEBUG => tracing::debug!(target: "moongate::plugin", plugin, "{message}"),
            tracing::Level::TRACE => tracing::trace!(target: "moongate::plugin", plugin, "{message}"),
        }
    }

    fn admit(&self) -> bool {
        let now = self.started.elapsed().as_secs();
        if self.second.swap(now, Ordering::Relaxed) != now {
            let lines = self.lines.swap(0, Ordering::Relaxed);
            let dropped = lines.saturating_sub(bounds::LOG_LINES_PER_SECOND);
            if dropped > 0 {
                tracing::warn!(target: "moongate::plugin", plugin = self.plugin, dropped, "log lines dropped");
            }
        }
        self.lines.fetch_add(1, Ordering::Relaxed) < bounds::LOG_LINES_PER_SECOND
    }
}

/// Whether the gateway writes lines of this level for plugins.
pub(crate) fn enabled(level: tracing::Level) -> bool {
    match level {
        tracing::Level::ERROR => tracing::enabled!(target: "moongate::plugin", tracing::Level::ERROR),
        tracing::Level::WARN => tracing::enabled!(target: "moongate::plugin", tracing::Level::WARN),
        tracing::Level::INFO => tracing::enabled!(target: "moongate::plugin", tracing::Level::INFO),
        tracing::Level::DEBUG => tracing::enabled!(target: "moongate::plugin", tracing::Level::DEBUG),
        tracing::Level::TRACE => tracing::enabled!(target: "moongate::plugin", tracing::Level::TRACE),
    }
}

/// Text cut to at most `limit` bytes, between characters.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// A guest's stdout and stderr: whole lines go to the log, the last ones are kept for the text of a trap.
#[derive(Clone)]
pub(crate) struct CapturedOutput(Arc<Inner>);

struct Inner {
    log: Arc<PluginLog>,
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    line: Vec<u8>,
    tail: String,
}

impl CapturedOutput {
    pub(crate) fn new(log: Arc<PluginLog>) -> Self {
        Self(Arc::new(Inner { log, buffer: Mutex::default() }))
    }

    /// What the guest wrote last, and nothing the next time.
    pub(crate) fn take(&self) -> String {
        let mut buffer = self.0.buffer.lock();
        let rest = std::mem::take(&mut buffer.line);
        let mut tail = std::mem::take(&mut buffer.tail);
        tail.push_str(&String::from_utf8_lossy(&rest));
        tail
    }

    fn push(&self, bytes: &[u8]) {
        let mut buffer = self.0.buffer.lock();
        for byte in bytes {
            if *byte == b'\n' || buffer.line.len() >= bounds::LOG_LINE {
                let line = std::mem::take(&mut buffer.line);
                let line = String::from_utf8_lossy(&line);
                self.0.log.write(tracing::Level::INFO, &line);
                if buffer.tail.len() + line.len() > bounds::LOG_LINE {
                    buffer.tail.clear();
                }
                buffer.tail.push_str(&line);
                buffer.tail.push('\n');
            } else {
                buffer.line.push(*byte);
            }
        }
    }
}

impl IsTerminal for CapturedOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for CapturedOutput {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this form, and it is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for CapturedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(bounds::LOG_LINE)
    }
}

#[async_trait]
impl Pollable for CapturedOutput {
    async fn ready(&mut self) {}
}
