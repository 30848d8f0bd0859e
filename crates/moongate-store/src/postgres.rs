//! The store that several nodes share: a Postgres database.

mod announced;
mod cells;
mod connect;
mod error;
mod lease;
mod listener;
mod migrations;
mod settings;
mod tables;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use tokio::sync::{Mutex, broadcast, watch};
use tokio::task::AbortHandle;

pub use migrations::PostgresMigrations;
pub use settings::{PostgresSettings, Tls, Trust};

use crate::StoreError;
use crate::change::{Change, Effect, Version, Written};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::follow::News;
use crate::history::History;
use crate::layout::Layout;
use crate::plan::Plan;
use crate::store::{Guard, Status, Store, Unguarded};
use announced::Announced;
use connect::Connector;
use lease::{Lease, within};
use tables::Applied;

/// Keeps entities in Postgres, which other nodes may use at the same time.
///
/// Writes of all nodes happen one after the other. Other nodes hear of them by `LISTEN`, and by looking every few seconds
/// in case that was lost. While the database is away, [`Store::dataset`] still has everything; all else says
/// [`StoreError::Unavailable`] until it is back.
///
/// What somebody writes to the tables by hand is noticed too: triggers record it.
pub struct PostgresStore {
    inner: Arc<Inner>,
    listener: AbortHandle,
}

struct Inner {
    connector: Connector,
    pool: Pool,
    history: History,
    clock: Clock,
    announced: Announced,
    /// Held by who writes or catches up.
    writing: Mutex<()>,
}

impl PostgresStore {
    /// Connects, and makes the tables of `layout` that are missing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database cannot be reached; [`StoreError::NeedsBootstrap`],
    /// [`StoreError::NeedsMigration`] or [`StoreError::TooNew`] if its version is another; [`StoreError::Corrupt`] if its tables
    /// are not those of this program.
    pub async fn open(settings: PostgresSettings, layout: Arc<Layout>) -> Result<Self, StoreError> {
        Self::with_clock(settings, layout, Clock::system()).await
    }

    /// As [`PostgresStore::open`]; rows expire by `clock`.
    ///
    /// # Errors
    /// As of [`PostgresStore::open`].
    pub async fn with_clock(
        settings: PostgresSettings,
        layout: Arc<Layout>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let connector = Connector::new(settings)?;
        let pool = connector.pool()?;
        let timeout = connector.settings().timeout;
        let lease = Lease::take(&pool).await?;
        let dataset = within(timeout * PATIENCE, async {
            crate::migrations::check(migrations::version(&lease).await?)?;
            tables::adopt(&lease, &layout).await?;
            tables::read_all(&lease, &layout).await
        });
        let history = History::new(dataset.await?);
        lease.give_back();
        let announced = Announced::new(&connector.settings().schema);
        let inner = Arc::new(Inner { connector, pool, history, clock, announced, writing: Mutex::new(()) });
        let listener = tokio::spawn(listener::listen(Arc::downgrade(&inner))).abort_handle();
        Ok(Self { inner, listener })
    }
}

#[async_trait]
impl Store for PostgresStore {
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
        let lease = self.inner.lease().await?;
        let dataset = within(self.inner.timeout() * PATIENCE, async {
            tables::adopt(&lease, &layout).await?;
            tables::read_all(&lease, &layout).await
        });
        self.inner.history.replace(dataset.await?);
        lease.give_back();
        Ok(())
    }

    async fn status(&self) -> Status {
        Status::new("postgres", self.inner.version().await.map(drop))
    }

    fn clock(&self) -> Clock {
        self.inner.clock.clone()
    }

    async fn announce(&self, message: &str) -> Result<(), StoreError> {
        let lease = self.inner.lease().await?;
        within(self.inner.timeout(), self.inner.announced.tell(&lease, message)).await?;
        lease.give_back();
        Ok(())
    }

    fn announcements(&self) -> Option<broadcast::Receiver<Arc<str>>> {
        Some(self.inner.announced.listen())
    }
}

impl Inner {
    async fn load(&self) -> Result<Dataset, StoreError> {
        if self.version().await? != self.history.dataset().version() {
            let _writing = self.writing.lock().await;
            let lease = self.lease().await?;
            let dataset = self.history.dataset();
            let news = within(self.timeout() * PATIENCE, tables::news(&lease, &dataset)).await?;
            lease.give_back();
            news.tell(&self.history);
        }
        Ok(self.history.dataset())
    }

    async fn write(
        &self,
        plan: &(dyn Fn(&Dataset) -> Result<Plan, StoreError> + Sync),
        guard: &dyn Guard,
    ) -> Result<Written, StoreError> {
        let _writing = self.writing.lock().await;
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            // Whatever ends this early also ends the connection, and with it the transaction.
            let lease = self.lease().await?;
            let version = within(self.timeout() * PATIENCE, tables::lock(&lease)).await?;
            if version != self.history.dataset().version() {
                let dataset = self.history.dataset();
                within(self.timeout() * PATIENCE, tables::news_of(&lease, &dataset, version))
                    .await?
                    .tell(&self.history);
            }
            let base = self.history.dataset();
            let Plan { mut next, steps, effects, outcomes } = match plan(&base) {
                Ok(plan) => plan,
                Err(error) => return self.give_up(lease, error).await,
            };
            if effects.is_empty() {
                within(self.timeout(), tables::roll_back(&lease)).await?;
                lease.give_back();
                return Ok(Written { version, outcomes, effects, dataset: base });
            }
            if let Err(error) = guard.check(&next, &effects).await {
                return self.give_up(lease, error).await;
            }
            let time =
                self.timeout() + Duration::from_millis(10) * u32::try_from(steps.len()).unwrap_or(u32::MAX);
            match within(time, tables::apply(&lease, base.layout(), version, &steps, &effects)).await? {
                Applied::As(version) => {
                    lease.give_back();
                    next.apply(&[], version);
                    self.history.advance(next.clone(), Arc::clone(&effects));
                    return Ok(Written { version, outcomes, effects, dataset: next });
                }
                Applied::Referenced(error) => return self.give_up(lease, error).await,
                Applied::Unexpected(why) => {
                    tracing::warn!(%why, "the entities in the database are others than expected, they are read again");
                    within(self.timeout(), tables::roll_back(&lease)).await?;
                    let everything = tables::read_all(&lease, base.layout());
                    let dataset = within(self.timeout() * PATIENCE, everything).await?;
                    lease.give_back();
                    News::Everything(Box::new(dataset)).tell(&self.history);
                    reason = why;
                }
            }
        }
        Err(StoreError::Corrupt(format!("it refuses a change that its entities allow: {reason}")))
    }

    /// Ends the transaction without a change.
    async fn give_up<T>(&self, lease: Lease, error: StoreError) -> Result<T, StoreError> {
        if within(self.timeout(), tables::roll_back(&lease)).await.is_ok() {
            lease.give_back();
        }
        Err(error)
    }

    /// Removes rows that have expired.
    async fn purge(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        if Plan::purge(&self.history.dataset(), now)?.effects.is_empty() {
            return Ok(());
        }
        self.write(&|base| Plan::purge(base, now), &Unguarded).await.map(drop)
    }

    async fn version(&self) -> Result<Version, StoreError> {
        let lease = self.lease().await?;
        let version = within(self.timeout(), tables::version(&lease)).await?;
        lease.give_back();
        Ok(version)
    }

    async fn lease(&self) -> Result<Lease, StoreError> {
        Lease::take(&self.pool).await
    }

    fn timeout(&self) -> Duration {
        self.connector.settings().timeout
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.listener.abort();
        self.inner.pool.close();
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.inner.history.dataset().version();
        let settings = self.inner.connector.settings();
        f.debug_struct("PostgresStore")
            .field("settings", settings)
            .field("version", &version)
            .finish_non_exhaustive()
    }
}

/// How often a write is tried when the entities are others than expected.
const ATTEMPTS: u32 = 3;

/// How many times longer than a question may take what waits for other writers, or reads everything.
const PATIENCE: u32 = 12;
