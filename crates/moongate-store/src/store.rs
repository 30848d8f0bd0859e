//! The trait that all stores implement.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{broadcast, watch};

use crate::change::{Change, Effect, Version, Written};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::key::Key;
use crate::layout::Layout;
use crate::page::{Page, PageRequest, TagOffset, TagPage};
use crate::{Row, StoreError};

/// Keeps entities.
///
/// A store that wraps another has to implement the required methods; reads are made of them.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Everything as it is now, also what other nodes have written before this was called.
    ///
    /// Costs one question to the database; what changed is fetched, if something did.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be asked, [`StoreError::Corrupt`] if its answer makes no sense.
    async fn load(&self) -> Result<Dataset, StoreError>;

    /// Everything as it is known, without asking the database: what other nodes have written just now may be
    /// missing. Never blocks, never fails.
    fn dataset(&self) -> Dataset;

    /// Makes all `changes` in one transaction, if `guard` agrees. With no effect there is no new version.
    ///
    /// No other write comes between the changes and the look at them by the guard, neither on this node nor on another. So
    /// a guard should not take long, and must not write itself.
    ///
    /// When this returns, the change is durable, and seen by all reads of this node. Others see it with their
    /// next [`Store::load`], and are told of it.
    ///
    /// # Errors
    /// The first change that is not allowed, what the guard says, or [`StoreError::Unavailable`].
    async fn write_if(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError>;

    /// The latest version that is known, and a signal when there is a new one, from here or elsewhere.
    fn changes(&self) -> watch::Receiver<Version>;

    /// What changed since `version`, up to the version that is returned with it. `None` if that is too long ago, or if
    /// the layout has changed; then take the whole [`Store::dataset`].
    fn changes_since(&self, version: Version) -> Option<(Version, Vec<Effect>)>;

    /// Takes on another layout: tables and columns that are missing are made. Rows of entities that are not in it stay in
    /// the database, but are not seen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], and [`StoreError::Corrupt`] if a column has another type already.
    async fn adopt(&self, layout: Arc<Layout>) -> Result<(), StoreError>;

    /// How the store is.
    async fn status(&self) -> Status;

    /// The clock that decides which rows have expired.
    fn clock(&self) -> Clock;

    /// Tells all other nodes something that is not kept: who does not listen just then never hears of it. At most a few
    /// thousand bytes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be asked to pass it on.
    async fn announce(&self, _message: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// What other nodes announce from now on. `None` where there are no others.
    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        None
    }

    /// Makes all `changes` in one transaction. See [`Store::write_if`].
    ///
    /// # Errors
    /// As of [`Store::write_if`].
    async fn write(&self, changes: Vec<Change>) -> Result<Written, StoreError> {
        self.write_if(changes, &Unguarded).await
    }

    /// The row of `entity` with this key.
    ///
    /// # Errors
    /// As of [`Store::load`], and [`StoreError::UnknownEntity`].
    async fn find(&self, entity: &str, key: &Key) -> Result<Option<Row>, StoreError> {
        self.load().await?.find(entity, key, self.clock().now())
    }

    /// Some rows of `entity`.
    ///
    /// # Errors
    /// As of [`Store::load`], and [`StoreError::UnknownEntity`].
    async fn page(&self, entity: &str, request: &PageRequest) -> Result<Page, StoreError> {
        self.load().await?.page(entity, request, self.clock().now())
    }

    /// Some of all tags of all rows; with `tag`, only where it is this one.
    ///
    /// # Errors
    /// As of [`Store::load`].
    async fn tags(
        &self,
        tag: Option<&str>,
        size: usize,
        offset: Option<TagOffset>,
    ) -> Result<TagPage, StoreError> {
        Ok(self.load().await?.tags(tag, size, offset, self.clock().now()))
    }
}

/// Has a say in each write before it is made.
#[async_trait]
pub trait Guard: Send + Sync {
    /// Looks at what everything would be (`next`), and at what would be other than before (`effects`).
    ///
    /// Nothing is durable yet, and after this agreed the write can still fail.
    ///
    /// # Errors
    /// Any error ends the write, which then has changed nothing. [`StoreError::Refused`] is meant for it.
    async fn check(&self, next: &Dataset, effects: &[Effect]) -> Result<(), StoreError>;
}

/// Agrees to all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unguarded;

#[async_trait]
impl Guard for Unguarded {
    async fn check(&self, _next: &Dataset, _effects: &[Effect]) -> Result<(), StoreError> {
        Ok(())
    }
}

/// How a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// What it keeps entities in: `memory`, `sqlite` or `postgres`.
    pub kind: &'static str,
    /// Whether it can be used now.
    pub reachable: bool,
    /// If not, why.
    pub why: Option<String>,
}

impl Status {
    pub(crate) fn new(kind: &'static str, result: Result<(), StoreError>) -> Self {
        let why = result.err().map(|error| error.to_string());
        Self { kind, reachable: why.is_none(), why }
    }
}
