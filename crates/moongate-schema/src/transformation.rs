//! Values that are stored in another form than they were given in, such as passwords.

use std::fmt;

use serde_json::Value;

use crate::Object;

/// A change to fields before they are stored.
///
/// It runs on a write whose input sets all of `input`. The fields that it needs besides are taken from the
/// whole object.
#[derive(Debug, Clone, PartialEq)]
pub struct Transformation {
    /// The fields that it changes. Paths such as `consumer.id` are allowed.
    pub input: Vec<String>,
    /// Further fields that it needs.
    pub needs: Vec<String>,
    /// What it does.
    pub on_write: Hook,
}

/// A named function over values of fields.
#[derive(Clone, Copy)]
pub struct Hook {
    /// The name.
    pub name: &'static str,
    /// From the values of `input`, then those of `needs`, to the fields that change.
    pub run: fn(&[&Value]) -> Result<Object, String>,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hook").field(&self.name).finish()
    }
}

impl PartialEq for Hook {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
