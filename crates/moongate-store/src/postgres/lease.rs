//! Connections on loan from the pool.

use std::ops::Deref;
use std::time::Duration;

use deadpool_postgres::{Client, ClientWrapper, Object, Pool};

use super::error::pool_error;
use crate::StoreError;

/// A connection on loan. If it is not given back it is closed: it may be in the midst of something.
pub(super) struct Lease {
    client: Option<Client>,
}

impl Lease {
    pub(super) async fn take(pool: &Pool) -> Result<Self, StoreError> {
        let client = pool.get().await.map_err(|failure| pool_error(&failure))?;
        Ok(Self { client: Some(client) })
    }

    /// For others to use. There must be no transaction in it.
    pub(super) fn give_back(mut self) {
        drop(self.client.take());
    }
}

impl Deref for Lease {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        match &self.client {
            Some(client) => client,
            None => unreachable!("who gave a lease back has it no more"),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

/// What comes out of `work` if it does so in time.
pub(super) async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late = |_| StoreError::Unavailable { why: format!("no answer within {time:?}") };
    tokio::time::timeout(time, work).await.map_err(late)?
}
