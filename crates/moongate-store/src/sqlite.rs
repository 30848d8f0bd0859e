//! The store that is one SQLite file.

mod connection;
mod migrations;
mod tables;
mod thread;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex as SyncMutex;
use rusqlite::Connection;
use tokio::sync::{Mutex, watch};

pub use migrations::SqliteMigrations;

use crate::StoreError;
use crate::change::{Change, Effect, Version, Written};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::history::History;
use crate::layout::Layout;
use crate::migrations::Migrations as _;
use crate::plan::Plan;
use crate::store::{Guard, Status, Store};
use connection::error;
use tables::Applied;
use thread::Thread;

/// Keeps entities in one file, with SQLite.
///
/// A write is on disk when it is acknowledged. The file is meant for one gateway. Another process can write to it now
/// and then, as an import from the command line does, or a person: that is noticed within half a second.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    history: History,
    clock: Clock,
    /// The only connection of this process that writes.
    thread: Thread,
    /// Asks for the version of the database, which takes microseconds.
    reader: SyncMutex<Connection>,
    /// Held by who writes or catches up.
    writing: Mutex<()>,
}

/// Tells whether others wrote without making a version, as persons do.
struct Seen {
    version: Version,
    foreign_writes: i64,
}

impl SqliteStore {
    /// Opens the file, or makes it with all tables if it is not there. Older files are brought up to date.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the file cannot be opened, [`StoreError::TooNew`], and [`StoreError::Corrupt`] if it is
    /// something else.
    pub async fn open(path: &Path, layout: Arc<Layout>) -> Result<Self, StoreError> {
        Self::with_clock(path, layout, Clock::system()).await
    }

    /// As [`SqliteStore::open`]; rows expire by `clock`.
    ///
    /// # Errors
    /// As of [`SqliteStore::open`].
    pub async fn with_clock(path: &Path, layout: Arc<Layout>, clock: Clock) -> Result<Self, StoreError> {
        let migrations = SqliteMigrations::new(path);
        if !migrations.bootstrap(&layout).await? {
            migrations.up(&layout).await?;
        }
        let thread = Thread::start(connection::open(path)?)?;
        let dataset = thread
            .run(move |connection| {
                tables::adopt(connection, &layout)?;
                tables::read_all(connection, &layout)
            })
            .await?;
        let reader = SyncMutex::new(connection::open(path)?);
        let writing = Mutex::new(());
        let inner = Arc::new(Inner { history: History::new(dataset), clock, thread, reader, writing });
        tokio::spawn(watch_over(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Dataset, StoreError> {
        self.inner.load().await
    }

    fn dataset(&self) -> Dataset {
        self.inner.history.dataset()
    }

    async fn write_if(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError> {
        let inner = &self.inner;
        inner.write(&|base| Plan::new(base, changes.clone(), inner.clock.now()), guard).await
    }

    fn changes(&self) -> watch::Receiver<Version> {
        self.inner.history.changes()
    }

    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        self.inner.history.since(version)
    }

    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError> {
        let _writing = self.inner.writing.lock().await;
        let read = move |connection: &mut Connection| {
            tables::adopt(connection, &layout)?;
            tables::read_all(connection, &layout)
        };
        let dataset = self.inner.thread.run(read).await?;
        self.inner.history.replace(dataset);
        Ok(())
    }

    async fn status(&self) -> Status {
        Status::new("sqlite", self.inner.version().map(drop))
    }

    fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }
}

impl Inner {
    async fn load(&self) -> Result<Dataset, StoreError> {
        if self.version()? != self.history.dataset().version() {
            let _writing = self.writing.lock().await;
            self.catch_up().await?;
        }
        Ok(self.history.dataset())
    }

    async fn write(
        &self,
        plan: &(dyn Fn(&Dataset) -> Result<Plan, StoreError> + Sync),
        guard: &dyn Guard,
    ) -> Result<Written, StoreError> {
        let _writing = self.writing.lock().await;
        let mut failure = StoreError::Unavailable { why: "other processes keep writing".to_owned() };
        for _ in 0..ATTEMPTS {
            self.catch_up().await?;
            let base = self.history.dataset();
            let Plan { mut next, steps, effects, outcomes } = plan(&base)?;
            if effects.is_empty() {
                return Ok(Written { version: base.version(), outcomes, effects, dataset: base });
            }
            guard.check(&next, &effects).await?;
            let (layout, changed) = (Arc::clone(base.layout()), Arc::clone(&effects));
            let apply = move |connection: &mut Connection| {
                tables::apply(connection, &layout, base.version(), &steps, &changed)
            };
            match self.thread.run(apply).await? {
                Applied::As(version) => {
                    next.apply(&[], version);
                    self.history.advance(next.clone(), Arc::clone(&effects));
                    return Ok(Written { version, outcomes, effects, dataset: next });
                }
                Applied::Referenced(error) => return Err(error),
                Applied::Overtaken => {}
                // Somebody wrote without recording it.
                Applied::Unexpected(why) => {
                    tracing::warn!(%why, "the entities in the database are others than expected, they are read again");
                    self.read_again().await?;
                    failure =
                        StoreError::Corrupt(format!("it refuses a change that its entities allow: {why}"));
                }
            }
        }
        Err(failure)
    }

    /// Reads what other processes have written. The caller holds `writing`.
    async fn catch_up(&self) -> Result<(), StoreError> {
        let dataset = self.history.dataset();
        if self.version()? != dataset.version() {
            self.thread.run(move |connection| tables::news(connection, &dataset)).await?.tell(&self.history);
        }
        Ok(())
    }

    /// Takes over what others have written. `seen` is what was found the last time.
    async fn look(&self, seen: &mut Option<Seen>) -> Result<(), StoreError> {
        let version = self.load().await?.version();
        let foreign_writes = self.thread.run(|connection| tables::foreign_writes(connection)).await?;
        let now = Seen { version, foreign_writes };
        let is_unrecorded =
            |before: &Seen| before.foreign_writes != foreign_writes && before.version == version;
        if seen.replace(now).as_ref().is_some_and(is_unrecorded) {
            self.thread.run(move |connection| tables::record_unrecorded(connection, version)).await?;
            self.load().await?;
        }
        Ok(())
    }

    async fn read_again(&self) -> Result<(), StoreError> {
        let layout = Arc::clone(self.history.dataset().layout());
        let dataset = self.thread.run(move |connection| tables::read_all(connection, &layout)).await?;
        self.history.replace(dataset);
        Ok(())
    }

    fn version(&self) -> Result<Version, StoreError> {
        tables::version(&self.reader.lock()).map_err(error)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("version", &self.inner.history.dataset().version())
            .finish_non_exhaustive()
    }
}

/// Notices what other processes write, and removes rows that have expired, as long as the store is there.
async fn watch_over(store: Weak<Inner>) {
    let mut ticks: u64 = 0;
    let mut seen = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(store) = store.upgrade() else { return };
        ticks += 1;
        let mut result = store.look(&mut seen).await;
        if result.is_ok() && ticks.is_multiple_of(LOOKS_PER_PURGE) {
            let purge = |base: &Dataset| Plan::purge(base, store.clock.now());
            result = store.write(&purge, &crate::store::Unguarded).await.map(drop);
        }
        if let Err(error) = result {
            tracing::warn!(%error, "the database cannot be looked at");
        }
    }
}

/// How often a write is tried when other processes come between.
const ATTEMPTS: u32 = 20;
const LOOK: Duration = Duration::from_millis(250);
const LOOKS_PER_PURGE: u64 = 240;
