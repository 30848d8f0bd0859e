//! The gateway of a test.

use std::marker::PhantomData;
use std::time::Duration;

use serde_json::Value;

use super::{clock, consumers, context, counters, entities, http_client, kv, log, metrics, secrets};
use crate::http_client::{ClientError, Incoming, Outgoing};
use crate::log::Level;
use crate::metrics::Kind;
use crate::{Consumer, Plugin};

/// What stands behind the capabilities of a plugin in a test: made at its beginning, and filled as the test needs.
///
/// It belongs to the thread. Making another one forgets all that the thread's last one knew.
///
/// ```
/// use moongate_sdk::{Consumer, consumers, testing::Gateway};
///
/// let gateway = Gateway::new();
/// gateway.add_consumer(Consumer { id: "1".into(), username: Some("alice".into()), custom_id: None });
/// assert_eq!(consumers::find("alice").unwrap().id, "1");
/// ```
#[derive(Debug)]
pub struct Gateway {
    /// What it fills belongs to this thread.
    not_send: PhantomData<*const ()>,
}

impl Gateway {
    /// An empty gateway for a plugin without entities.
    #[expect(
        clippy::new_without_default,
        reason = "making one has an effect, which a default should not have"
    )]
    pub fn new() -> Self {
        clock::set(None);
        consumers::clear();
        context::clear();
        counters::clear();
        entities::clear();
        http_client::clear();
        kv::clear();
        log::clear();
        metrics::clear();
        secrets::clear();
        Self { not_send: PhantomData }
    }

    /// An empty gateway that knows the entities of a plugin.
    ///
    /// # Panics
    /// Where a schema of an entity is no JSON, or has no name.
    pub fn of<P: Plugin>() -> Self {
        let gateway = Self::new();
        for schema in P::ENTITIES {
            assert!(entities::declare(schema), "not a schema of an entity: {schema}");
        }
        gateway
    }

    /// Adds a consumer, or replaces the one with the same id.
    pub fn add_consumer(&self, consumer: Consumer) {
        consumers::insert(consumer);
    }

    /// Adds a row, or replaces the one with the same id. It is taken as it is: no defaults, no checks.
    ///
    /// # Panics
    /// Where the plugin has no such entity, or the row has no `id`.
    pub fn add_row(&self, entity: &str, row: Value) {
        assert!(entities::insert(entity, row.clone()), "no entity `{entity}`, or no id in {row}");
    }

    /// Removes a row.
    pub fn remove_row(&self, entity: &str, id: &str) {
        entities::remove(entity, id);
    }

    /// Gives a vault reference a value.
    pub fn add_secret(&self, reference: impl Into<String>, value: impl Into<String>) {
        secrets::insert(reference.into(), value.into());
    }

    /// Stops the clock at a time, counted from 1970.
    pub fn set_time(&self, since_1970: Duration) {
        clock::set(Some(since_1970));
    }

    /// Puts the clock forward, and stops it there.
    pub fn advance(&self, by: Duration) {
        clock::set(Some(clock::now().saturating_add(by)));
    }

    /// Lets Redis fail with this text, or work again.
    pub fn fail_redis(&self, failure: Option<&str>) {
        counters::fail_redis(failure.map(str::to_owned));
    }

    /// Answers the next request to another server that has no answer yet. Without one nobody is reachable.
    pub fn answer(&self, answer: Result<Incoming, ClientError>) {
        http_client::answer(answer);
    }

    /// All requests that were sent to other servers.
    pub fn sent(&self) -> Vec<Outgoing> {
        http_client::sent()
    }

    /// What was recorded of a metric with these labels, in its order; of a gauge that was set, from then on.
    pub fn recorded(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        metrics::values(name, labels)
    }

    /// As what a metric was described.
    pub fn described(&self, name: &str) -> Option<Kind> {
        metrics::kind(name)
    }

    /// The lines of the log.
    pub fn log_lines(&self) -> Vec<(Level, String)> {
        log::lines()
    }
}
