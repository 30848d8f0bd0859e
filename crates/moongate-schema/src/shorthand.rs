//! Names under which values of other fields can be given.

use std::fmt;

use serde_json::Value;

use crate::text::{plain, value_at};
use crate::validate::{Look, Mode, same};
use crate::{Context, Field, Object, Problem, Schema, Violations};

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

/// What became of a shorthand in an object.
pub(crate) enum Outcome {
    /// It was not given.
    Absent,
    /// The fields that it stands for are set, and it is gone.
    Resolved,
    /// It is wrong.
    Wrong(Problem),
}

impl Shorthand {
    /// Puts the fields that the shorthand stands for in its place.
    pub(crate) fn resolve(&self, object: &mut Object, schema: &Schema, context: &Context<'_>) -> Outcome {
        let Some(value) = object.get(&self.field.name) else { return Outcome::Absent };
        if let Some(problem) =
            self.field.problem(value, schema, Look { mode: Mode::Full, context, change: None })
        {
            return Outcome::Wrong(problem);
        }
        if let Some(text) = self.contradiction(value, object) {
            return Outcome::Wrong(Problem::Text(text));
        }
        let Some(value) = object.remove(&self.field.name) else { return Outcome::Absent };
        let expansion = match &self.target {
            ShorthandTarget::Paths(paths) => {
                let mut expansion = Object::new();
                for path in paths {
                    put(&mut expansion, path, value.clone());
                }
                expansion
            }
            ShorthandTarget::Function { run, .. } => match run(&value, object) {
                Ok(expansion) => expansion,
                Err(violations) => return Outcome::Wrong(Problem::Record(violations)),
            },
        };
        // What is given under the new name counts; for a name that is not deprecated it is the other way round.
        join(object, expansion, self.field.deprecation.is_some());
        Outcome::Resolved
    }

    /// The text when the field that replaces this one has another value.
    fn contradiction(&self, value: &Value, object: &Object) -> Option<String> {
        if value.is_null() {
            return None;
        }
        let paths = &self.field.deprecation.as_ref()?.replaced_with;
        paths.iter().find_map(|path| {
            let path = path.join(".");
            let new = value_at(object, &path).filter(|new| !new.is_null() && !same(new, value))?;
            let (old, new, name) = (plain(value), plain(new), &self.field.name);
            Some(format!(
                "both deprecated and new field are used but their values mismatch: {name} = {old} vs {path} = {new}"
            ))
        })
    }
}

fn put(object: &mut Object, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => {
            object.insert(name.clone(), value);
        }
        [name, rest @ ..] => {
            let inner = object.entry(name.clone()).or_insert_with(|| Value::Object(Object::new()));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Puts the members of `expansion` into `object`. Tables are joined. With `keep`, a value that is there stays.
fn join(object: &mut Object, expansion: Object, keep: bool) {
    for (name, value) in expansion {
        match (object.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(expansion)) => join(inner, expansion, keep),
            (Some(own), value) => {
                if !keep || own.is_null() {
                    *own = value;
                }
            }
            (None, value) => {
                object.insert(name, value);
            }
        }
    }
}
