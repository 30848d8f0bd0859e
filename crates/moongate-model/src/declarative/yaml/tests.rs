use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    read(text).unwrap()
}

#[test]
fn plain_scalars_have_types() {
    for (text, expected) in [
        ("", Value::Null),
        ("~", Value::Null),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!("y")),
        ("'yes'", json!("yes")),
        ("\"5\"", json!("5")),
        ("!!str 5", json!("5")),
        ("12", json!(12)),
        ("-7", json!(-7)),
        ("1_000", json!(1000)),
        ("010", json!(8)),
        ("08", json!(8)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("3.0", json!(3.0)),
        ("1e3", json!(1000.0)),
        (".5", json!(0.5)),
        ("1.2.3", json!("1.2.3")),
        ("12:30", json!("12:30")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("0a0b0c0d-0000-4000-8000-000000000001", json!("0a0b0c0d-0000-4000-8000-000000000001")),
        ("2e5a", json!("2e5a")),
        (".inf", json!(".inf")),
    ] {
        assert_eq!(value(text), expected, "{text:?}");
    }
}

#[test]
fn anchors_and_merges_are_resolved() {
    let text = "
a: &base {host: h, tags: &tags [x]}
b: {<<: *base, host: own}
c:
  host: own
  <<: [{port: 1}, *base]
d: *tags
";
    assert_eq!(
        value(text),
        json!({
            "a": {"host": "h", "tags": ["x"]},
            "b": {"host": "own", "tags": ["x"]},
            "c": {"host": "own", "port": 1, "tags": ["x"]},
            "d": ["x"],
        })
    );
}

#[test]
fn keys_are_texts() {
    assert_eq!(value("{on: 1, 5: 2, ~: 3}"), json!({"on": 1, "5": 2, "~": 3}));
    assert_eq!(read("{[a]: 1}").unwrap_err().column, 2);
}

#[test]
fn the_last_of_equal_keys_counts() {
    assert_eq!(value("{a: 1, a: 2}"), json!({"a": 2}));
}

#[test]
fn block_texts_keep_their_lines() {
    assert_eq!(value("a: |\n  x\n  y\nb: >-\n  x\n  y\n"), json!({"a": "x\ny\n", "b": "x y"}));
}

#[test]
fn lines_may_end_as_on_windows_and_begin_with_directives() {
    let text = "%YAML 1.1\r\n---\r\n# text\r\na: 1\r\nb: |\r\n  x\r\n  y\r\nc: [é, \"\\u00e9\"]\r\n...\r\n";
    assert_eq!(value(text), json!({"a": 1, "b": "x\ny\n", "c": ["é", "é"]}));
}

#[test]
fn the_first_document_counts() {
    assert_eq!(value("---\na: 1\n---\nb: 2\n"), json!({"a": 1}));
}

#[test]
fn a_mistake_has_a_place() {
    let error = read("a: 1\nb: [1,\n").unwrap_err();
    assert!(error.line >= 2 && error.column >= 1 && !error.reason.is_empty(), "{error:?}");
    for text in ["\t- x\n", "a:\n\tb: 1\n", "a:\n \tb: 1\n", "a:\n\t- 1\n", "\t'a': 1\n"] {
        assert!(read(text).is_err(), "{text:?}");
    }
    for text in ["{\n\ta: [1,\n\t2]\n}\n", "a: |\n  x\n  \ty\n", "- a\n\t\n- b\n"] {
        assert!(read(text).is_ok(), "{text:?} {:?}", read(text));
    }
    assert!(read("a: *nothing").is_err());
    assert!(read("a: &x [*x]").is_err());
}

#[test]
fn a_small_text_cannot_become_a_huge_value() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(read(&text).unwrap_err().reason.contains("aliases"));
    assert!(read(&"[".repeat(1000)).is_err());
}
