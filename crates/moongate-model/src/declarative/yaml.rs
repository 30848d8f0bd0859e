//! From YAML to a value, with plain scalars read as configuration files of gateways have always read them.
//!
//! That is YAML 1.1: `yes` and `on` are true, `010` is eight. The YAML libraries for serde read 1.2 and do not tell
//! a plain scalar from a quoted one, so values are built here from the parser's events. The first document of a
//! stream counts; of two values with the same key the later one does.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};
use serde_json::{Map, Number, Value};

/// Why a text is no YAML.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct YamlError {
    pub(super) reason: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// Counted from 1.
    pub(super) column: usize,
}

/// Reads the first document of `text`; an empty text is null.
pub(super) fn read(text: &str) -> Result<Value, YamlError> {
    let mut loader = Loader { tabs: Tabs::of(text), ..Loader::default() };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| YamlError::from(&error))?;
        if let Event::DocumentEnd = event {
            break;
        }
        loader.check_indent(&event, span.start)?;
        loader.take(event, span.start)?;
    }
    Ok(loader.root)
}

/// Whether a plain scalar with this text could be read as something else than a text, here or elsewhere.
pub(super) fn has_type(text: &str) -> bool {
    // Some readers take digits with colons for a time.
    let is_time =
        text.contains(':') && text.bytes().all(|byte| byte.is_ascii_digit() || b":+-._".contains(&byte));
    is_time || plain(text).is_some()
}

#[derive(Default)]
struct Loader<'t> {
    tabs: Tabs<'t>,
    root: Value,
    open: Vec<Collection>,
    anchors: HashMap<usize, Anchored>,
    /// How many values aliases stand for so far.
    copied: usize,
}

/// The lines of a text, if some of them are indented with tabs.
///
/// The parser lets tabs pass where YAML has none, and the next editor shows another nesting than was read.
#[derive(Default)]
struct Tabs<'t>(Vec<&'t str>);

/// A list or mapping whose end has not been seen.
struct Collection {
    anchor: usize,
    /// Whether it stands between brackets, where indentation means nothing.
    is_flow: bool,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// Mappings that give the keys which are not there otherwise.
        merged: Vec<Map<String, Value>>,
    },
}

enum Key {
    Name(String),
    Merge,
}

struct Anchored {
    value: Value,
    size: usize,
}

impl<'t> Tabs<'t> {
    fn of(text: &'t str) -> Self {
        let indented = text.starts_with('\t') || text.contains("\n\t") || text.contains(" \t");
        Self(if indented { text.lines().collect() } else { Vec::new() })
    }

    fn before(&self, at: Marker) -> Option<&'t str> {
        let line = self.0.get(at.line().checked_sub(1)?)?;
        let (end, _) = line.char_indices().nth(at.col())?;
        line.get(..end)
    }

    fn char_at(&self, at: Marker) -> Option<char> {
        self.0.get(at.line().checked_sub(1)?)?.chars().nth(at.col())
    }
}

impl Loader<'_> {
    /// Refuses what stands behind a tab at the beginning of its line.
    fn check_indent(&self, event: &Event<'_>, at: Marker) -> Result<(), YamlError> {
        let is_flow = self.open.last().is_some_and(|collection| collection.is_flow);
        let starts = matches!(
            event,
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_)
        );
        let indent = self.tabs.before(at).filter(|_| starts && !is_flow);
        if indent.is_some_and(|indent| indent.contains('\t') && indent.trim().is_empty()) {
            return Err(YamlError::new(at, "found a tab where only spaces can indent"));
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, at: Marker) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    let is_merge = style == ScalarStyle::Plain && text == "<<";
                    return self
                        .key(if is_merge { Key::Merge } else { Key::Name(text.into_owned()) }, anchor);
                }
                let value = scalar(text, style, tag.as_deref());
                self.anchored(anchor, &value);
                self.value(value, at)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Content::List(Vec::new()), at),
            Event::MappingStart(anchor, _) => {
                self.open(anchor, Content::Mapping { members: Map::new(), key: None, merged: Vec::new() }, at)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Collection { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn key(&mut self, next: Key, anchor: usize) -> Result<(), YamlError> {
        if let Key::Name(name) = &next {
            let value = Value::String(name.clone());
            self.anchored(anchor, &value);
        }
        if let Some(Collection { content: Content::Mapping { key, .. }, .. }) = self.open.last_mut() {
            *key = Some(next);
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, content: Content, at: Marker) -> Result<(), YamlError> {
        if self.wants_key() {
            return Err(YamlError::new(at, "a key must be a text, a list or mapping was found"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(YamlError::new(at, "lists and mappings are nested too deeply"));
        }
        let is_flow = self.open.last().is_some_and(|collection| collection.is_flow)
            || matches!(self.tabs.char_at(at), Some('[' | '{'));
        self.open.push(Collection { anchor, is_flow, content });
        Ok(())
    }

    fn close(&mut self, at: Marker) -> Result<(), YamlError> {
        let Some(Collection { anchor, content, .. }) = self.open.pop() else { return Ok(()) };
        let value = match content {
            Content::List(items) => Value::Array(items),
            Content::Mapping { mut members, merged, .. } => {
                for (key, value) in merged.into_iter().flatten() {
                    members.entry(key).or_insert(value);
                }
                Value::Object(members)
            }
        };
        self.anchored(anchor, &value);
        self.value(value, at)
    }

    fn alias(&mut self, anchor: usize, at: Marker) -> Result<(), YamlError> {
        let Some(Anchored { value, size }) = self.anchors.get(&anchor) else {
            return Err(YamlError::new(at, "an alias stands inside of what it stands for"));
        };
        self.copied += size;
        if self.copied > MAX_COPIED {
            return Err(YamlError::new(at, "aliases stand for too many values"));
        }
        let value = value.clone();
        match value {
            Value::String(text) if self.wants_key() => self.key(Key::Name(text), 0),
            _ if self.wants_key() => Err(YamlError::new(at, "a key must be a text")),
            value => self.value(value, at),
        }
    }

    fn anchored(&mut self, anchor: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.insert(anchor, Anchored { value: value.clone(), size: size(value) });
        }
    }

    /// Puts a value where one is awaited.
    fn value(&mut self, value: Value, at: Marker) -> Result<(), YamlError> {
        match self.open.last_mut().map(|collection| &mut collection.content) {
            None => self.root = value,
            Some(Content::List(items)) => items.push(value),
            Some(Content::Mapping { members, key, merged }) => match (key.take(), value) {
                (Some(Key::Name(name)), value) => {
                    members.insert(name, value);
                }
                (Some(Key::Merge), Value::Object(mapping)) => merged.push(mapping),
                (Some(Key::Merge), Value::Array(mappings)) => {
                    for mapping in mappings {
                        match mapping {
                            Value::Object(mapping) => merged.push(mapping),
                            _ => return Err(YamlError::new(at, MERGE)),
                        }
                    }
                }
                (Some(Key::Merge), _) => return Err(YamlError::new(at, MERGE)),
                (None, _) => return Err(YamlError::new(at, "a value without a key")),
            },
        }
        Ok(())
    }
}

impl YamlError {
    fn new(at: Marker, reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), line: at.line(), column: at.col() + 1 }
    }
}

impl From<&ScanError> for YamlError {
    fn from(error: &ScanError) -> Self {
        Self::new(*error.marker(), error.info())
    }
}

fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    match tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str()) {
        Some("str") => Value::String(text.into_owned()),
        None if style != ScalarStyle::Plain => Value::String(text.into_owned()),
        _ => plain(&text).unwrap_or_else(|| Value::String(text.into_owned())),
    }
}

/// What a plain scalar means, unless it is a text.
fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Value::Null),
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Some(Value::Bool(true));
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Some(Value::Bool(false));
        }
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    integer(text).or_else(|| float(text))
}

fn integer(text: &str) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let (radix, digits) = if let Some(digits) = digits.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = digits.strip_prefix("0b") {
        (2, digits)
    } else if digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'7'))
    {
        (8, digits.as_str())
    } else {
        (10, digits.as_str())
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let amount = u64::from_str_radix(digits, radix).ok()?;
    if !negative {
        return Some(Value::from(amount));
    }
    0i64.checked_sub_unsigned(amount).map(Value::from)
}

fn float(text: &str) -> Option<Value> {
    let is_float = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE_".contains(&byte));
    if !is_float || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Whole numbers that no integer holds are floats as well.
    Number::from_f64(text.replace('_', "").parse().ok()?).map(Value::Number)
}

const MERGE: &str = "`<<` stands for a mapping or a list of mappings";

/// As deep as JSON may be nested.
const MAX_DEPTH: usize = 128;

/// Enough for any configuration, and small enough for a text that is made of aliases of aliases.
const MAX_COPIED: usize = 2_000_000;

#[cfg(test)]
mod tests;
