//! The core entities of one configuration.

use std::sync::{Arc, LazyLock};

use moongate_schema::{Object, Schema};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::core::{RouterFlavor, schemas};
use crate::{
    CaCertificate, Certificate, Collection, Consumer, Key, KeySet, Plugin, Route, Rows, Service, Sni, Target,
    Upstream, Vault,
};

/// The core entities of one configuration.
///
/// A copy shares everything with the original, and [`Entities::apply`] makes anew only what changed, so a
/// configuration with many entities can be changed often.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entities {
    /// Where requests are forwarded to.
    pub services: Collection<Service>,
    /// What requests are matched by.
    pub routes: Collection<Route>,
    /// The plugin configurations.
    pub plugins: Collection<Plugin>,
    /// Who sends requests.
    pub consumers: Collection<Consumer>,
    /// Groups of targets.
    pub upstreams: Collection<Upstream>,
    /// Where the requests of upstreams go.
    pub targets: Collection<Target>,
    /// Certificates with keys.
    pub certificates: Collection<Certificate>,
    /// Certificates that others are verified with.
    pub ca_certificates: Collection<CaCertificate>,
    /// Server names and their certificates.
    pub snis: Collection<Sni>,
    /// Where secrets come from.
    pub vaults: Collection<Vault>,
    /// Keys that signatures are made and verified with.
    pub keys: Collection<Key>,
    /// Sets of keys.
    pub key_sets: Collection<KeySet>,
}

/// One row that is new, changed or gone.
#[derive(Debug, Clone, Copy)]
pub struct RowChange<'r> {
    /// The name of its entity.
    pub entity: &'r str,
    /// Its id.
    pub id: Uuid,
    /// The row as it is now; absent if it is gone.
    pub row: Option<&'r Object>,
}

/// A row that is no entity of its kind, though its schema found it valid.
#[derive(Debug, thiserror::Error)]
#[error("row {id} of `{entity}`: {source}")]
#[non_exhaustive]
pub struct RowError {
    /// The name of the entity.
    pub entity: &'static str,
    /// The id of the row.
    pub id: Uuid,
    /// What does not fit.
    pub source: serde_json::Error,
}

impl Entities {
    /// The entities that `rows` hold. Rows of other kinds are left out.
    ///
    /// # Errors
    /// The first row that does not fit.
    pub fn from_rows(rows: &Rows) -> Result<Self, RowError> {
        let rows = rows.iter().flat_map(|(entity, rows)| {
            rows.iter().map(move |(id, row)| RowChange { entity, id: *id, row: Some(row) })
        });
        Self::default().apply(rows)
    }

    /// The entities after some changes. Changes of other kinds of rows are left out.
    ///
    /// This takes the time to make the new entities, and to copy a pointer per entity of the kinds that changed.
    ///
    /// # Errors
    /// The first row that does not fit.
    pub fn apply<'r>(&self, changes: impl IntoIterator<Item = RowChange<'r>>) -> Result<Self, RowError> {
        let mut after = self.clone();
        let mut batch = Batch::default();
        for change in changes {
            batch.add(change)?;
        }
        batch.apply_to(&mut after);
        Ok(after)
    }

    /// The service with this id.
    pub fn service(&self, id: Uuid) -> Option<&Service> {
        self.services.get(id).map(|service| &**service)
    }

    /// The route with this id.
    pub fn route(&self, id: Uuid) -> Option<&Route> {
        self.routes.get(id).map(|route| &**route)
    }

    /// The plugin configuration with this id.
    pub fn plugin(&self, id: Uuid) -> Option<&Plugin> {
        self.plugins.get(id).map(|plugin| &**plugin)
    }
}

fn view<T: DeserializeOwned>(
    entity: &'static str,
    change: RowChange<'_>,
) -> Result<(Uuid, Option<Arc<T>>), RowError> {
    let item =
        change.row.map(|row| T::deserialize(row).or_else(|error| filled(entity, row, error))).transpose();
    let item = item.map_err(|source| RowError { entity, id: change.id, source })?;
    Ok((change.id, item.map(Arc::new)))
}

/// A row with nulls where the entity has values, of which those that have a default may be null.
fn filled<T: DeserializeOwned>(
    entity: &str,
    row: &Object,
    error: serde_json::Error,
) -> Result<T, serde_json::Error> {
    let schema = SCHEMAS.iter().find(|schema| schema.name() == entity);
    // What is wrong with the row as it is says more than what is wrong with another.
    schema.and_then(|schema| T::deserialize(schema.with_defaults(row)).ok()).ok_or(error)
}

/// The defaults are the same in every flavour.
static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| schemas(RouterFlavor::default()));

/// Lists every kind once, for what is done with each of them.
macro_rules! kinds {
    ($($field:ident: $entity:ty),+ $(,)?) => {
        /// Changes by kind.
        #[derive(Default)]
        struct Batch {
            $($field: Vec<(Uuid, Option<Arc<$entity>>)>,)+
        }

        impl Batch {
            fn add(&mut self, change: RowChange<'_>) -> Result<(), RowError> {
                match change.entity {
                    $(stringify!($field) => self.$field.push(view(stringify!($field), change)?),)+
                    _ => {}
                }
                Ok(())
            }

            fn apply_to(self, entities: &mut Entities) {
                $(entities.$field.apply(self.$field);)+
            }
        }
    };
}

kinds! {
    services: Service,
    routes: Route,
    plugins: Plugin,
    consumers: Consumer,
    upstreams: Upstream,
    targets: Target,
    certificates: Certificate,
    ca_certificates: CaCertificate,
    snis: Sni,
    vaults: Vault,
    keys: Key,
    key_sets: KeySet,
}

#[cfg(test)]
mod tests;
