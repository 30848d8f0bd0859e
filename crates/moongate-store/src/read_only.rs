//! A store that cannot be written to through this door.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::StoreError;
use crate::change::{Change, Effect, Version, Written};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::layout::Layout;
use crate::store::{Guard, Status, Store};

/// Gives all reads to another store and refuses all writes.
///
/// It is what the Admin API gets when the entities come from a file.
#[derive(Debug)]
pub struct ReadOnlyStore(Arc<dyn Store>);

impl ReadOnlyStore {
    /// A door to `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Store for ReadOnlyStore {
    async fn load(&self) -> Result<Dataset, StoreError> {
        self.0.load().await
    }

    fn dataset(&self) -> Dataset {
        self.0.dataset()
    }

    async fn write_if(&self, _changes: Vec<Change>, _guard: &dyn Guard) -> Result<Written, StoreError> {
        Err(StoreError::ReadOnly)
    }

    fn changes(&self) -> watch::Receiver<Version> {
        self.0.changes()
    }

    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        self.0.changes_since(version)
    }

    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError> {
        self.0.adopt(layout).await
    }

    async fn status(&self) -> Status {
        self.0.status().await
    }

    fn clock(&self) -> Clock {
        self.0.clock()
    }
}
