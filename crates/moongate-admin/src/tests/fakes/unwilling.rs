//! A store that refuses what a test tells it to.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use moongate_store::{
    Change, Clock, Dataset, Effect, Guard, Layout, Status, Store, StoreError, Version, Written,
};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Answers writes with these errors, one each, and then makes them.
#[derive(Debug)]
pub(crate) struct UnwillingStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) errors: Mutex<VecDeque<StoreError>>,
    /// What every read is answered with.
    pub(crate) unreadable: Option<StoreError>,
}

#[async_trait]
impl Store for UnwillingStore {
    async fn load(&self) -> Result<Dataset, StoreError> {
        match &self.unreadable {
            Some(error) => Err(error.clone()),
            None => self.inner.load().await,
        }
    }

    fn dataset(&self) -> Dataset {
        self.inner.dataset()
    }

    async fn write_if(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError> {
        let error = self.errors.lock().pop_front();
        match error {
            Some(error) => Err(error),
            None => self.inner.write_if(changes, guard).await,
        }
    }

    fn changes(&self) -> watch::Receiver<Version> {
        self.inner.changes()
    }

    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        self.inner.changes_since(version)
    }

    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError> {
        self.inner.adopt(layout).await
    }

    async fn status(&self) -> Status {
        self.inner.status().await
    }

    fn clock(&self) -> Clock {
        self.inner.clock()
    }
}
