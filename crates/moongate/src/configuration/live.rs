//! The store as the Admin API sees it: what is written is served when the write returns.

use std::sync::Arc;

use async_trait::async_trait;
use moongate_store::{
    Change, Clock, Dataset, Effect, Guard, Layout, Status, Store, StoreError, Version, Written,
};
use tokio::sync::{broadcast, watch};

use super::Configuration;

/// See the module's description.
#[derive(Debug)]
pub(crate) struct LiveStore(pub(crate) Arc<Configuration>);

#[async_trait]
impl Store for LiveStore {
    async fn load(&self) -> Result<Dataset, StoreError> {
        self.0.store.load().await
    }

    fn dataset(&self) -> Dataset {
        self.0.store.dataset()
    }

    async fn write_if(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError> {
        self.0.write(changes, guard).await
    }

    fn changes(&self) -> watch::Receiver<Version> {
        self.0.store.changes()
    }

    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)> {
        self.0.store.changes_since(version)
    }

    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError> {
        self.0.store.adopt(layout).await
    }

    async fn status(&self) -> Status {
        self.0.store.status().await
    }

    fn clock(&self) -> Clock {
        self.0.store.clock()
    }

    async fn announce(&self, message: &str) -> Result<(), StoreError> {
        self.0.store.announce(message).await
    }

    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        self.0.store.announcements()
    }
}
