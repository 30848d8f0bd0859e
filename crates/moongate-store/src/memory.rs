//! The store that forgets everything when the process ends.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{Mutex, watch};

use crate::StoreError;
use crate::change::{Change, Effect, Version, Written};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::history::History;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::store::{Guard, Status, Store};

/// Keeps entities in memory only.
#[derive(Debug)]
pub struct MemoryStore {
    history: History,
    clock: Clock,
    /// Held by who writes.
    writing: Mutex<()>,
}

impl MemoryStore {
    /// A store without a row.
    pub fn new(layout: Arc<Layout>) -> Self {
        Self::with_clock(layout, Clock::system())
    }

    /// As [`MemoryStore::new`]; rows expire by `clock`.
    pub fn with_clock(layout: Arc<Layout>, clock: Clock) -> Self {
        Self { history: History::new(Dataset::new(layout)), clock, writing: Mutex::new(()) }
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> Result<Dataset, StoreError> {
        Ok(self.dataset())
    }

    fn dataset(&self) -> Dataset {
        self.history.dataset()
    }

    async fn write_if(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError> {
        let _writing = self.writing.lock().await;
        let Plan { mut next, effects, outcomes, .. } = Plan::new(&self.dataset(), changes, self.clock.now())?;
        if !effects.is_empty() {
            guard.check(&next, &effects).await?;
            next.apply(&[], Version(next.version().0 + 1));
            self.history.advance(next.clone(), Arc::clone(&effects));
        }
        Ok(Written { version: next.version(), outcomes, effects, dataset: next })
    }

    fn changes(&self) -> watch::Receiver<Version> {
        self.history.changes()
    }

    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        self.history.since(version)
    }

    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError> {
        let _writing = self.writing.lock().await;
        self.history.replace(self.dataset().relaid(layout));
        Ok(())
    }

    async fn status(&self) -> Status {
        Status::new("memory", Ok(()))
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }
}
