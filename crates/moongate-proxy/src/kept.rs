//! Bodies of requests that are read whole before anything is sent upstream.
//!
//! An upstream is told the length of such a body, and can be sent it again. What does not fit into a little memory goes
//! into a file without a name, which the system removes with the last one who has it open.

use std::fs::File;
use std::future::Future;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName};
use http_body::{Body, Frame};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::deadline::Deadline;
use crate::error::Failure;
use crate::received::Received;
use crate::trailers;

/// Bytes of a body that are kept in memory.
const IN_MEMORY: usize = 64 * 1024;

/// Bytes that are read of a file at a time.
const PART: usize = 64 * 1024;

/// A whole body: what is in the file, and then what is in memory.
pub(crate) struct Kept {
    file: Option<Arc<File>>,
    in_file: u64,
    in_memory: Bytes,
    /// What comes behind it.
    trailers: Option<HeaderMap>,
}

impl Kept {
    /// Reads a body to its end, in which the client may pause for `patience`. The larger part goes into a file in
    /// `directory`. Of trailers, those that were `announced` are kept.
    ///
    /// # Errors
    /// When the client breaks off, pauses for too long, sends more than it may, or there is no room for what it sends.
    pub(crate) async fn read(
        mut body: Received,
        announced: &[HeaderName],
        deadline: &Deadline,
        patience: Duration,
        directory: &Arc<Path>,
    ) -> Result<Self, Failure> {
        let mut kept = Self::of(Bytes::new());
        let mut memory = BytesMut::new();
        loop {
            deadline.wait(Instant::now(), patience);
            let frame = std::future::poll_fn(|cx| match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(frame) => Poll::Ready(Ok(frame)),
                Poll::Pending if deadline.has_passed() => Poll::Ready(Err(Failure::RequestTimeout)),
                Poll::Pending => {
                    deadline.wake(cx.waker());
                    Poll::Pending
                }
            });
            match frame.await? {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if memory.len() + data.len() > IN_MEMORY => {
                        memory.extend_from_slice(&data);
                        kept.put_away(memory.split().freeze(), directory).await.map_err(no_room)?;
                    }
                    Ok(data) => memory.extend_from_slice(&data),
                    Err(frame) => {
                        let passed = trailers::passed(frame, announced);
                        kept.trailers = passed.and_then(|frame| frame.into_trailers().ok());
                        break;
                    }
                },
                Some(Err(error)) => {
                    tracing::debug!(%error, "a body did not come to its end");
                    deadline.blame_client(error.failure());
                    return Err(error.failure());
                }
                None => break,
            }
        }
        deadline.work();
        kept.in_memory = memory.freeze();
        Ok(kept)
    }

    /// A body that is there already.
    pub(crate) fn of(body: Bytes) -> Self {
        Self { file: None, in_file: 0, in_memory: body, trailers: None }
    }

    pub(crate) fn length(&self) -> u64 {
        self.in_file + self.in_memory.len() as u64
    }

    /// Writes a part of the body into the file.
    async fn put_away(&mut self, part: Bytes, directory: &Arc<Path>) -> io::Result<()> {
        let (known, at, length) = (self.file.clone(), self.in_file, part.len() as u64);
        let directory: PathBuf = directory.to_path_buf();
        let file = spawn_blocking(move || {
            let file = match known {
                Some(file) => file,
                None => Arc::new(tempfile::tempfile_in(directory)?),
            };
            file.write_all_at(&part, at)?;
            Ok::<_, io::Error>(file)
        })
        .await
        .map_err(io::Error::other)??;
        self.file = Some(file);
        self.in_file += length;
        Ok(())
    }
}

fn no_room(error: io::Error) -> Failure {
    tracing::error!(%error, "there is no room for the body of a request");
    Failure::Internal
}

/// A kept body on its way upstream, from its beginning.
pub(crate) struct Replay {
    kept: Rc<Kept>,
    at: u64,
    /// Whether the trailers are still to be sent.
    owes_trailers: bool,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl Replay {
    pub(crate) fn new(kept: Rc<Kept>) -> Self {
        let owes_trailers = kept.trailers.is_some();
        Self { kept, at: 0, owes_trailers, reading: None }
    }

    /// The same body, to be sent once more.
    pub(crate) fn again(&self) -> Self {
        Self::new(Rc::clone(&self.kept))
    }

    /// What has not been sent yet.
    pub(crate) fn left(&self) -> u64 {
        self.kept.length().saturating_sub(self.at)
    }

    /// Whether something comes behind the body.
    pub(crate) fn has_trailers(&self) -> bool {
        self.kept.trailers.is_some()
    }

    /// Whether all was sent.
    pub(crate) fn is_at_end(&self) -> bool {
        self.left() == 0 && !self.owes_trailers
    }

    /// The next part; `None` at the end.
    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left() == 0 {
            let trailers = self.kept.trailers.clone().filter(|_| std::mem::take(&mut self.owes_trailers));
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        let part = match &self.kept.file {
            Some(file) if self.at < self.kept.in_file => {
                let (at, length) = (self.at, PART.min((self.kept.in_file - self.at) as usize));
                let reading = self.reading.get_or_insert_with(|| {
                    let file = Arc::clone(file);
                    spawn_blocking(move || {
                        let mut part = vec![0; length];
                        file.read_exact_at(&mut part, at)?;
                        Ok(part.into())
                    })
                });
                let part = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                part.map_err(io::Error::other).flatten()
            }
            _ => Ok(self.kept.in_memory.clone()),
        };
        if let Ok(part) = &part {
            self.at += part.len() as u64;
        }
        Poll::Ready(Some(part.map(Frame::data)))
    }
}
