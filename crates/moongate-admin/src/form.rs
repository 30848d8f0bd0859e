//! Fields of a form put together to the object that they describe.
//!
//! A form has names and texts only. Dots in a name go down into objects, brackets into lists and maps, and a name
//! that comes several times is a list; which text is a number the schema says later, see [`crate::infer`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Puts the fields of a form together.
pub(crate) fn assemble(fields: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut root = Tree::default();
    for (name, value) in fields {
        let mut tree = &mut root;
        for step in steps(&name) {
            tree = tree.descend(step);
        }
        tree.values.push(value);
    }
    root.named.into_iter().map(|(name, tree)| (name, tree.into_value())).collect()
}

/// One step from an object or a list to something in it.
enum Step {
    Name(String),
    Index(usize),
    Append,
}

/// What is known so far of one value.
#[derive(Default)]
struct Tree {
    values: Vec<Value>,
    /// Whether the values were given as entries of a list.
    listed: bool,
    named: BTreeMap<String, Tree>,
    indexed: BTreeMap<usize, Tree>,
}

impl Tree {
    fn descend(&mut self, step: Step) -> &mut Self {
        match step {
            Step::Name(name) => self.named.entry(name).or_default(),
            Step::Index(index) => self.indexed.entry(index).or_default(),
            Step::Append => {
                self.listed = true;
                self
            }
        }
    }

    /// An object if any name was used, else a list if a place in one was used or several values came.
    fn into_value(self) -> Value {
        let Self { mut values, listed, named, indexed } = self;
        if !named.is_empty() {
            let mut object: Map<String, Value> =
                named.into_iter().map(|(name, tree)| (name, tree.into_value())).collect();
            for (index, tree) in indexed {
                object.entry(index.to_string()).or_insert(tree.into_value());
            }
            return Value::Object(object);
        }
        if !listed && indexed.is_empty() && values.len() == 1 {
            return values.pop().unwrap_or_default();
        }
        Value::Array(indexed.into_values().map(Self::into_value).chain(values).collect())
    }
}

/// The way that a field's name describes.
fn steps(name: &str) -> Vec<Step> {
    if name.starts_with('.') || name.ends_with('.') {
        return vec![Step::Name(name.to_owned())];
    }
    let mut steps = Vec::new();
    let mut segments = name.split('.').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let (plain, brackets) = brackets(segment);
        steps.push(Step::Name(plain.to_owned()));
        let ends = brackets.len();
        for (place, inside) in brackets.into_iter().enumerate() {
            steps.push(match inside.parse() {
                Ok(index) => Step::Index(index),
                // Only a whole entry can be added; one that is filled by several fields is the first.
                Err(_) if inside.is_empty() && last && place + 1 == ends => Step::Append,
                Err(_) if inside.is_empty() => Step::Index(1),
                Err(_) => Step::Name(inside.to_owned()),
            });
        }
    }
    steps
}

/// Cuts `a[1][x]` into `a`, `1` and `x`. Text whose brackets do not match is a plain name.
fn brackets(segment: &str) -> (&str, Vec<&str>) {
    let Some((plain, rest)) = segment.split_once('[').filter(|(plain, _)| !plain.is_empty()) else {
        return (segment, Vec::new());
    };
    match rest.strip_suffix(']') {
        Some(inside) => (plain, inside.split("][").collect()),
        None => (segment, Vec::new()),
    }
}

#[cfg(test)]
mod tests;
