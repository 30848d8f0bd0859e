//! Where in a YAML text a key stands.
//!
//! The YAML reader tells the line of a syntax error, but not where a value was. Whoever has to mend a value
//! wants the line, so the keys of block mappings, which is how people write files, are looked up in the text.

/// The line, counted from 1, of the key at the end of `path`, or of the innermost one that is found.
pub(super) fn line_of<'a>(text: &str, path: impl IntoIterator<Item = &'a str>) -> Option<usize> {
    let mut lines = text.lines().zip(1..).peekable();
    let mut found = None;
    let mut parent = None;
    for key in path {
        loop {
            let Some((line, number)) = lines.next() else { return found };
            let content = line.trim_start();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let indent = line.len() - content.len();
            if parent.map_or(indent > 0, |parent| indent <= parent) {
                // At the top level, a deeper line belongs to another key; below, a shallower one ends the
                // search.
                if parent.is_some() {
                    return found;
                }
                continue;
            }
            if is_key(content, key) {
                found = Some(number);
                parent = Some(indent);
                break;
            }
        }
    }
    found
}

/// Whether the line `key: value` begins with this key, quoted or not.
fn is_key(content: &str, key: &str) -> bool {
    let quote = content.chars().next().filter(|c| matches!(c, '"' | '\'')).map_or(0, char::len_utf8);
    content
        .get(quote..)
        .and_then(|rest| rest.strip_prefix(key))
        .and_then(|rest| rest.get(quote..))
        .is_some_and(|rest| rest.trim_start().starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::line_of;

    const TEXT: &str = "\
# log_level: here it is in a comment
prefix: x
plugin_settings:
  one:
    cpu_budget: 1

  \"two\":
    # cpu_budget: 1
    cpu_budget: 2
log_level: info
";

    #[test]
    fn a_key_is_found_below_its_parents_and_not_in_comments() {
        assert_eq!(line_of(TEXT, ["log_level"]), Some(10));
        assert_eq!(line_of(TEXT, ["plugin_settings", "one", "cpu_budget"]), Some(5));
        assert_eq!(line_of(TEXT, ["plugin_settings", "two", "cpu_budget"]), Some(9));
    }

    #[test]
    fn a_key_that_is_not_found_has_the_line_of_its_parent() {
        assert_eq!(line_of(TEXT, ["plugin_settings", "two", "wall_budget"]), Some(7));
        assert_eq!(line_of(TEXT, ["cpu_budget"]), None);
        assert_eq!(line_of("{prefix: x}", ["prefix"]), None);
    }
}
