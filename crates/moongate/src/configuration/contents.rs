//! What is in a dataset, as snapshots need it.

use std::sync::Arc;

use moongate_model::{Entities, RowChange, RowError};
use moongate_store::{Dataset, Effect};

use super::secrets::References;

/// The core entities of a dataset, and which of them refer to secrets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contents {
    pub(crate) entities: Arc<Entities>,
    pub(super) references: Arc<References>,
}

impl Contents {
    /// Reads all of a dataset.
    pub(super) fn of(dataset: &Dataset) -> Result<Self, RowError> {
        let rows = dataset.layout().tables().iter().flat_map(|table| {
            dataset.rows(&table.name).filter_map(|record| {
                Some(RowChange { entity: &table.name, id: record.id()?, row: Some(&**record) })
            })
        });
        let entities = Arc::new(Entities::default().apply(rows)?);
        Ok(Self { entities, references: Arc::new(References::of(dataset)) })
    }

    /// What is there after a change. Reads no more than what changed.
    pub(super) fn after(&self, effects: &[Effect]) -> Result<Self, RowError> {
        let changes = effects.iter().map(|effect| RowChange {
            entity: &effect.entity,
            id: effect.id,
            row: effect.after.as_deref().map(|record| &**record),
        });
        let entities = Arc::new(self.entities.apply(changes)?);
        Ok(Self { entities, references: self.references.after(effects) })
    }
}
