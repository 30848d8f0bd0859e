//! Why a declarative configuration was refused.

use std::fmt;

use moongate_schema::Catalog;
use serde_json::{Value, json};

use super::flatten::{self, Flattened};
use super::problems::{Branch, Node, Problems};
use crate::declarative::lua;
use moongate_schema::Object;

/// Why a declarative configuration was refused. Nothing of it is in use then.
///
/// Displayed, it is meant for a terminal; [`fields`](Self::fields) and [`message`](Self::message) are meant for a
/// program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclarativeError {
    /// The text is neither YAML nor JSON, or is no object.
    #[error("failed parsing declarative configuration: {}{reason}", Place(*.place))]
    Syntax {
        /// What is wrong.
        reason: String,
        /// Line and column of the mistake, counted from 1, if there is such a place.
        place: Option<(usize, usize)>,
    },
    /// The document has another shape than a configuration, so that little can be said of its content: a list, or
    /// items that are no objects. Kong answers such a document with 500.
    #[error("{}", .0.problems)]
    Malformed(Box<Refusal>),
    /// The document was read, but what it declares is wrong.
    #[error("{}", .0.problems)]
    Invalid(Box<Refusal>),
}

/// A document and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub(super) problems: Problems,
    pub(super) document: Object,
    /// Whether empty lists of the document are shown as empty objects, as lists of YAML are.
    pub(super) without_empty_lists: bool,
}

impl DeclarativeError {
    pub(super) fn list() -> Self {
        let problems =
            Problems::new(error_branch("failed parsing declarative configuration: expected an object"));
        Self::Malformed(Box::new(Refusal { problems, document: Object::new(), without_empty_lists: true }))
    }

    /// The problems in the shape of the document.
    ///
    /// A problem with a field is a text under the same keys and positions that the field has in the
    /// document, where good items of a list are `null`. Problems with an entity as a whole are a list
    /// under `@entity`; a text that could not be read at all gives one problem under `error`.
    pub fn fields(&self) -> Value {
        match self {
            Self::Syntax { .. } => json!({ "error": self.to_string() }),
            Self::Malformed(refusal) | Self::Invalid(refusal) => refusal.problems.fields(),
        }
    }

    /// All problems in one line, as the `message` of an error answer.
    pub fn message(&self) -> String {
        let table = match self {
            Self::Syntax { .. } => lua::table(&error_branch(&self.to_string())),
            Self::Malformed(refusal) | Self::Invalid(refusal) => refusal.problems.to_lua(),
        };
        format!("declarative config is invalid: {table}")
    }

    /// The problems told by entity instead of by place, for clients that made the document out of other objects
    /// and want to tell whose fault it is.
    ///
    /// `catalog` is the one that the document was read with.
    pub fn flattened(&self, catalog: &Catalog) -> Flattened {
        match self {
            Self::Syntax { .. } => Flattened { fields: self.fields(), message: self.message(), errors: None },
            Self::Malformed(refusal) | Self::Invalid(refusal) => flatten::flatten(refusal, catalog),
        }
    }
}

fn error_branch(text: &str) -> Branch {
    Branch::from([("error".into(), Node::from(text))])
}

/// `3:14: ` in front of a reason.
struct Place(Option<(usize, usize)>);

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((line, column)) => write!(formatter, "{line}:{column}: "),
            None => Ok(()),
        }
    }
}
