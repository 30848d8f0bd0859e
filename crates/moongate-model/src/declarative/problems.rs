//! The problems of a document, in a tree of the document's shape.

use std::fmt;

use serde_json::{Map, Value};

/// Where something stands in a document, from the outside to the inside.
pub(super) type Location = Vec<Step>;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// Everything that is wrong with a declarative configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problems {
    root: Value,
}

impl Problems {
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_null()
    }

    pub(super) fn fields(&self) -> Value {
        self.root.clone()
    }

    /// Whether a problem is known at `location` or below it.
    pub(super) fn is_at(&self, location: &[Step]) -> bool {
        let found = location.iter().try_fold(&self.root, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.get(index),
        });
        found.is_some_and(|node| !node.is_null())
    }

    /// Whether the problems of a top-level collection are told by name, and not by position.
    pub(super) fn is_by_name(&self, collection: &str) -> bool {
        self.root.get(collection).is_some_and(Value::is_object)
    }

    /// Adds a problem with the field at `location`; the first one of a field stays.
    pub(super) fn add(&mut self, location: &[Step], problem: impl Into<Value>) {
        let node = self.node(location);
        if node.is_null() {
            *node = problem.into();
        }
    }

    /// Adds a problem to the list at `location`.
    pub(super) fn append(&mut self, location: &[Step], problem: impl Into<Value>) {
        let node = self.node(location);
        match node {
            Value::Array(list) => list.push(problem.into()),
            node => *node = Value::Array(vec![problem.into()]),
        }
    }

    /// The node at `location`, which is null if nothing was known there.
    fn node(&mut self, location: &[Step]) -> &mut Value {
        location.iter().fold(&mut self.root, step_into)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        print(&self.root, "", 0, &mut lines);
        formatter.write_str(&lines.join("\n"))
    }
}

/// The child of `node` at `step`, made if it is missing.
fn step_into<'n>(node: &'n mut Value, step: &Step) -> &'n mut Value {
    match step {
        Step::Key(key) => {
            if !node.is_object() {
                *node = Value::Object(Map::new());
            }
            &mut node[key.as_str()]
        }
        Step::Index(index) => {
            let mut list = match node.take() {
                Value::Array(list) => list,
                _ => Vec::new(),
            };
            list.resize(list.len().max(index + 1), Value::Null);
            *node = Value::Array(list);
            &mut node[*index]
        }
    }
}

/// Lays out the children of `node`, which stands under `name`.
fn print(node: &Value, name: &str, indent: usize, lines: &mut Vec<String>) {
    let children: Vec<(String, String, &Value)> = match node {
        Value::Object(map) => {
            map.iter().map(|(key, child)| (format!("in '{key}'"), key.clone(), child)).collect()
        }
        Value::Array(list) => {
            let children = list.iter().enumerate().filter(|(_, child)| !child.is_null());
            children
                .map(|(at, child)| {
                    (format!("- in entry {} of '{name}'", at + 1), (at + 1).to_string(), child)
                })
                .collect()
        }
        _ => return,
    };
    for (title, name, child) in children {
        match child {
            Value::String(text) => lines.push(format!("{:indent$}{title}: {text}", "")),
            child => {
                lines.push(format!("{:indent$}{title}:", ""));
                // The items of a list stand behind a dash, so what is in them is indented by its width.
                print(child, &name, indent + 2, lines);
            }
        }
    }
}
