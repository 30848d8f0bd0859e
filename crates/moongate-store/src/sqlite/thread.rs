//! The thread that has the connection.

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// Runs jobs on a connection, one after the other. It ends when this is dropped and its jobs are done.
#[derive(Debug)]
pub(super) struct Thread {
    jobs: mpsc::UnboundedSender<Job>,
}

impl Thread {
    pub(super) fn start(mut connection: Connection) -> Result<Self, StoreError> {
        let (jobs, mut waiting) = mpsc::unbounded_channel::<Job>();
        let run = move || {
            while let Some(job) = waiting.blocking_recv() {
                job(&mut connection);
            }
        };
        let thread = std::thread::Builder::new().name("moongate-sqlite".to_owned()).spawn(run);
        thread.map_err(|error| StoreError::Unavailable {
            why: format!("no thread for the database: {error}"),
        })?;
        Ok(Self { jobs })
    }

    /// What `job` returns. Once it has begun, it is done also when nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move |connection| drop(send.send(job(connection))));
        self.jobs.send(job).map_err(|_| gone())?;
        receive.await.map_err(|_| gone())?
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable { why: "the thread of the database has ended".to_owned() }
}
