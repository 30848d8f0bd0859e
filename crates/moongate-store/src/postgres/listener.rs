//! What goes on behind a store: hearing of other nodes' changes, and sweeping.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::Inner;
use super::connect::Ear;
use super::lease::within;
use crate::StoreError;

/// Keeps the store up to date as long as it is there.
pub(super) async fn listen(store: Weak<Inner>) {
    let mut listener = Listener { store, pause: FIRST_PAUSE, is_away: false, swept: Instant::now() };
    while listener.round().await.is_some() {}
}

struct Listener {
    store: Weak<Inner>,
    /// How long to wait before the next attempt to connect.
    pause: Duration,
    /// Whether the last look failed, so that the log says so once.
    is_away: bool,
    swept: Instant,
}

impl Listener {
    /// One connection, from its beginning to its end. `None` when the store is gone.
    async fn round(&mut self) -> Option<()> {
        let store = self.store.upgrade()?;
        let connected =
            within(store.connector.settings().timeout, store.connector.listen(&store.announced)).await;
        let poll = store.connector.settings().poll;
        // Also without an ear: notifications may be what fails.
        let looked = self.look(&store).await;
        drop(store);
        match (connected, looked) {
            (Ok(ear), Ok(())) => {
                self.pause = FIRST_PAUSE;
                self.hear(ear, poll).await?;
            }
            (Err(error), Ok(())) => {
                tracing::warn!(%error, "changes of other nodes are looked for, but not heard")
            }
            (_, Err(_)) => {}
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LAST_PAUSE);
        Some(())
    }

    /// Looks at each notification, and now and then without one, until the connection or the database fails.
    async fn hear(&mut self, mut ear: Ear, poll: Duration) -> Option<()> {
        loop {
            if let Ok(None) = timeout(poll, ear.heard.recv()).await {
                return Some(());
            }
            let store = self.store.upgrade()?;
            if self.look(&store).await.is_err() {
                return Some(());
            }
        }
    }

    async fn look(&mut self, store: &Arc<Inner>) -> Result<(), StoreError> {
        let mut result = store.load().await.map(drop);
        if result.is_ok() && self.swept.elapsed() > SWEEP {
            self.swept = Instant::now();
            result = store.purge().await;
        }
        match &result {
            Ok(()) if self.is_away => tracing::info!("the database is back"),
            Err(error) if !self.is_away => tracing::warn!(%error, "the database cannot be used"),
            _ => {}
        }
        self.is_away = result.is_err();
        result
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);
/// How often rows that have expired are removed.
const SWEEP: Duration = Duration::from_secs(60);
