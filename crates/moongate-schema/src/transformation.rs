//! Values that are stored in another form than they were given in, such as passwords.

use std::fmt;

use serde_json::Value;

use crate::text::value_at;
use crate::{Object, Schema};

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

impl Schema {
    /// Runs the transformations on an object that is valid: passwords are hashed and the like.
    ///
    /// `input` is what was given (the completed patch of an update): a transformation runs when all fields that
    /// it changes are set there.
    ///
    /// # Errors
    /// Why a value cannot be transformed.
    pub fn transform(&self, object: &mut Object, input: &Object) -> Result<(), String> {
        for transformation in self.transformations() {
            let is_given = |path: &String| value_at(input, path).is_some_and(|value| !value.is_null());
            if !transformation.input.iter().all(is_given) {
                continue;
            }
            let paths = transformation.input.iter().chain(&transformation.needs);
            let values: Vec<&Value> =
                paths.map(|path| value_at(object, path).unwrap_or(&Value::Null)).collect();
            let changed = (transformation.on_write.run)(&values)?;
            object.extend(changed);
        }
        Ok(())
    }
}
