//! Reads expressions.

use super::{Expression, Function, Table, TemplateError, Value};

/// Reads an expression from the whole of a text.
pub(super) fn parse(text: &str) -> Result<Expression, TemplateError> {
    let mut parser = Parser { rest: tokens(text)?, depth: 0 };
    parser.rest.reverse();
    let expression = parser.or()?;
    match parser.rest.last() {
        None => Ok(expression),
        Some(token) => Err(TemplateError(format!("{} is not expected here", token.shown()))),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number(f64),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Text(text) => format!("'{text}'"),
            Self::Number(number) => format!("`{number}`"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first.is_ascii_alphabetic() || first == '_' {
            let end =
                rest.find(|next: char| !next.is_ascii_alphanumeric() && next != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest.get(..end).unwrap_or_default().to_owned()));
            end
        } else if first.is_ascii_digit() {
            let end = rest.find(|next: char| !next.is_ascii_digit()).unwrap_or(rest.len());
            let number = rest.get(..end).and_then(|digits| digits.parse().ok());
            tokens.push(Token::Number(number.unwrap_or_default()));
            end
        } else if first == '"' || first == '\'' {
            let (string, length) = string(rest, first)?;
            tokens.push(Token::Text(string));
            length
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            sign.len()
        } else {
            return Err(TemplateError(format!("`{first}` is not understood")));
        };
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// A constant text, and how many bytes it takes with its quotes.
fn string(text: &str, quote: char) -> Result<(String, usize), TemplateError> {
    let mut string = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((string, at + 1)),
            '\\' => match characters.next() {
                Some((_, 'n')) => string.push('\n'),
                Some((_, 'r')) => string.push('\r'),
                Some((_, 't')) => string.push('\t'),
                Some((_, other @ ('\\' | '"' | '\''))) => string.push(other),
                _ => return Err(TemplateError("an escape is not understood".to_owned())),
            },
            _ => string.push(character),
        }
    }
    Err(TemplateError("a string does not end".to_owned()))
}

struct Parser {
    /// Backwards.
    rest: Vec<Token>,
    depth: usize,
}

impl Parser {
    fn take_sign(&mut self, sign: &str) -> bool {
        let is_there = matches!(self.rest.last(), Some(Token::Sign(next)) if *next == sign);
        if is_there {
            self.rest.pop();
        }
        is_there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_there = matches!(self.rest.last(), Some(Token::Name(next)) if next == word);
        if is_there {
            self.rest.pop();
        }
        is_there
    }

    fn expect(&mut self, sign: &str) -> Result<(), TemplateError> {
        if self.take_sign(sign) {
            return Ok(());
        }
        let found = self.rest.last().map_or_else(|| "the end".to_owned(), Token::shown);
        Err(TemplateError(format!("`{sign}` is expected instead of {found}")))
    }

    fn name(&mut self) -> Result<String, TemplateError> {
        match self.rest.pop() {
            Some(Token::Name(name)) => Ok(name),
            Some(token) => Err(TemplateError(format!("a name is expected instead of {}", token.shown()))),
            None => Err(TemplateError("a name is expected instead of the end".to_owned())),
        }
    }

    fn or(&mut self) -> Result<Expression, TemplateError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TemplateError("there are too many parentheses".to_owned()));
        }
        let mut one = self.and()?;
        while self.take_word("or") {
            one = Expression::Or(Box::new(one), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(one)
    }

    fn and(&mut self) -> Result<Expression, TemplateError> {
        let mut one = self.equality()?;
        while self.take_word("and") {
            one = Expression::And(Box::new(one), Box::new(self.equality()?));
        }
        Ok(one)
    }

    fn equality(&mut self) -> Result<Expression, TemplateError> {
        let mut one = self.concatenation()?;
        loop {
            let equal = if self.take_sign("==") {
                true
            } else if self.take_sign("~=") {
                false
            } else {
                return Ok(one);
            };
            one = Expression::Equality(Box::new(one), Box::new(self.concatenation()?), equal);
        }
    }

    fn concatenation(&mut self) -> Result<Expression, TemplateError> {
        let mut one = self.unary()?;
        while self.take_sign("..") {
            one = Expression::Concatenation(Box::new(one), Box::new(self.unary()?));
        }
        Ok(one)
    }

    fn unary(&mut self) -> Result<Expression, TemplateError> {
        let mut negations = 0_u32;
        while self.take_word("not") {
            negations += 1;
        }
        let mut one = self.postfix()?;
        for _ in 0..negations {
            one = Expression::Not(Box::new(one));
        }
        Ok(one)
    }

    fn postfix(&mut self) -> Result<Expression, TemplateError> {
        let mut one = self.primary()?;
        while self.take_sign(":") {
            let name = self.name()?;
            let function = Function::named(&name).filter(|function| function.is_method());
            let function =
                function.ok_or_else(|| TemplateError(format!("the method `{name}` is not known")))?;
            self.expect("(")?;
            let mut arguments = vec![one];
            self.arguments(&mut arguments)?;
            one = Expression::Call(function, arguments);
        }
        Ok(one)
    }

    /// What stands in parentheses behind a function, with the closing one.
    fn arguments(&mut self, arguments: &mut Vec<Expression>) -> Result<(), TemplateError> {
        if self.take_sign(")") {
            return Ok(());
        }
        loop {
            arguments.push(self.or()?);
            if !self.take_sign(",") {
                return self.expect(")");
            }
        }
    }

    fn primary(&mut self) -> Result<Expression, TemplateError> {
        match self.rest.pop() {
            Some(Token::Text(text)) => Ok(Expression::Constant(Value::Text(text))),
            Some(Token::Number(number)) => Ok(Expression::Constant(Value::Number(number))),
            Some(Token::Sign("-")) => match self.rest.pop() {
                Some(Token::Number(number)) => Ok(Expression::Constant(Value::Number(-number))),
                _ => Err(TemplateError("`-` stands before numbers only".to_owned())),
            },
            Some(Token::Sign("(")) => {
                let inner = self.or()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Name(name)) => self.named(&name),
            Some(token) => Err(TemplateError(format!("{} is not expected here", token.shown()))),
            None => Err(TemplateError("an expression is missing".to_owned())),
        }
    }

    fn named(&mut self, name: &str) -> Result<Expression, TemplateError> {
        let table = match name {
            "nil" => return Ok(Expression::Constant(Value::Nil)),
            "true" => return Ok(Expression::Constant(Value::Boolean(true))),
            "false" => return Ok(Expression::Constant(Value::Boolean(false))),
            "headers" => Table::Headers,
            "query_params" => Table::QueryParams,
            "uri_captures" => Table::UriCaptures,
            "shared" => Table::Shared,
            "string" => {
                self.expect(".")?;
                let name = self.name()?;
                return self.call(Function::named(&name).filter(|function| function.is_method()), &name);
            }
            word if RESERVED.contains(&word) => {
                return Err(TemplateError(format!("`{word}` is not expected here")));
            }
            _ => {
                return match Function::named(name).filter(|function| !function.is_method()) {
                    Some(function) => self.call(Some(function), name),
                    None => self.unknown(name),
                };
            }
        };
        if self.take_sign(".") {
            let key = Value::Text(self.name()?);
            return Ok(Expression::Member(table, Box::new(Expression::Constant(key))));
        }
        self.expect("[")?;
        let key = self.or()?;
        self.expect("]")?;
        Ok(Expression::Member(table, Box::new(key)))
    }

    /// A name that stands for nothing, and what is asked of it.
    fn unknown(&mut self, name: &str) -> Result<Expression, TemplateError> {
        let mut is_asked = false;
        loop {
            if self.take_sign(".") {
                self.name()?;
            } else if self.take_sign("[") {
                self.or()?;
                self.expect("]")?;
            } else if self.take_sign("(") {
                self.arguments(&mut Vec::new())?;
            } else if is_asked {
                return Ok(Expression::Unknown(name.to_owned()));
            } else {
                return Ok(Expression::Constant(Value::Nil));
            }
            is_asked = true;
        }
    }

    fn call(&mut self, function: Option<Function>, name: &str) -> Result<Expression, TemplateError> {
        let function = function.ok_or_else(|| TemplateError(format!("`{name}` is not known")))?;
        self.expect("(")?;
        let mut arguments = Vec::new();
        self.arguments(&mut arguments)?;
        Ok(Expression::Call(function, arguments))
    }
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "len" => Self::Len,
            "sub" => Self::Sub,
            "tostring" => Self::Tostring,
            "tonumber" => Self::Tonumber,
            _ => return None,
        })
    }

    /// Whether it is one of the functions of texts.
    fn is_method(self) -> bool {
        matches!(self, Self::Lower | Self::Upper | Self::Len | Self::Sub)
    }
}

/// The longer before those that they begin with.
const SIGNS: [&str; 11] = ["==", "~=", "..", "(", ")", "[", "]", ".", ":", ",", "-"];
/// Words of Lua that are no names, but for those that have a meaning here.
const RESERVED: [&str; 16] = [
    "break", "do", "else", "elseif", "end", "for", "function", "goto", "if", "in", "local", "repeat",
    "return", "then", "until", "while",
];
const DEEPEST: usize = 32;
