//! What a request works with: the node, the schemas of that moment, and the entities.

use std::sync::Arc;

use moongate_hooks::PluginCatalog;
use moongate_schema::{Catalog, Context, Object, Schema, SystemRandomness};
use moongate_store::{Change, Dataset, Key, PageRequest, Row, Store, Written};
use serde_json::Value;
use uuid::Uuid;

use crate::api::to_value;
use crate::certificates;
use crate::error::ApiError;
use crate::node::{Announcement, Node};
use crate::{SharedNode, SharedPlugins};

/// What a request works with. The catalog stays the same until it is answered.
pub(crate) struct Access {
    node: SharedNode,
    plugins: SharedPlugins,
    catalog: Arc<Catalog>,
    store: Arc<dyn Store>,
}

impl Access {
    pub(crate) fn new(node: SharedNode, plugins: SharedPlugins) -> Self {
        let (catalog, store) = (node.catalog(), node.store());
        Self { node, plugins, catalog, store }
    }

    pub(crate) fn node(&self) -> &dyn Node {
        &*self.node
    }

    pub(crate) fn plugins(&self) -> &dyn PluginCatalog {
        &*self.plugins
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The schema of a kind of entities that others need.
    ///
    /// # Errors
    /// [`ApiError::Unexpected`] when the catalog does not have it.
    pub(crate) fn schema(&self, entity: &str) -> Result<&Arc<Schema>, ApiError> {
        self.catalog.entity(entity).ok_or_else(|| {
            tracing::error!(entity, "the catalog lacks a kind of entities");
            ApiError::Unexpected
        })
    }

    /// Everything as it is now.
    pub(crate) async fn view(&self) -> Result<View, ApiError> {
        let data = self.store.load().await?;
        Ok(View { data, now: self.now() })
    }

    /// Milliseconds since the epoch of Unix.
    pub(crate) fn now(&self) -> u64 {
        self.store.clock().now()
    }

    /// The time and randomness for a write.
    pub(crate) fn context(&self) -> Context<'static> {
        Context::new(self.now(), &SystemRandomness)
    }

    /// Refuses a write when entities come from a declarative configuration.
    ///
    /// # Errors
    /// [`ApiError::ReadOnly`].
    pub(crate) fn check_writable(
        &self,
        operation: &'static str,
        schema: &Schema,
        key: Option<&Key>,
    ) -> Result<(), ApiError> {
        if self.node.declarative().is_none() {
            return Ok(());
        }
        let field = match key {
            Some(Key::Unique(fields)) => fields.keys().next().cloned(),
            _ => None,
        };
        Err(ApiError::ReadOnly { operation, entity: schema.name().to_owned(), field })
    }

    /// Makes changes, all of them or none.
    pub(crate) async fn write(&self, changes: Vec<Change>) -> Result<Written, ApiError> {
        Ok(self.store.write(changes).await?)
    }

    /// Tells all other nodes.
    ///
    /// # Errors
    /// As of [`Store::announce`].
    pub(crate) async fn announce(&self, announcement: &Announcement) -> Result<(), ApiError> {
        let message = to_value(announcement)?.to_string();
        Ok(self.store.announce(&message).await?)
    }

    /// A stored entity as clients see it.
    pub(crate) fn show(&self, view: &View, schema: &Schema, row: &Row) -> Value {
        let mut shown = self.show_alone(schema, row);
        if schema.name() == certificates::ENTITY {
            certificates::show_names(view, &mut shown);
        }
        Value::Object(shown)
    }

    /// A stored entity as clients see it, without what of it is in other entities.
    pub(crate) fn show_alone(&self, schema: &Schema, row: &Row) -> Object {
        let mut shown = schema.present(row);
        if schema.has_ttl() {
            match row.get("ttl") {
                // Kong leaves the member out where it has no database.
                None | Some(Value::Null) if self.node.declarative().is_some() => shown.remove("ttl"),
                ttl => shown.insert("ttl".to_owned(), ttl.cloned().unwrap_or_default()),
            };
        }
        shown
    }
}

/// Everything as it was at one moment.
pub(crate) struct View {
    pub(crate) data: Dataset,
    /// Milliseconds since the epoch.
    pub(crate) now: u64,
}

impl View {
    /// Everything right after a write.
    pub(crate) fn after(written: &Written, access: &Access) -> Self {
        Self { data: written.dataset.clone(), now: access.now() }
    }

    /// The entity with a key.
    pub(crate) fn find(&self, entity: &str, key: &Key) -> Result<Option<Row>, ApiError> {
        Ok(self.data.find(entity, key, self.now)?)
    }

    /// The entities whose reference `field` is to `parent`, in the order of their ids.
    pub(crate) fn children(&self, entity: &str, field: &str, parent: Uuid) -> Result<Vec<Row>, ApiError> {
        let foreign = Some((field.to_owned(), parent));
        let request = PageRequest { foreign, ..PageRequest::new(usize::MAX) };
        Ok(self.data.page(entity, &request, self.now)?.rows)
    }
}

/// The id of an entity.
pub(crate) fn id_of(row: &Object) -> Option<Uuid> {
    row.get("id")?.as_str()?.parse().ok()
}

/// The id that a reference holds.
pub(crate) fn referred(row: &Object, field: &str) -> Option<Uuid> {
    row.get(field)?.get("id")?.as_str()?.parse().ok()
}
