//! The problems of a document, in a tree of the document's shape.

use std::collections::BTreeMap;
use std::fmt;

use moongate_schema::{Problem, Violations};
use serde_json::{Map, Value};

use super::lua;

/// Everything that is wrong with a declarative configuration.
///
/// Displayed, it is laid out for a terminal, one line per problem below the place where it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Problems {
    root: Branch,
}

/// The problems below one place of a document, by the next step on the way to them.
pub(super) type Branch = BTreeMap<Step, Node>;

/// A problem, or the problems below a place.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Branch(Branch),
}

/// One step into a document: the place in a list, counted from 1, or the key in an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Index(usize),
    Key(String),
}

impl Problems {
    pub(super) fn new(root: Branch) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Branch {
        &self.root
    }

    pub(super) fn into_root(self) -> Branch {
        self.root
    }

    pub(super) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The problems in the shape of the document.
    ///
    /// Good items of a list are `null`; a list of which some problems are told by position and some by name
    /// is an object.
    pub fn fields(&self) -> Value {
        fields_of(&self.root)
    }

    /// The problems as the table of Lua that error messages show.
    pub fn to_lua(&self) -> String {
        lua::table(&self.root)
    }

    /// Adds `node` at `location`, over what was known there. What is known of other places stays, also where
    /// two branches meet.
    pub(super) fn add(&mut self, location: &[Step], node: Node) {
        let node =
            location.iter().rev().fold(node, |node, step| Node::Branch(Branch::from([(step.clone(), node)])));
        if let Node::Branch(branch) = node {
            merge(&mut self.root, branch);
        }
    }

    /// Adds a text to the list at `location`.
    pub(super) fn append(&mut self, location: &[Step], text: String) {
        let next = match self.at(location) {
            Some(Node::Branch(list)) => list.len() + 1,
            _ => 1,
        };
        self.add(location, Node::Branch(Branch::from([(Step::Index(next), Node::Text(text))])));
    }

    fn at(&self, location: &[Step]) -> Option<&Node> {
        let (first, rest) = location.split_first()?;
        rest.iter().try_fold(self.root.get(first)?, |node, step| match node {
            Node::Branch(branch) => branch.get(step),
            Node::Text(_) => None,
        })
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        print(&self.root, "", 0, &mut lines);
        formatter.write_str(&lines.join("\n"))
    }
}

impl From<&Violations> for Node {
    fn from(violations: &Violations) -> Self {
        let mut branch: Branch =
            violations.iter().map(|(field, problem)| (Step::from(field), Self::from(problem))).collect();
        if !violations.entity().is_empty() {
            let list = violations
                .entity()
                .iter()
                .zip(1..)
                .map(|(text, at)| (Step::Index(at), Self::from(text.as_str())));
            branch.insert(Step::from("@entity"), Self::Branch(list.collect()));
        }
        Self::Branch(branch)
    }
}

impl From<&Problem> for Node {
    fn from(problem: &Problem) -> Self {
        match problem {
            Problem::Text(text) => Self::Text(text.clone()),
            Problem::Record(violations) => Self::from(violations),
            Problem::Elements(elements) => Self::Branch(
                elements.iter().map(|(at, problem)| (Step::Index(at + 1), problem.into())).collect(),
            ),
        }
    }
}

impl From<&Value> for Node {
    /// Of problems in the shape of an entity.
    fn from(fields: &Value) -> Self {
        match fields {
            Value::Object(members) => Self::Branch(
                members.iter().map(|(key, value)| (Step::from(key.as_str()), Self::from(value))).collect(),
            ),
            Value::Array(items) => Self::Branch(
                (1..)
                    .zip(items)
                    .filter(|(_, item)| !item.is_null())
                    .map(|(at, item)| (Step::Index(at), Self::from(item)))
                    .collect(),
            ),
            Value::String(text) => Self::from(text.as_str()),
            other => Self::Text(other.to_string()),
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(at) => at.fmt(formatter),
            Self::Key(key) => formatter.write_str(key),
        }
    }
}

/// Puts `other` over `branch`: texts win over what they meet, branches are joined.
pub(super) fn merge(branch: &mut Branch, other: Branch) {
    for (step, node) in other {
        match (branch.get_mut(&step), node) {
            (Some(Node::Branch(known)), Node::Branch(node)) => merge(known, node),
            (_, node) => {
                branch.insert(step, node);
            }
        }
    }
}

pub(super) fn fields_of(branch: &Branch) -> Value {
    let last = branch.keys().map(|step| match step {
        Step::Index(at) => Some(*at),
        Step::Key(_) => None,
    });
    // The steps are sorted, and an empty branch is an object.
    match last.fold(None, |last, at| at.map(|at| Some(at).max(last.flatten()))) {
        Some(Some(length)) => {
            let mut list = vec![Value::Null; length];
            for (step, node) in branch {
                if let Step::Index(at) = step
                    && let Some(place) = at.checked_sub(1).and_then(|at| list.get_mut(at))
                {
                    *place = field_of(node);
                }
            }
            Value::Array(list)
        }
        _ => Value::Object(
            branch.iter().map(|(step, node)| (step.to_string(), field_of(node))).collect::<Map<_, _>>(),
        ),
    }
}

fn field_of(node: &Node) -> Value {
    match node {
        Node::Text(text) => Value::String(text.clone()),
        Node::Branch(branch) => fields_of(branch),
    }
}

/// Lays out `branch`, which stands under `name`.
fn print(branch: &Branch, name: &str, indent: usize, lines: &mut Vec<String>) {
    for (step, node) in branch {
        let title = match step {
            Step::Index(at) => format!("- in entry {at} of '{name}'"),
            Step::Key(key) => format!("in '{key}'"),
        };
        match node {
            Node::Text(text) => lines.push(format!("{:indent$}{title}: {text}", "")),
            Node::Branch(branch) => {
                lines.push(format!("{:indent$}{title}:", ""));
                // The items of a list stand behind a dash, so what is in them is indented by its width.
                print(branch, &step.to_string(), indent + 2, lines);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(places: &[(&[Step], &str)]) -> Problems {
        let mut problems = Problems::default();
        for (location, text) in places {
            problems.add(location, Node::from(*text));
        }
        problems
    }

    #[test]
    fn lists_have_null_for_what_is_right() {
        let at = |entity: &str, at: usize, field: &str| [entity.into(), Step::Index(at), field.into()];
        let problems = problems(&[(&at("services", 2, "host"), "a"), (&at("services", 2, "port"), "b")]);
        assert_eq!(problems.fields(), json!({"services": [null, {"host": "a", "port": "b"}]}));
        assert_eq!(Problems::default().fields(), json!({}));
    }

    #[test]
    fn places_and_names_together_make_an_object() {
        let problems = problems(&[(&["a".into(), Step::Index(2)], "x"), (&["a".into(), "b".into()], "y")]);
        assert_eq!(problems.fields(), json!({"a": {"2": "x", "b": "y"}}));
    }

    #[test]
    fn a_text_takes_the_place_of_what_it_meets() {
        let problems = problems(&[(&["a".into(), "b".into()], "x"), (&["a".into()], "y")]);
        assert_eq!(problems.fields(), json!({"a": "y"}));
    }

    #[test]
    fn appended_texts_are_a_list() {
        let mut problems = Problems::default();
        problems.append(&["r".into()], "x".to_owned());
        problems.append(&["r".into()], "y".to_owned());
        assert_eq!(problems.fields(), json!({"r": ["x", "y"]}));
        assert_eq!(problems.to_string(), "in 'r':\n  - in entry 1 of 'r': x\n  - in entry 2 of 'r': y");
    }
}
