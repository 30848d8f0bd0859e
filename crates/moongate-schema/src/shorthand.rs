//! Names under which values of other fields can be given.

use std::fmt;

use serde_json::Value;

use crate::{Field, Object, Violations};

/// A name under which the value of other fields can be given.
///
/// It is not stored. One that is deprecated with [`replaced_with`](crate::Deprecation::replaced_with) is shown
/// on reads, with the value of the field that replaces it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shorthand {
    /// The name, and what the value must be.
    pub field: Field,
    /// Where the value goes.
    pub target: ShorthandTarget,
}

/// Where the value of a shorthand goes.
#[derive(Clone)]
pub enum ShorthandTarget {
    /// Into the fields at these paths, as it is.
    Paths(Vec<Vec<String>>),
    /// A named function says which fields it stands for.
    Function {
        /// The name.
        name: &'static str,
        /// From the value and the object it was given in, without it, to the fields that it stands for.
        run: fn(&Value, &Object) -> Result<Object, Violations>,
    },
}

impl Shorthand {
    /// A shorthand for the fields at some paths.
    pub fn of_paths(field: Field, paths: &[&[&str]]) -> Self {
        let path = |path: &&[&str]| path.iter().map(|part| (*part).to_owned()).collect();
        Self { field, target: ShorthandTarget::Paths(paths.iter().map(path).collect()) }
    }

    /// A shorthand that a function resolves.
    pub fn of_function(
        field: Field,
        name: &'static str,
        run: fn(&Value, &Object) -> Result<Object, Violations>,
    ) -> Self {
        Self { field, target: ShorthandTarget::Function { name, run } }
    }
}

impl fmt::Debug for ShorthandTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paths(paths) => f.debug_tuple("Paths").field(paths).finish(),
            Self::Function { name, .. } => f.debug_tuple("Function").field(name).finish(),
        }
    }
}

impl PartialEq for ShorthandTarget {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Paths(one), Self::Paths(other)) => one == other,
            (Self::Function { name: one, .. }, Self::Function { name: other, .. }) => one == other,
            _ => false,
        }
    }
}
