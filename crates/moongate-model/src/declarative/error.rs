//! Why a declarative configuration was refused.

use serde_json::{Value, json};

use super::Problems;

/// Why a declarative configuration was refused.
///
/// Displayed, it is meant for a terminal; [`fields`](Self::fields) is meant for a program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeclarativeError {
    /// The text is neither YAML nor JSON, or is no object.
    #[error("failed parsing declarative configuration: {reason}")]
    Syntax {
        /// What is wrong, including the place if it is known.
        reason: String,
        /// Line of the mistake, counted from 1.
        line: Option<usize>,
        /// Column of the mistake, counted from 1.
        column: Option<usize>,
    },
    /// The text was read, but what it declares is wrong.
    #[error("{0}")]
    Invalid(Problems),
}

impl DeclarativeError {
    /// The problems in the shape of the document.
    ///
    /// A problem with a field is a text under the same keys and positions that the field has in the
    /// document, where good items of a list are `null`. Problems with an entity as a whole are a list
    /// under `@entity`; a text that could not be read at all gives one problem under `error`.
    pub fn fields(&self) -> Value {
        match self {
            Self::Syntax { .. } => json!({ "error": self.to_string() }),
            Self::Invalid(problems) => problems.fields(),
        }
    }
}
