//! What an expression demands of paths and hosts, for the index.

use super::Node;
use super::field::TextField;
use super::test::{Test, TextOperator, TextTest};
use crate::host::HostKey;

/// Texts one of which the path of every request starts with for which the node holds.
pub(super) fn literals(node: &Node) -> Option<Vec<&str>> {
    demands(
        node,
        &|test| match (&test.field, &test.operator) {
            (TextField::Path, TextOperator::Equals(text) | TextOperator::StartsWith(text)) => {
                Some(text.as_str())
            }
            (TextField::Path, TextOperator::Regex(_, literal)) if !literal.is_empty() => Some(literal),
            _ => None,
        },
        &|texts| texts.iter().map(|text| text.len()).min().unwrap_or(0),
    )
}

/// Names and wildcards one of which the host of every request fits for which the node holds.
pub(super) fn hosts(node: &Node) -> Option<Vec<HostKey<'_>>> {
    demands(
        node,
        &|test| match (&test.field, &test.operator) {
            (TextField::Host, TextOperator::Equals(name)) => Some(HostKey::Exact(name)),
            (TextField::Host, TextOperator::EndsWith(end)) => HostKey::end(end),
            (TextField::Host, TextOperator::StartsWith(start)) => HostKey::start(start),
            _ => None,
        },
        &|keys| usize::MAX - keys.len(),
    )
}

/// What one of must be met for the node to hold, if there is such a list. Of several lists the one with the
/// greatest `worth` is taken.
fn demands<'n, D>(
    node: &'n Node,
    of_test: &impl Fn(&'n TextTest) -> Option<D>,
    worth: &impl Fn(&[D]) -> usize,
) -> Option<Vec<D>> {
    match node {
        Node::All(nodes) => {
            let demands = nodes.iter().filter_map(|node| demands(node, of_test, worth));
            demands.max_by_key(|demand| worth(demand))
        }
        Node::Any(nodes) => {
            let mut all = Vec::new();
            for node in nodes {
                all.append(&mut demands(node, of_test, worth)?);
            }
            Some(all)
        }
        Node::Test(Test::Text(test)) if !test.lower => of_test(test).map(|demand| vec![demand]),
        Node::Test(_) | Node::Not(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::expression::{Program, Subsystem};
    use crate::host::HostKey;

    fn program(text: &str) -> Program {
        Program::parse(text, Subsystem::Http).unwrap()
    }

    #[test]
    fn the_paths_that_an_expression_demands_are_found() {
        for (text, literals) in [
            (r#"http.path ^= "/a""#, Some(vec!["/a"])),
            (r#"http.path == "/a" || http.path ~ "^/b/\\d""#, Some(vec!["/a", "/b/"])),
            (r#"http.path ^= "/a" && http.path ^= "/a/b" && net.port == 1"#, Some(vec!["/a/b"])),
            (r#"http.path ^= "/a" || net.port == 1"#, None),
            (r#"http.path ~ "/b""#, None),
            (r#"!(http.path ^= "/a")"#, None),
            (r#"lower(http.path) ^= "/a""#, None),
            (r#"http.path =^ "/a" && http.path != "/b""#, None),
        ] {
            assert_eq!(program(text).literals(), literals, "{text}");
        }
    }

    #[test]
    fn the_hosts_that_an_expression_demands_are_found() {
        let (exact, end, start) = (HostKey::Exact("a.test"), HostKey::End(".b"), HostKey::Start("c."));
        for (text, hosts) in [
            (r#"http.host == "a.test""#, Some(vec![exact])),
            (
                r#"http.host == "a.test" || http.host =^ ".b" || http.host ^= "c.""#,
                Some(vec![exact, end, start]),
            ),
            (r#"(http.host =^ ".b" || http.host ^= "c.") && http.host == "a.test""#, Some(vec![exact])),
            (r#"http.host =^ "b""#, None),
            (r#"http.host != "b""#, None),
        ] {
            assert_eq!(program(text).hosts(), hosts, "{text}");
        }
    }
}
