//! Problems in the notation in which error messages show them: a table constructor of Lua on one line.

use super::problems::{Branch, Node, Step};

/// `{services={{host="required field missing"},[3]={...}}}`
///
/// Values at the places 1, 2, 3 ... come first and without their place, until one is missing; then keys in
/// alphabetical order; then the remaining places.
pub(super) fn table(branch: &Branch) -> String {
    let mut text = String::new();
    write_table(branch, &mut text);
    text
}

fn write_table(branch: &Branch, text: &mut String) {
    let places = || branch.iter().filter(|(step, _)| matches!(step, Step::Index(_)));
    let in_order = places().zip(1..).take_while(|((step, _), at)| **step == Step::Index(*at)).count();
    let keyed = branch.iter().filter(|(step, _)| matches!(step, Step::Key(_)));
    let first = places().take(in_order).map(|(_, node)| (None, node));
    let rest = keyed.chain(places().skip(in_order)).map(|(step, node)| (Some(step), node));
    text.push('{');
    for (at, (step, node)) in first.chain(rest).enumerate() {
        if at > 0 {
            text.push(',');
        }
        match step {
            Some(Step::Index(at)) => text.push_str(&format!("[{at}]=")),
            Some(Step::Key(key)) => write_key(key, text),
            None => {}
        }
        match node {
            Node::Text(problem) => text.push_str(&quoted(problem)),
            Node::Branch(branch) => write_table(branch, text),
        }
    }
    text.push('}');
}

fn write_key(key: &str, text: &mut String) {
    if is_identifier(key) {
        text.push_str(key);
    } else {
        let quoted = quoted(key);
        // Two brackets in a row would begin a long string.
        let space = if quoted.starts_with('[') { " " } else { "" };
        text.push_str(&format!("[{space}{quoted}{space}]"));
    }
    text.push('=');
}

fn is_identifier(key: &str) -> bool {
    let starts_well = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts_well
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEYWORDS.contains(&key)
}

/// A string literal: in quotes, or in long brackets if it has several lines or looks like a long bracket itself.
fn quoted(text: &str) -> String {
    if !text.contains('\r')
        && let Some(level) = bracket_level(text)
    {
        let signs = "=".repeat(level);
        // The first line break of a long string is left out when it is read.
        let first = if text.starts_with('\n') { "\n" } else { "" };
        return format!("[{signs}[{first}{text}]{signs}]");
    }
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\\n"),
            '\r' => literal.push_str("\\r"),
            '\0' => literal.push_str("\\000"),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// How many signs the long brackets around `text` need, if it needs such brackets.
fn bracket_level(text: &str) -> Option<usize> {
    // A bracket that the closing one would complete counts as well.
    let closed = format!("{text}]");
    let mut longest: Option<usize> = None;
    for bracket in ['[', ']'] {
        let mut rest = closed.as_str();
        while let Some(at) = rest.find(bracket) {
            rest = rest.get(at + 1..).unwrap_or_default();
            let after = rest.trim_start_matches('=');
            if after.starts_with(bracket) {
                longest = longest.max(Some(rest.len() - after.len()));
            }
        }
    }
    match longest {
        Some(longest) => Some(longest + 1),
        None => text.contains('\n').then_some(0),
    }
}

const KEYWORDS: [&str; 22] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(places: Vec<(Step, Node)>) -> Branch {
        places.into_iter().collect()
    }

    #[test]
    fn places_in_a_row_are_not_written() {
        let service = |field: &str| Node::Branch(branch(vec![(field.into(), "bad".into())]));
        let services = branch(vec![(Step::Index(1), service("host")), (Step::Index(3), service("key-sets"))]);
        assert_eq!(
            table(&branch(vec![
                ("services".into(), Node::Branch(services)),
                ("_comment".into(), "x".into())
            ])),
            r#"{_comment="x",services={{host="bad"},[3]={["key-sets"]="bad"}}}"#
        );
    }

    #[test]
    fn keys_come_before_places_out_of_order() {
        let mixed = branch(vec![(Step::Index(2), "a".into()), ("end".into(), "b".into())]);
        assert_eq!(table(&mixed), r#"{["end"]="b",[2]="a"}"#);
        assert_eq!(table(&Branch::new()), "{}");
    }

    #[test]
    fn strings_are_quoted_as_lua_reads_them() {
        for (text, literal) in [
            ("it's", "\"it's\""),
            ("a \"b\" \\", "\"a \\\"b\\\" \\\\\""),
            ("two\nlines", "[[two\nlines]]"),
            ("\nfirst", "[[\n\nfirst]]"),
            ("a]", "[=[a]]=]"),
            ("x[==[y", "[===[x[==[y]===]"),
            ("a\r\nb", "\"a\\r\\\nb\""),
        ] {
            assert_eq!(quoted(text), literal, "{text}");
        }
    }
}
