//! Two lists in the same order, gone through together.

use uuid::Uuid;

/// Finds what an earlier snapshot made of entities, while the entities of the next one are gone through.
///
/// Both are by ascending id, so that looking at each once is enough.
pub(super) struct Alongside<'e, T> {
    rest: &'e [T],
    id: fn(&T) -> Uuid,
}

impl<'e, T> Alongside<'e, T> {
    /// `earlier` has to be by ascending `id`.
    pub(super) fn new(earlier: &'e [T], id: fn(&T) -> Uuid) -> Self {
        Self { rest: earlier, id }
    }

    /// The earlier one with this id. To be asked for ascending ids.
    pub(super) fn at(&mut self, id: Uuid) -> Option<&'e T> {
        self.at_passing(id, |_| {})
    }

    /// As [`Alongside::at`], telling of each that it passes.
    pub(super) fn at_passing(&mut self, id: Uuid, mut passed: impl FnMut(&'e T)) -> Option<&'e T> {
        while let [first, rest @ ..] = self.rest {
            let known = (self.id)(first);
            if known > id {
                return None;
            }
            self.rest = rest;
            if known == id {
                return Some(first);
            }
            passed(first);
        }
        None
    }

    /// What has not been passed.
    pub(super) fn rest(self) -> &'e [T] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_found_and_what_lies_between_is_passed() {
        let earlier = [1, 3, 4, 6, 9].map(Uuid::from_u128);
        let mut known = Alongside::new(&earlier, |id| *id);
        let mut passed = Vec::new();
        let mut at = |id| known.at_passing(Uuid::from_u128(id), |id| passed.push(id.as_u128())).copied();
        assert_eq!(at(0), None);
        assert_eq!(at(1), Some(Uuid::from_u128(1)));
        assert_eq!(at(2), None);
        assert_eq!(at(4), Some(Uuid::from_u128(4)));
        assert_eq!(at(7), None);
        assert_eq!(passed, [3, 6]);
        assert_eq!(known.rest(), [Uuid::from_u128(9)]);
    }
}
