//! Reads as much of a WIT file as a reference shows: what is declared, and what is said about it.
//!
//! It knows the form in which the contract is written: one declaration a line, documentation above it. What it does
//! not know is an error, so that nothing goes missing in silence.

use anyhow::{Result, bail, ensure};

/// A declaration with its documentation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// `interface`, `world`, `record`, `variant`, `enum`, `resource`, or nothing for a function, field or case.
    pub(super) kind: &'static str,
    /// The declaration, without what opens or ends it.
    pub(super) text: String,
    /// Paragraphs of the documentation.
    pub(super) docs: String,
    pub(super) members: Vec<Item>,
}

impl Item {
    /// The name that it declares.
    pub(super) fn name(&self) -> &str {
        let name = self.text.split([':', '(', ' ']).next().unwrap_or_default();
        name.trim_start_matches('%')
    }
}

/// The interfaces and worlds of a file.
pub(super) fn parse(text: &str) -> Result<Vec<Item>> {
    // What is open, the outermost first; at the bottom the file itself.
    let mut open = vec![Item { kind: "file", text: String::new(), docs: String::new(), members: Vec::new() }];
    let mut docs = String::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let Some(top) = open.last_mut() else { bail!("line {}: more is closed than open", number + 1) };
        if let Some(comment) = line.strip_prefix("///") {
            docs.push_str(comment.strip_prefix(' ').unwrap_or(comment));
            docs.push('\n');
        } else if line.is_empty() || line.starts_with("//") {
        } else if line == "}" {
            ensure!(open.len() > 1, "line {}: more is closed than open", number + 1);
            let closed = open.pop();
            if let (Some(closed), Some(top)) = (closed, open.last_mut()) {
                top.members.push(closed);
            }
        } else if let Some(head) = line.strip_suffix(" {") {
            let (kind, name) = head.split_once(' ').unwrap_or((head, ""));
            let Some(kind) = KINDS.iter().find(|known| **known == kind) else {
                bail!("line {}: `{line}` opens something unknown", number + 1);
            };
            open.push(Item {
                kind,
                text: name.to_owned(),
                docs: std::mem::take(&mut docs),
                members: Vec::new(),
            });
        } else if line.starts_with("package ") {
            // What is said of the package is said of the whole.
            let docs = std::mem::take(&mut docs);
            top.members.push(Item { kind: "package", text: declared(line), docs, members: Vec::new() });
        } else if line.starts_with("use ") {
            docs.clear();
        } else if matches!(top.kind, "enum" | "variant") && docs.is_empty() {
            // Several cases on a line.
            for case in line.split(',').map(str::trim).filter(|case| !case.is_empty()) {
                top.members.push(Item {
                    kind: "",
                    text: case.to_owned(),
                    docs: String::new(),
                    members: Vec::new(),
                });
            }
        } else {
            ensure!(line.ends_with([';', ',']), "line {}: `{line}` goes on in the next line", number + 1);
            let docs = std::mem::take(&mut docs);
            top.members.push(Item { kind: "", text: declared(line), docs, members: Vec::new() });
        }
    }
    ensure!(open.len() == 1, "something is not closed");
    Ok(open.pop().map(|file| file.members).unwrap_or_default())
}

fn declared(line: &str) -> String {
    line.trim_end_matches([';', ',']).to_owned()
}

const KINDS: [&str; 6] = ["interface", "world", "record", "variant", "enum", "resource"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_keep_their_documentation() {
        let items = parse(
            "/// A house.\ninterface house {\n  use other.{door};\n\n  /// Its doors.\n  ///\n  /// All.\n  \
             doors: func() -> list<door>;\n  enum wood {\n    oak, %use,\n    /// Soft.\n    pine,\n  }\n}\n",
        )
        .unwrap();
        assert_eq!(
            (items[0].kind, items[0].name(), items[0].docs.as_str()),
            ("interface", "house", "A house.\n")
        );
        let doors = &items[0].members[0];
        assert_eq!((doors.name(), doors.docs.as_str()), ("doors", "Its doors.\n\nAll.\n"));
        assert_eq!(doors.text, "doors: func() -> list<door>");
        let names: Vec<_> = items[0].members[1].members.iter().map(Item::name).collect();
        assert_eq!(names, ["oak", "use", "pine"]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in ["interface a {", "}", "union a {\n}", "interface a {\n  f: func(\n    a: u8);\n}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
