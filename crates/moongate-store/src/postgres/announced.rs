//! What nodes tell each other beside what they write.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use uuid::Uuid;

use super::error::error;
use crate::StoreError;

/// The side of one node.
#[derive(Clone)]
pub(super) struct Announced {
    /// By which a node knows what it said itself.
    node: Uuid,
    /// A database may have the tables of several gateways.
    schema: Arc<str>,
    others: broadcast::Sender<Arc<str>>,
}

impl Announced {
    pub(super) fn new(schema: &str) -> Self {
        Self { node: Uuid::new_v4(), schema: schema.into(), others: broadcast::channel(WAITING).0 }
    }

    pub(super) async fn tell(&self, client: &ClientWrapper, message: &str) -> Result<(), StoreError> {
        let payload = json!({"node": self.node, "schema": &*self.schema, "message": message}).to_string();
        let tell = client.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &payload]).await;
        tell.map(drop).map_err(|failure| error(&failure))
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Arc<str>> {
        self.others.subscribe()
    }

    /// Passes on what came, if it is for this node and from another.
    pub(super) fn heard(&self, payload: &str) {
        let said: Value = serde_json::from_str(payload).unwrap_or_default();
        let [node, schema, message] = ["node", "schema", "message"].map(|field| said.get(field)?.as_str());
        let (Some(node), Some(schema), Some(message)) = (node, schema, message) else {
            tracing::warn!(payload, "another node says what makes no sense");
            return;
        };
        if schema == &*self.schema && node != self.node.to_string() {
            // Nobody may be listening.
            let _ = self.others.send(message.into());
        }
    }
}

/// Where nodes talk. As [`super::connect::CHANNEL`], it belongs to the database.
pub(super) const CHANNEL: &str = "moongate_announcements";

/// Messages that wait for a listener.
const WAITING: usize = 256;
