//! Where the rows of a configuration were declared.

use std::collections::HashMap;

use moongate_schema::Object;
use serde_json::Value;
use uuid::Uuid;

use super::draft::{Draft, Drafts};
use super::error::{DeclarativeError, Refusal};
use super::problems::{Node, Problems, Step};

/// The document that a configuration was read from, and where in it each row stands.
///
/// Whoever takes on a configuration may find more wrong with it than can be seen in the document, and can tell it in
/// the same form.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    document: Object,
    places: HashMap<(String, Uuid), Vec<Step>>,
    without_empty_lists: bool,
}

impl Origin {
    pub(super) fn new(document: Object, drafts: &Drafts<'_>, without_empty_lists: bool) -> Self {
        let place =
            |draft: &Draft<'_>| Some(((draft.schema.name().to_owned(), draft.id?), drafts.location(draft)));
        let places = drafts.items.iter().filter_map(place).collect();
        Self { document, places, without_empty_lists }
    }

    /// What is wrong with the row of `entity` that has this id, as an error of the document. `fields` has the problems in
    /// the shape of the entity. `None` if the document declares no such row.
    pub fn refusal(self, entity: &str, id: Uuid, fields: &Value) -> Option<DeclarativeError> {
        let Self { document, places, without_empty_lists } = self;
        let place = places.get(&(entity.to_owned(), id))?;
        let mut problems = Problems::default();
        problems.add(place, Node::from(fields));
        Some(DeclarativeError::Invalid(Box::new(Refusal { problems, document, without_empty_lists })))
    }
}
