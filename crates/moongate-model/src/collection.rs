//! The entities of one kind.

use std::ops::Index;
use std::sync::Arc;

use uuid::Uuid;

use crate::{
    CaCertificate, Certificate, Consumer, Key, KeySet, Plugin, Route, Service, Sni, Target, Upstream, Vault,
};

/// The entities of one kind, by ascending id.
///
/// A copy shares everything with the original. A change copies one pointer per entity, and makes anew only those
/// entities that changed.
#[derive(Debug, PartialEq)]
pub struct Collection<T> {
    items: Arc<Vec<Arc<T>>>,
}

/// Something with a primary key.
pub trait Identified {
    /// The primary key.
    fn id(&self) -> Uuid;
}

impl<T: Identified> Collection<T> {
    /// The entity with this id.
    pub fn get(&self, id: Uuid) -> Option<&Arc<T>> {
        self.items.binary_search_by_key(&id, |item| item.id()).ok().and_then(|at| self.items.get(at))
    }

    /// The entities by ascending id.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> + ExactSizeIterator {
        self.items.iter().map(|item| &**item)
    }

    /// The entities by ascending id, for those who keep them.
    pub fn shared(&self) -> &[Arc<T>] {
        &self.items
    }

    /// Whether both share everything; then they are equal. Equal ones need not share anything.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.items, &other.items)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Puts entities in place of those with their ids, and takes out those ids that come without one.
    ///
    /// Of several changes of one entity the last one counts.
    pub(crate) fn apply(&mut self, mut changes: Vec<(Uuid, Option<Arc<T>>)>) {
        if changes.is_empty() {
            return;
        }
        changes.sort_by_key(|(id, _)| *id);
        let mut items = Vec::with_capacity(self.items.len() + changes.len());
        let mut unchanged = self.items.iter().peekable();
        let mut changes = changes.into_iter().peekable();
        while let Some((id, item)) = changes.next() {
            if changes.peek().is_some_and(|(next, _)| *next == id) {
                continue;
            }
            while let Some(before) = unchanged.next_if(|other| other.id() < id) {
                items.push(Arc::clone(before));
            }
            unchanged.next_if(|other| other.id() == id);
            items.extend(item);
        }
        items.extend(unchanged.cloned());
        self.items = Arc::new(items);
    }
}

impl<T> Clone for Collection<T> {
    fn clone(&self) -> Self {
        Self { items: Arc::clone(&self.items) }
    }
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self { items: Arc::default() }
    }
}

impl<T: Identified> FromIterator<T> for Collection<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut collection = Self::default();
        collection.apply(items.into_iter().map(|item| (item.id(), Some(Arc::new(item)))).collect());
        collection
    }
}

impl<T: Identified> From<Vec<T>> for Collection<T> {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T> Index<usize> for Collection<T> {
    type Output = T;

    /// # Panics
    /// If there are fewer entities.
    #[expect(clippy::indexing_slicing, reason = "that is what an index does")]
    fn index(&self, at: usize) -> &T {
        &self.items[at]
    }
}

impl<'c, T> IntoIterator for &'c Collection<T> {
    type Item = &'c T;
    type IntoIter = std::iter::Map<std::slice::Iter<'c, Arc<T>>, fn(&'c Arc<T>) -> &'c T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter().map(|item| &**item)
    }
}

macro_rules! identified {
    ($($entity:ty),+ $(,)?) => {
        $(impl Identified for $entity {
            fn id(&self) -> Uuid {
                self.id
            }
        })+
    };
}

identified!(
    CaCertificate,
    Certificate,
    Consumer,
    Key,
    KeySet,
    Plugin,
    Route,
    Service,
    Sni,
    Target,
    Upstream,
    Vault,
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq)]
    struct Item(u8, u32);

    impl Identified for Item {
        fn id(&self) -> Uuid {
            Uuid::from_u128(self.0.into())
        }
    }

    #[test]
    fn what_did_not_change_is_shared() {
        let before: Collection<Item> = (0..100).map(|id| Item(id, 0)).collect();
        let mut after = before.clone();
        after.apply(vec![(Uuid::from_u128(7), Some(Arc::new(Item(7, 1))))]);
        assert_eq!(before.get(Uuid::from_u128(7)).unwrap().1, 0);
        assert_eq!(after.get(Uuid::from_u128(7)).unwrap().1, 1);
        let shared =
            before.shared().iter().zip(after.shared()).filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), 99);
        assert!(!after.is_same(&before) && before.is_same(&before.clone()));
    }

    proptest! {
        #[test]
        fn changes_do_to_a_collection_what_they_do_to_a_map(
            rounds in prop::collection::vec(prop::collection::vec((0u8..20, any::<Option<u32>>()), 0..30), 0..5)
        ) {
            let mut map = BTreeMap::new();
            let mut collection = Collection::default();
            for round in rounds {
                let mut changes = Vec::new();
                for (id, value) in round {
                    match value {
                        Some(value) => map.insert(id, value),
                        None => map.remove(&id),
                    };
                    changes.push((Uuid::from_u128(id.into()), value.map(|value| Arc::new(Item(id, value)))));
                }
                collection.apply(changes);
                let expected: Vec<Item> = map.iter().map(|(id, value)| Item(*id, *value)).collect();
                prop_assert!(collection.iter().eq(expected.iter()));
                for id in 0..20 {
                    let found = collection.get(Uuid::from_u128(id.into())).map(|item| item.1);
                    prop_assert_eq!(found, map.get(&id).copied());
                }
            }
        }
    }
}
