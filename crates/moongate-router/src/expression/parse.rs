//! From the text of an expression to a program.

use std::borrow::Cow;
use std::net::IpAddr;

use atc_router::ast::{BinaryOperator, Expression, LhsTransformations, LogicalExpression, Predicate, Value};
use atc_router::semantics::Validate;
use ipnet::IpNet;

use super::field::{AddressField, NumberField, TextField, schema};
use super::test::{AddressOperator, NumberOperator, Test, TextOperator, TextTest};
use super::{Node, Subsystem};
use crate::path_regex::literal_prefix;

/// Parses and checks `text`.
///
/// # Errors
/// Returns what is wrong with it.
pub(super) fn parse(text: &str, subsystem: Subsystem) -> Result<Node, String> {
    let text = prepare(text)?;
    let parsed = atc_router::parser::parse(&text).map_err(|error| error.to_string())?;
    parsed.validate(&schema(subsystem))?;
    Ok(node(parsed))
}

/// `text` as the parser can take it: it counts on a stack that is deep enough, and on `not in` being written with
/// one blank.
fn prepare(text: &str) -> Result<Cow<'_, str>, String> {
    let mut rewritten = String::new();
    let mut copied = 0;
    let (mut depth, mut operators) = (0_usize, 0_usize);
    let mut rest = text;
    // Whether the last thing that is no blank ended a field.
    let mut after_field = false;
    while let Some(first) = rest.chars().next() {
        let at = text.len() - rest.len();
        let skipped = if first == '"' || rest.starts_with("r#\"") {
            after_field = false;
            literal_length(rest)
        } else if let Some(length) = word_length(rest) {
            let (word, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
            let blank = behind.len() - behind.trim_start_matches(BLANKS).len();
            let split = word == "not" && behind.get(blank..).is_some_and(|behind| behind.starts_with("in"));
            let glued = word.starts_with("notin");
            if after_field && (glued || split && behind.get(..blank) != Some(" ")) {
                rewritten.push_str(text.get(copied..at).unwrap_or_default());
                rewritten.push_str("not in");
                copied = at + if glued { "notin".len() } else { length + blank + "in".len() };
            }
            after_field = !after_field;
            length
        } else {
            match first {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                '&' | '|' => operators += 1,
                _ => {}
            }
            after_field = first == ')' || after_field && BLANKS.contains(&first);
            first.len_utf8()
        };
        if depth > MAX_DEPTH {
            return Err(format!("expression is nested more than {MAX_DEPTH} parentheses deep"));
        }
        if operators > 2 * MAX_OPERATORS {
            return Err(format!("expression has more than {MAX_OPERATORS} logical operators"));
        }
        rest = rest.get(skipped..).unwrap_or_default();
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    rewritten.push_str(text.get(copied..).unwrap_or_default());
    Ok(Cow::Owned(rewritten))
}

/// The length of the string literal that `text` starts with, up to the end if it is not closed.
fn literal_length(text: &str) -> usize {
    if let Some(raw) = text.strip_prefix("r#\"") {
        return raw.find("\"#").map_or(text.len(), |end| end + 5);
    }
    let mut escaped = false;
    let inner = text.char_indices().skip(1);
    let end = inner.filter(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    end.map(|(at, _)| at + 1).next().unwrap_or(text.len())
}

/// The length of the word that `text` starts with.
fn word_length(text: &str) -> Option<usize> {
    let in_word = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '.';
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        .then(|| text.find(|character| !in_word(character)).unwrap_or(text.len()))
}

fn node(expression: Expression) -> Node {
    match expression {
        Expression::Predicate(predicate) => Node::Test(test(predicate)),
        Expression::Logical(logical) => match *logical {
            LogicalExpression::Not(inner) => Node::Not(Box::new(node(inner))),
            LogicalExpression::And(left, right) => Node::All(chain(true, left, right)),
            LogicalExpression::Or(left, right) => Node::Any(chain(false, left, right)),
        },
    }
}

/// The parts that are joined by one operator, `&&` or `||`. They nest to the left, as deep as there are parts.
fn chain(and: bool, mut left: Expression, right: Expression) -> Vec<Node> {
    let mut nodes = vec![node(right)];
    loop {
        left = match left {
            Expression::Predicate(predicate) => {
                nodes.push(Node::Test(test(predicate)));
                break;
            }
            Expression::Logical(logical) => match (*logical, and) {
                (LogicalExpression::And(inner, right), true)
                | (LogicalExpression::Or(inner, right), false) => {
                    nodes.push(node(right));
                    inner
                }
                (other, _) => {
                    nodes.push(node(Expression::Logical(Box::new(other))));
                    break;
                }
            },
        };
    }
    nodes.reverse();
    nodes
}

fn test(predicate: Predicate) -> Test {
    let Predicate { lhs, rhs, op } = predicate;
    match rhs {
        Value::Int(number) => match (NumberField::from_name(&lhs.var_name), number_operator(&op)) {
            (Some(field), Some(operator)) => Test::Number(field, operator, number),
            _ => Test::Never,
        },
        Value::IpAddr(address) => address_test(&lhs.var_name, address_operator(&op, address)),
        Value::IpCidr(range) => {
            let net = IpNet::new(range.first_address(), range.network_length()).ok();
            let operator = net.and_then(|net| match op {
                BinaryOperator::In => Some(AddressOperator::In(net)),
                BinaryOperator::NotIn => Some(AddressOperator::NotIn(net)),
                _ => None,
            });
            address_test(&lhs.var_name, operator)
        }
        Value::String(text) => {
            let operator = match op {
                BinaryOperator::Equals => TextOperator::Equals(text),
                BinaryOperator::NotEquals => TextOperator::Differs(text),
                BinaryOperator::Prefix => TextOperator::StartsWith(text),
                BinaryOperator::Postfix => TextOperator::EndsWith(text),
                BinaryOperator::Contains => TextOperator::Contains(text),
                _ => return Test::Never,
            };
            text_test(&lhs, operator)
        }
        Value::Regex(regex) => {
            let literal = literal_prefix(regex.as_str()).into();
            text_test(&lhs, TextOperator::Regex(regex, literal))
        }
    }
}

fn text_test(lhs: &atc_router::ast::Lhs, operator: TextOperator) -> Test {
    Test::Text(TextTest {
        field: TextField::from_name(&lhs.var_name),
        any: lhs.transformations.contains(&LhsTransformations::Any),
        lower: lhs.transformations.contains(&LhsTransformations::Lower),
        operator,
    })
}

fn address_test(name: &str, operator: Option<AddressOperator>) -> Test {
    match (AddressField::from_name(name), operator) {
        (Some(field), Some(operator)) => Test::Address(field, operator),
        _ => Test::Never,
    }
}

fn address_operator(operator: &BinaryOperator, address: IpAddr) -> Option<AddressOperator> {
    match operator {
        BinaryOperator::Equals => Some(AddressOperator::Equals(address)),
        BinaryOperator::NotEquals => Some(AddressOperator::Differs(address)),
        _ => None,
    }
}

fn number_operator(operator: &BinaryOperator) -> Option<NumberOperator> {
    match operator {
        BinaryOperator::Equals => Some(NumberOperator::Equals),
        BinaryOperator::NotEquals => Some(NumberOperator::Differs),
        BinaryOperator::Greater => Some(NumberOperator::Greater),
        BinaryOperator::GreaterOrEqual => Some(NumberOperator::GreaterOrEqual),
        BinaryOperator::Less => Some(NumberOperator::Less),
        BinaryOperator::LessOrEqual => Some(NumberOperator::LessOrEqual),
        _ => None,
    }
}

/// What the language takes as blanks.
const BLANKS: &[char] = &[' ', '\t', '\r', '\n'];
const MAX_DEPTH: usize = 64;
const MAX_OPERATORS: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negated_in_is_written_with_one_blank_for_the_parser() {
        for (text, prepared) in [
            ("net.src.ip not in 10.0.0.0/8", None),
            ("net.src.ip not  in 10.0.0.0/8", Some("net.src.ip not in 10.0.0.0/8")),
            ("net.src.ip not\n\tin 10.0.0.0/8", Some("net.src.ip not in 10.0.0.0/8")),
            ("net.src.ip notin 10.0.0.0/8", Some("net.src.ip not in 10.0.0.0/8")),
            ("any(net.src.ip)notin 10.0.0.0/8", Some("any(net.src.ip)not in 10.0.0.0/8")),
            ("net.src.ip notin10.0.0.0/8", Some("net.src.ip not in10.0.0.0/8")),
            ("notin == 1", None),
            ("http.path == \"a not  in b\"", None),
            ("http.path == r#\"a \" not  in b\"#", None),
            (
                "http.path == \"\\\"\" && a not  in 1.1.1.1/8",
                Some("http.path == \"\\\"\" && a not in 1.1.1.1/8"),
            ),
        ] {
            assert_eq!(prepare(text).unwrap(), prepared.unwrap_or(text), "{text}");
            assert!(parse(text, Subsystem::Http).is_ok() || !text.starts_with("net"), "{text}");
        }
    }

    #[test]
    fn an_expression_that_would_need_too_much_of_the_stack_is_refused() {
        let deep = |depth: usize| format!("{}net.port == 1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH), Subsystem::Http).is_ok());
        assert_eq!(
            parse(&deep(MAX_DEPTH + 1), Subsystem::Http).unwrap_err(),
            "expression is nested more than 64 parentheses deep"
        );
        let long = |operators: usize| format!("net.port == 1{}", " || net.port == 2".repeat(operators));
        assert!(parse(&long(MAX_OPERATORS), Subsystem::Http).is_ok());
        assert_eq!(
            parse(&long(MAX_OPERATORS + 1), Subsystem::Http).unwrap_err(),
            "expression has more than 2000 logical operators"
        );
        assert!(parse(&"a(".repeat(100_000), Subsystem::Http).is_err());
    }
}
