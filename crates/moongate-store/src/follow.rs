//! How a dataset catches up with its database.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::StoreError;
use crate::change::{Effect, Version};
use crate::dataset::Dataset;
use crate::history::History;
use crate::record::Record;

/// What a database has that a dataset lacks.
#[derive(Debug)]
pub(crate) enum News {
    /// Nothing.
    None,
    /// What some versions changed.
    Effects(Version, Arc<[Effect]>),
    /// So much that it was read from the beginning.
    Everything(Box<Dataset>),
}

impl News {
    /// From the rows which changed since `dataset`, as they are now: `None` for those that are gone.
    pub(crate) fn of(
        dataset: &Dataset,
        version: Version,
        rows: impl IntoIterator<Item = (Arc<str>, Uuid, Option<Record>)>,
    ) -> Self {
        let effects = rows.into_iter().map(|(entity, id, after)| {
            let before = dataset.get(&entity, id).map(Arc::clone);
            Effect { entity, id, before, after: after.map(Arc::new) }
        });
        Self::Effects(version, effects.filter(|effect| effect.before != effect.after).collect())
    }

    /// Brings `history` up to date.
    pub(crate) fn tell(self, history: &History) {
        match self {
            Self::None => {}
            Self::Effects(version, effects) => {
                let mut dataset = history.dataset();
                dataset.apply(&effects, version);
                history.advance(dataset, effects);
            }
            Self::Everything(dataset) => history.replace(*dataset),
        }
    }
}

/// Rows by what entity they belong to, each once.
pub(crate) fn grouped(rows: impl IntoIterator<Item = (String, Uuid)>) -> BTreeMap<String, Vec<Uuid>> {
    let mut groups: BTreeMap<String, Vec<Uuid>> = BTreeMap::new();
    for (entity, id) in rows {
        groups.entry(entity).or_default().push(id);
    }
    for ids in groups.values_mut() {
        ids.sort_unstable();
        ids.dedup();
    }
    groups
}

/// The error for steps that remove a row to which one of `by` refers, an entity that is not in the layout.
pub(crate) fn referenced(steps: &[Effect], by: &str) -> Option<StoreError> {
    // What was asked for comes after what goes with it.
    let removed = steps.iter().rev().find(|step| step.after.is_none())?;
    Some(StoreError::ForeignKeyReferenced { entity: removed.entity.to_string(), by: by.to_owned() })
}

/// Up to how many rows a version lists what it changed. Reading everything is quicker than following longer lists.
pub(crate) const LISTED: usize = 1000;

/// For how many versions the database remembers what they changed.
pub(crate) const REMEMBERED: u64 = 10_000;
