//! The page of the reference.

use std::fmt::Write as _;

use super::wit::Item;

/// Everything, in the order of the files.
pub(super) fn page(items: &[Item]) -> String {
    let mut page = String::from(INTRODUCTION);
    for package in items.iter().filter(|item| item.kind == "package") {
        let name = package.text.trim_start_matches("package ");
        section(&mut page, &format!("`{name}`"), &package.docs);
    }
    let interfaces = || items.iter().filter(|item| item.kind != "package");
    page.push('\n');
    for item in interfaces() {
        let summary = item.docs.lines().next().unwrap_or_default();
        let _ = writeln!(page, "- [{} `{}`](#{}): {summary}", item.kind, item.name(), anchor(item));
    }
    for item in interfaces() {
        section(&mut page, &format!("{} `{}`", item.kind, item.name()), &item.docs);
        if item.kind == "world" {
            let list = item.members.iter().map(|member| format!("`{}`", member.text)).collect::<Vec<_>>();
            let _ = write!(page, "\n{}\n", list.join(", "));
            continue;
        }
        // Functions first: they are what one looks for.
        let (functions, types): (Vec<_>, Vec<_>) =
            item.members.iter().partition(|member| member.kind.is_empty());
        for function in functions {
            entry(&mut page, function);
        }
        for kind in types {
            let _ = write!(page, "\n### {} `{}`\n", kind.kind, kind.name());
            paragraph(&mut page, &kind.docs);
            if kind.kind == "resource" {
                kind.members.iter().for_each(|function| entry(&mut page, function));
            } else {
                table(&mut page, kind);
            }
        }
    }
    page
}

fn section(page: &mut String, title: &str, docs: &str) {
    let _ = write!(page, "\n## {title}\n");
    paragraph(page, docs);
}

/// A function with what is said about it.
fn entry(page: &mut String, function: &Item) {
    let _ = write!(page, "\n```wit\n{}\n```\n", function.text);
    paragraph(page, &function.docs);
}

/// Fields or cases.
fn table(page: &mut String, kind: &Item) {
    if kind.members.iter().all(|member| member.docs.is_empty()) {
        let names: Vec<_> = kind.members.iter().map(|member| format!("`{}`", member.text)).collect();
        let _ = write!(page, "\n{}\n", names.join(", "));
        return;
    }
    page.push_str("\n| | |\n| --- | --- |\n");
    for member in &kind.members {
        let docs = member.docs.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(page, "| `{}` | {} |", member.text.replace('|', "\\|"), docs.replace('|', "\\|"));
    }
}

fn paragraph(page: &mut String, docs: &str) {
    if !docs.is_empty() {
        let _ = write!(page, "\n{}\n", docs.trim_end());
    }
}

/// As the sites that show Markdown make it of a heading.
fn anchor(item: &Item) -> String {
    format!("{}-{}", item.kind, item.name())
}

const INTRODUCTION: &str = "\
# Reference of the contract

Everything that a plugin exports and everything that it can import, from the files in [wit/](../../wit). This page is
made by `cargo xtask docs`; what it says is written there.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::wit;

    #[test]
    fn functions_stand_with_their_text_and_fields_in_a_table() {
        let items = wit::parse(
            "/// A house.\ninterface house {\n  /// A door.\n  record door {\n    /// Or\n    /// not.\n    \
             open: bool,\n  }\n  /// Shuts it.\n  shut: func(door: door);\n}\n",
        )
        .unwrap();
        let page = page(&items);
        assert!(page.contains("- [interface `house`](#interface-house): A house.\n"), "{page}");
        assert!(page.contains("```wit\nshut: func(door: door)\n```\n\nShuts it.\n"), "{page}");
        assert!(
            page.contains(
                "### record `door`\n\nA door.\n\n| | |\n| --- | --- |\n| `open: bool` | Or not. |\n"
            ),
            "{page}"
        );
    }
}
