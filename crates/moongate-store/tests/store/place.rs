//! Somewhere a store can be opened, more than once if it lasts.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use moongate_store::{
    Clock, Layout, MemoryStore, Migrations as _, PostgresMigrations, PostgresSettings, PostgresStore,
    SqliteStore, Store,
};
use tempfile::TempDir;

use crate::rows::layout;

/// Somewhere a store can be opened. Rows expire by its own clock.
pub(crate) struct Place {
    kind: Kind,
    now: Arc<AtomicU64>,
}

enum Kind {
    Memory,
    Sqlite(TempDir),
    Postgres(PostgresSettings),
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self::of(Kind::Memory)
    }

    pub(crate) fn sqlite() -> Self {
        Self::of(Kind::Sqlite(tempfile::tempdir().unwrap()))
    }

    pub(crate) async fn postgres(settings: PostgresSettings) -> Self {
        PostgresMigrations::new(settings.clone()).unwrap().bootstrap(&layout()).await.unwrap();
        Self::of(Kind::Postgres(settings))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, now: Arc::new(AtomicU64::new(1_700_000_000_000)) }
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        self.open_with(layout()).await
    }

    pub(crate) async fn open_with(&self, layout: Layout) -> Arc<dyn Store> {
        let layout = Arc::new(layout);
        let clock = self.clock();
        match &self.kind {
            Kind::Memory => Arc::new(MemoryStore::with_clock(layout, clock)),
            Kind::Sqlite(_) => Arc::new(SqliteStore::with_clock(&self.file(), layout, clock).await.unwrap()),
            Kind::Postgres(settings) => {
                Arc::new(PostgresStore::with_clock(settings.clone(), layout, clock).await.unwrap())
            }
        }
    }

    /// The file of a SQLite store.
    pub(crate) fn file(&self) -> PathBuf {
        match &self.kind {
            Kind::Sqlite(directory) => directory.path().join("entities.db"),
            _ => panic!("not in a file"),
        }
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.now.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Clock::new(move || UNIX_EPOCH + Duration::from_millis(now.load(Ordering::SeqCst)))
    }
}
