//! Values with parts that depend on the request: `prefix-$(headers.x or "none")`.
//!
//! The parts are written as expressions in Lua, of which this understands the small language that they are made of:
//! the tables `headers`, `query_params`, `uri_captures` and `shared`, constants, `or`, `and`, `not`, `==`, `~=`, `..`,
//! and the functions of [`Function`]. Other names are nil, so that a request fails where something is asked of them.
//! Anything else is refused when a configuration is made.

mod parser;

use std::borrow::Cow;
use std::fmt;

/// A value that may depend on the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Expression(Expression),
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Constant(Value),
    Member(Table, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Concatenation(Box<Expression>, Box<Expression>),
    /// Whether the two are equal, or whether they are not.
    Equality(Box<Expression>, Box<Expression>, bool),
    Call(Function, Vec<Expression>),
    /// Something that is asked of a name that stands for nothing.
    Unknown(String),
}

/// Where values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// Headers of the request, in any case of letters, and with `_` for `-`.
    Headers,
    /// Arguments of the query.
    QueryParams,
    /// What the route's path expression captured, by name or position.
    UriCaptures,
    /// What plugins share.
    Shared,
}

/// A function of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Lower,
    Upper,
    Len,
    Sub,
    Tostring,
    Tonumber,
}

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Nil,
    Boolean(bool),
    Number(f64),
    Text(String),
}

/// Gives templates the values of a request.
pub(crate) trait Source {
    /// The member of a table.
    fn member(&mut self, table: Table, key: &str) -> Value;
}

/// Why a template is none, or has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TemplateError(String);

impl Template {
    /// Reads a template. What is in no complete pair of parentheses is text.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, expression, behind)) = next_expression(rest) {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Expression(parser::parse(expression)?));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The value for a request. What is nil, or false, is empty.
    pub(crate) fn render(&self, source: &mut impl Source) -> Result<Cow<'_, str>, TemplateError> {
        if let [Piece::Text(text)] = self.0.as_slice() {
            return Ok(Cow::Borrowed(text));
        }
        let mut rendered = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Expression(expression) => {
                    let value = expression.evaluate(source)?;
                    if value.is_true() {
                        rendered.push_str(&value.into_text());
                    }
                }
            }
        }
        Ok(Cow::Owned(rendered))
    }
}

/// The text before the next `$(...)`, what is in its parentheses, and what is behind it.
fn next_expression(text: &str) -> Option<(&str, &str, &str)> {
    for (at, _) in text.match_indices("$(") {
        let inside = text.get(at + 2..)?;
        let mut depth = 1_usize;
        for (end, byte) in inside.bytes().enumerate() {
            match byte {
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some((text.get(..at)?, inside.get(..end)?, inside.get(end + 1..)?));
            }
        }
    }
    None
}

impl Expression {
    fn evaluate(&self, source: &mut impl Source) -> Result<Value, TemplateError> {
        Ok(match self {
            Self::Constant(value) => value.clone(),
            Self::Member(table, key) => match key.evaluate(source)? {
                Value::Nil => Value::Nil,
                key => source.member(*table, &key.into_text()),
            },
            Self::Or(one, other) => match one.evaluate(source)? {
                value if value.is_true() => value,
                _ => other.evaluate(source)?,
            },
            Self::And(one, other) => match one.evaluate(source)? {
                value if value.is_true() => other.evaluate(source)?,
                value => value,
            },
            Self::Not(one) => Value::Boolean(!one.evaluate(source)?.is_true()),
            Self::Concatenation(one, other) => {
                let mut text = one.evaluate(source)?.text("concatenate")?;
                text.push_str(&other.evaluate(source)?.text("concatenate")?);
                Value::Text(text)
            }
            Self::Equality(one, other, equal) => {
                Value::Boolean((one.evaluate(source)? == other.evaluate(source)?) == *equal)
            }
            Self::Call(function, arguments) => {
                let values: Result<Vec<Value>, TemplateError> =
                    arguments.iter().map(|argument| argument.evaluate(source)).collect();
                function.call(&values?)?
            }
            Self::Unknown(name) => return Err(TemplateError(format!("`{name}` is nil"))),
        })
    }
}

impl Function {
    fn call(self, values: &[Value]) -> Result<Value, TemplateError> {
        let first = values.first().cloned().unwrap_or(Value::Nil);
        Ok(match self {
            Self::Lower => Value::Text(first.text("lower")?.to_lowercase()),
            Self::Upper => Value::Text(first.text("upper")?.to_uppercase()),
            Self::Len => number(first.text("len")?.len()),
            Self::Sub => Value::Text(part(&first.text("sub")?, values.get(1), values.get(2))),
            Self::Tostring => Value::Text(first.into_text()),
            Self::Tonumber => match first {
                Value::Text(text) => text.trim().parse().map_or(Value::Nil, Value::Number),
                number @ Value::Number(_) => number,
                _ => Value::Nil,
            },
        })
    }
}

impl Value {
    fn is_true(&self) -> bool {
        !matches!(self, Self::Nil | Self::Boolean(false))
    }

    fn into_text(self) -> String {
        match self {
            Self::Nil => "nil".to_owned(),
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(text) => text,
        }
    }

    /// The text that something is to be done with.
    fn text(self, what: &str) -> Result<String, TemplateError> {
        match self {
            Self::Text(_) | Self::Number(_) => Ok(self.into_text()),
            Self::Nil => Err(TemplateError(format!("cannot {what} a value that is nil"))),
            Self::Boolean(_) => Err(TemplateError(format!("cannot {what} a value that is true or false"))),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "no text has 2^53 bytes")]
fn number(length: usize) -> Value {
    Value::Number(length as f64)
}

/// The bytes from the first place to the last, counted from 1, or from -1 backwards.
fn part(text: &str, first: Option<&Value>, last: Option<&Value>) -> String {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    #[expect(clippy::cast_possible_truncation, reason = "places beyond i64 are beyond the text as well")]
    let place = |value: Option<&Value>, usual: i64| match value {
        Some(Value::Number(place)) => *place as i64,
        _ => usual,
    };
    let from_start = |place: i64| if place < 0 { (length + place + 1).max(0) } else { place };
    let first = from_start(place(first, 1)).max(1);
    let last = from_start(place(last, -1)).min(length);
    let bytes = match (usize::try_from(first - 1), usize::try_from(last)) {
        (Ok(first), Ok(last)) if first < last => text.as_bytes().get(first..last),
        _ => None,
    };
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
