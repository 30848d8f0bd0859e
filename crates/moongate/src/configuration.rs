//! From entities to what the workers serve, and everything that changes it.
//!
//! Whatever changes the configuration takes its turn here: a write of the Admin API, a write of another node, a new
//! declarative configuration, a plugin that was replaced. Each builds a snapshot of what would be, off the workers'
//! threads, and only if router and plugins can take it does the change happen.

mod contents;
mod declarative;
mod directory;
mod live;
mod secrets;
mod watch;
mod written;

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use moongate_hooks::{BindError, PluginCatalog, PluginSchema, Problem};
use moongate_model::core::RouterFlavor;
use moongate_model::{Entities, RowChange, RowError};
use moongate_plugin_host::PluginHost;
use moongate_proxy::{Proxy, Snapshot, SnapshotError};
use moongate_schema::{Catalog, CatalogError, Violations};
use moongate_store::{
    Change, Dataset, Effect, Guard, Layout, Row, Store, StoreError, Unguarded, Version, Written,
};
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use uuid::Uuid;

pub use declarative::FileError;
pub(crate) use declarative::{DeclarativeConfiguration, export, in_order, read_file};
pub(crate) use live::LiveStore;
pub(crate) use watch::WatchedFile;

use self::contents::Contents;
use crate::{catalog, routing};

/// Why entities are not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// The declarative configuration cannot be read, or is wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store does not do what is asked of it.
    #[error("{}", database(.0))]
    Store(#[from] StoreError),
    /// The schemas of the plugins do not fit together.
    #[error("the schemas of the plugins do not fit together: {0}")]
    Catalog(#[from] CatalogError),
    /// A row is not what its entity has to be.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The router or a plugin cannot work with the entities.
    #[error("the configuration cannot be served: {0}")]
    Snapshot(#[from] SnapshotError),
}

/// What is configured, and what is made of it. See the module's description.
pub(crate) struct Configuration {
    host: Arc<PluginHost>,
    store: Arc<dyn Store>,
    flavor: RouterFlavor,
    has_database: bool,
    proxy: OnceLock<Arc<Proxy<PluginHost>>>,
    served: RwLock<Served>,
    /// Held by whoever changes what is served.
    turn: tokio::sync::Mutex<()>,
}

/// What is served at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) catalog: Arc<Catalog>,
    /// What the plugins brought into the catalog.
    schemas: Arc<[PluginSchema]>,
    contents: Contents,
    /// The version of the store that the contents are of.
    pub(crate) version: Version,
    /// Why nothing is served, if the database held what cannot be when the node started.
    pub(crate) unserved: Option<String>,
    /// The hash of the declarative configuration, if they come from one.
    pub(crate) hash: String,
}

/// A snapshot that waits for its change to be durable.
struct Candidate {
    contents: Contents,
    snapshot: Snapshot<PluginHost>,
}

impl Configuration {
    /// Takes what `store` has, with the catalog that it was opened with. The pair is what that was made for: the
    /// router, and whether there is a database.
    pub(crate) fn new(
        host: Arc<PluginHost>,
        store: Arc<dyn Store>,
        (flavor, has_database): (RouterFlavor, bool),
        catalog: Arc<Catalog>,
    ) -> Result<Self, ConfigurationError> {
        let dataset = store.dataset();
        let (contents, version, unserved) = match Contents::of(&dataset) {
            Ok(contents) => (contents, dataset.version(), None),
            // Of no version, so that all is read with the next change.
            Err(error) => (Contents::default(), Version::default(), Some(error.to_string())),
        };
        let served = Served {
            catalog,
            schemas: host.schemas().into(),
            contents,
            version,
            unserved,
            hash: moongate_model::Declaration::EMPTY_HASH.to_owned(),
        };
        Ok(Self {
            host,
            store,
            flavor,
            has_database,
            proxy: OnceLock::new(),
            served: RwLock::new(served),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// The first snapshot. Blocks while plugins look at their configurations; not for asynchronous code.
    ///
    /// What a database holds and cannot be served is no reason not to start: the Admin API is where it can be mended.
    /// Nothing is served until then, and the node is not ready.
    pub(crate) fn first_snapshot(&self) -> Result<Snapshot<PluginHost>, ConfigurationError> {
        let served = self.served();
        let build = |contents: &Contents| {
            snapshot(contents, &self.store.dataset(), &served.catalog, &self.host, self.flavor, None)
        };
        let why = match (&served.unserved, build(&served.contents)) {
            (Some(why), _) => why.clone(),
            (None, Err(error)) if self.has_database => error.to_string(),
            (None, result) => return result,
        };
        tracing::error!("nothing is served until the Admin API mends what the database holds: {why}");
        self.served.write().unserved = Some(why);
        build(&Contents::default())
    }

    /// From now on, snapshots go to `proxy`.
    pub(crate) fn serve_through(&self, proxy: Arc<Proxy<PluginHost>>) {
        // Called once; a second proxy would change nothing.
        let _ = self.proxy.set(proxy);
        self.show(&self.store.dataset(), &self.served().contents.entities);
        self.host.settle();
    }

    /// Lets plugins look up what is served.
    fn show(&self, dataset: &Dataset, entities: &Arc<Entities>) {
        let rows = directory::Rows { dataset: dataset.clone(), entities: Arc::clone(entities) };
        self.host.set_directory(Arc::new(rows));
    }

    pub(crate) fn served(&self) -> Served {
        self.served.read().clone()
    }

    /// The store without this node's checks: for reading.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Takes on the plugins that are loaded now. Says whether what can be configured is other than before.
    pub(crate) async fn plugins_changed(&self) -> Result<bool, ConfigurationError> {
        let _turn = self.turn.lock().await;
        let schemas: Arc<[PluginSchema]> = self.host.schemas().into();
        let is_new = *schemas != *self.served().schemas;
        let catalog = Arc::new(catalog::build(self.flavor, self.has_database, &schemas)?);
        self.store.adopt(Arc::new(Layout::of(&catalog))).await?;
        let dataset = self.store.dataset();
        let contents = Contents::of(&dataset)?;
        {
            let mut served = self.served.write();
            served.catalog = catalog;
            served.schemas = schemas;
        }
        let candidate = self.build(contents, &dataset).await?;
        self.publish(candidate, &dataset);
        Ok(is_new)
    }

    /// Takes on what other nodes, or people, have written to the database.
    pub(crate) async fn follow(&self) -> Result<(), ConfigurationError> {
        let _turn = self.turn.lock().await;
        self.catch_up().await
    }

    /// Makes `changes`, if the router and the plugins can work with the result.
    async fn write(&self, changes: Vec<Change>, guard: &dyn Guard) -> Result<Written, StoreError> {
        let _turn = self.turn.lock().await;
        match self.catch_up().await {
            Ok(()) => {}
            Err(ConfigurationError::Store(error)) => return Err(error),
            // What others brought into the database cannot be served. This write may be what mends it.
            Err(error) => tracing::warn!(%error, "the database holds what cannot be served"),
        }
        self.write_in_turn(changes, guard, None).await
    }

    /// Whether the router and the plugins could work with a row that is correct by its schema, were it the only one.
    ///
    /// # Errors
    /// [`StoreError::Refused`] with what is wrong with it.
    pub(crate) async fn judge(&self, entity: &str, mut row: Row) -> Result<(), StoreError> {
        let served = self.served();
        let Some(schema) = served.catalog.entity(entity) else { return Ok(()) };
        secrets::resolve(&served.contents.entities, schema, &mut row);
        let id = row.get("id").and_then(|id| id.as_str()?.parse().ok()).unwrap_or_else(Uuid::new_v4);
        let alone = Entities::default().apply([RowChange { entity, id, row: Some(&row) }]);
        let alone = alone.map_err(|error| refused(error.to_string(), json!({}), None))?;
        let contents = Contents { entities: Arc::new(alone), references: Arc::default() };
        let dataset = Dataset::new(self.store.dataset().layout().clone());
        self.build(contents, &dataset).await.map(drop).map_err(|error| unservable(&error))
    }

    /// Replaces everything.
    async fn replace(&self, changes: Vec<Change>, hash: String) -> Result<Written, StoreError> {
        let _turn = self.turn.lock().await;
        self.write_in_turn(changes, &Unguarded, Some(hash)).await
    }

    async fn write_in_turn(
        &self,
        changes: Vec<Change>,
        guard: &dyn Guard,
        hash: Option<String>,
    ) -> Result<Written, StoreError> {
        let changes =
            written::passed(&*self.host, &self.served().catalog, &self.store.dataset(), changes).await?;
        let trial = Trial { configuration: self, guard, built: Mutex::default() };
        let written = self.store.write_if(changes, &trial).await?;
        if let Some(hash) = hash {
            self.served.write().hash = hash;
        }
        if let Some(candidate) = trial.built.into_inner() {
            let dataset = self.store.dataset();
            debug_assert!(dataset.version() >= written.version, "a store shows what was written to it");
            self.publish(candidate, &dataset);
        }
        Ok(written)
    }

    async fn catch_up(&self) -> Result<(), ConfigurationError> {
        let dataset = self.store.load().await?;
        let served = self.served();
        if dataset.version() == served.version {
            return Ok(());
        }
        let contents = match self.store.changes_since(served.version) {
            Some((version, effects)) if version == dataset.version() => served.contents.after(&effects)?,
            _ => Contents::of(&dataset)?,
        };
        let candidate = self.build(contents, &dataset).await?;
        self.publish(candidate, &dataset);
        Ok(())
    }

    /// Builds a snapshot where waiting does not matter.
    async fn build(&self, contents: Contents, dataset: &Dataset) -> Result<Candidate, ConfigurationError> {
        let (host, dataset, catalog) = (Arc::clone(&self.host), dataset.clone(), self.served().catalog);
        let (earlier, flavor) = (self.proxy.get().map(|proxy| proxy.snapshot()), self.flavor);
        let built = tokio::task::spawn_blocking(move || {
            let snapshot = snapshot(&contents, &dataset, &catalog, &host, flavor, earlier.as_deref())?;
            Ok(Candidate { contents, snapshot })
        });
        match built.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    fn publish(&self, candidate: Candidate, dataset: &Dataset) {
        let (Candidate { contents, snapshot }, version) = (candidate, dataset.version());
        let entities = &contents.entities;
        self.show(dataset, entities);
        if let Some(proxy) = self.proxy.get() {
            proxy.publish(snapshot);
        }
        let (services, routes, plugins) =
            (entities.services.len(), entities.routes.len(), entities.plugins.len());
        tracing::debug!(%version, services, routes, plugins, "new configuration is live");
        let mut served = self.served.write();
        served.contents = contents;
        served.version = version;
        served.unserved = None;
        drop(served);
        self.host.settle();
    }
}

impl std::fmt::Debug for Configuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Configuration").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What workers serve of `contents`, which are those of `dataset`.
fn snapshot(
    contents: &Contents,
    dataset: &Dataset,
    catalog: &Catalog,
    host: &PluginHost,
    flavor: RouterFlavor,
    earlier: Option<&Snapshot<PluginHost>>,
) -> Result<Snapshot<PluginHost>, ConfigurationError> {
    let Contents { entities, references } = contents;
    let resolved = secrets::resolved(entities, references, dataset, catalog)?;
    let entities = resolved.map_or_else(|| Arc::clone(entities), Arc::new);
    Ok(Snapshot::build_after(earlier, routing::flavour(flavor), entities, host)?)
}

/// Agrees to a write if the router and the plugins can work with what it leads to.
struct Trial<'a> {
    configuration: &'a Configuration,
    guard: &'a dyn Guard,
    built: Mutex<Option<Candidate>>,
}

#[async_trait]
impl Guard for Trial<'_> {
    async fn check(&self, next: &Dataset, effects: &[Effect]) -> Result<(), StoreError> {
        self.guard.check(next, effects).await?;
        let served = self.configuration.served();
        // A store that was changed by others since the look at it says so with the version before this write.
        let contents = if next.version() == served.version {
            served.contents.after(effects)
        } else {
            Contents::of(next)
        };
        let contents = contents.map_err(|error| refused(error.to_string(), json!({}), None))?;
        let built = self.configuration.build(contents, next).await;
        let candidate = built.map_err(|error| unservable(&error))?;
        *self.built.lock() = Some(candidate);
        Ok(())
    }
}

/// Agrees to a write if what it leads to can be served, for who serves nothing.
pub(crate) struct Servable {
    pub(crate) host: Arc<PluginHost>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) flavor: RouterFlavor,
}

#[async_trait]
impl Guard for Servable {
    async fn check(&self, next: &Dataset, _: &[Effect]) -> Result<(), StoreError> {
        let (host, catalog, flavor) = (Arc::clone(&self.host), Arc::clone(&self.catalog), self.flavor);
        let next = next.clone();
        let built = tokio::task::spawn_blocking(move || {
            snapshot(&Contents::of(&next)?, &next, &catalog, &host, flavor, None).map(drop)
        });
        match built.await {
            Ok(result) => result.map_err(|error| unservable(&error)),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// What cannot be served, as an error of the entity that it is about.
fn unservable(error: &ConfigurationError) -> StoreError {
    let ConfigurationError::Snapshot(error) = error else {
        return refused(error.to_string(), json!({}), None);
    };
    match error {
        SnapshotError::Router(error) => {
            let message = format!("Router Expression failed validation: {error}");
            refused(message.clone(), json!({"@entity": [message]}), Some(("routes", error.route)))
        }
        SnapshotError::Plugin { id, source: BindError::Refused { problems, .. } } => {
            wrong("config.", problems, Some(("plugins", *id)))
        }
        SnapshotError::Plugin { id, source } => {
            refused(error.to_string(), json!({"@entity": [source.to_string()]}), Some(("plugins", *id)))
        }
        error => refused(error.to_string(), json!({"@entity": [error.to_string()]}), None),
    }
}

/// What a plugin finds wrong with an entity, its places being behind `prefix`.
fn wrong(prefix: &str, problems: &[Problem], about: Option<(&str, Uuid)>) -> StoreError {
    let mut violations = Violations::new();
    for problem in problems {
        violations.add_in(&format!("{prefix}{}", problem.path), problem.message.as_str());
    }
    refused(violations.message(), violations.fields(), about)
}

fn refused(message: String, fields: Value, about: Option<(&str, Uuid)>) -> StoreError {
    let about = about.map(|(entity, id)| (entity.to_owned(), id));
    StoreError::Refused { message, fields, about }
}

/// What is wrong with the database, and what to do about it.
fn database(error: &StoreError) -> String {
    let mend = match error {
        StoreError::NeedsBootstrap => "; run `moongate migrations bootstrap` with the same properties",
        StoreError::NeedsMigration { .. } => "; run `moongate migrations up` with the same properties",
        StoreError::TooNew { .. } => "; start the newer version of Moongate",
        StoreError::Unavailable { .. } => "; `pg_host`, `pg_port` and their like say where it is",
        _ => "",
    };
    format!("{error}{mend}")
}
