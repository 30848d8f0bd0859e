//! Readers of single values.
//!
//! A value comes typed from a file, or as text from the environment and the command line; every reader takes
//! both, so that a property means the same wherever it is written.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value as Json, json};
use serde_yaml::Value;

use super::suggest;

/// What a reader makes of a value.
pub(super) type Read<T> = Result<T, Vec<Wrong>>;

/// One thing that is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where below the property, from the outside to the inside.
    pub(super) at: Vec<String>,
    /// What is wrong, and what would be right.
    pub(super) message: String,
}

impl Wrong {
    /// Puts the place below `key`.
    pub(super) fn below(mut self, key: &str) -> Self {
        self.at.insert(0, key.to_owned());
        self
    }
}

/// A single wrong thing, as a reader returns it.
pub(super) fn wrong<T>(message: impl Into<String>) -> Read<T> {
    Err(vec![Wrong { at: Vec::new(), message: message.into() }])
}

/// The text of a value that is no list and no map.
pub(super) fn text(value: &Value) -> Read<String> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => wrong("has no value; give it one, or remove the line for the default"),
        Value::Sequence(_) => wrong("is a list, one value is expected"),
        Value::Mapping(_) => wrong("is a map, one value is expected"),
        Value::Tagged(tagged) => text(&tagged.value),
    }
}

/// The items of a list, which a text separates by commas.
pub(super) fn items(value: &Value) -> Read<Vec<String>> {
    match value {
        Value::Sequence(items) => each(items, text),
        Value::Mapping(_) => wrong("is a map, a list is expected"),
        value => {
            let text = text(value)?;
            Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
        }
    }
}

/// Reads every item and tells everything that is wrong with any of them.
pub(super) fn each<I, T>(items: &[I], read: impl Fn(&I) -> Read<T>) -> Read<Vec<T>> {
    let mut values = Vec::with_capacity(items.len());
    let mut problems = Vec::new();
    for item in items {
        match read(item) {
            Ok(value) => values.push(value),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(problems) }
}

/// One of `choices`, by name.
pub(super) fn choice<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Read<T> {
    let text = text(value)?;
    if let Some((_, choice)) = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&text)) {
        return Ok(*choice);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let hint = suggest::closest(&text, names.iter().copied())
        .map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    wrong(format!("`{text}` is none of {}{hint}", names.join(", ")))
}

/// A whole number from `least` to `most`.
pub(super) fn count(value: &Value, least: usize, most: usize) -> Read<usize> {
    let text = text(value)?;
    text.parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .map_or_else(|| wrong(format!("`{text}` is no whole number from {least} to {most}")), Ok)
}

/// Seconds, with or without decimals; more than none.
pub(super) fn seconds(value: &Value) -> Read<Duration> {
    let text = text(value)?;
    parse_seconds(&text)
        .filter(|duration| !duration.is_zero())
        .map_or_else(|| wrong(format!("`{text}` is no number of seconds, such as 60 or 0.5")), Ok)
}

/// Seconds as [`seconds`] reads them, or zero.
pub(super) fn seconds_or_zero(value: &Value) -> Read<Duration> {
    let text = text(value)?;
    parse_seconds(&text)
        .map_or_else(|| wrong(format!("`{text}` is no number of seconds, such as 30, 0.5 or 0")), Ok)
}

/// Whole milliseconds, more than none.
pub(super) fn milliseconds(value: &Value) -> Read<Duration> {
    let text = text(value)?;
    text.parse().ok().filter(|&number| number > 0 && Duration::from_millis(number) <= LONGEST).map_or_else(
        || wrong(format!("`{text}` is no whole number of milliseconds, such as 100")),
        |number| Ok(Duration::from_millis(number)),
    )
}

/// Bytes, from `least` to `most`; units are powers of 1024.
pub(super) fn size(value: &Value, least: usize, most: usize) -> Read<usize> {
    let text = text(value)?;
    let Some(bytes) = parse_size(&text) else {
        return wrong(format!("`{text}` is no size, such as 512KiB, 64MiB, 1GiB, or a number of bytes"));
    };
    if (least..=most).contains(&bytes) {
        return Ok(bytes);
    }
    wrong(format!("`{text}` is out of range, {} to {} are possible", show_size(least), show_size(most)))
}

/// A path; an empty text is none.
pub(super) fn optional_path(value: &Value) -> Read<Option<PathBuf>> {
    Ok(Some(text(value)?).filter(|text| !text.is_empty()).map(PathBuf::from))
}

/// A path.
pub(super) fn path(value: &Value) -> Read<PathBuf> {
    match optional_path(value)? {
        Some(path) => Ok(path),
        None => wrong("is empty, a path is expected"),
    }
}

/// A list of paths.
pub(super) fn paths(value: &Value) -> Read<Vec<PathBuf>> {
    Ok(items(value)?.into_iter().map(PathBuf::from).collect())
}

/// JSON of a duration: seconds, whole ones without decimals.
pub(super) fn show_seconds(duration: &Duration) -> Json {
    match duration.subsec_nanos() {
        0 => json!(duration.as_secs()),
        _ => json!(duration.as_secs_f64()),
    }
}

/// JSON of a list of things with a text form.
pub(super) fn show_list<T: Display>(items: &[T]) -> Json {
    items.iter().map(T::to_string).collect()
}

/// JSON of a path that may be missing.
pub(super) fn show_optional_path(path: &Option<PathBuf>) -> Json {
    path.as_deref().map_or(Json::Null, show_path)
}

/// JSON of a path.
pub(super) fn show_path(path: &Path) -> Json {
    json!(path.display().to_string())
}

/// JSON of several paths.
pub(super) fn show_paths(paths: &[PathBuf]) -> Json {
    paths.iter().map(|path| show_path(path)).collect()
}

/// JSON of what JSON has.
pub(super) fn show_number(number: &usize) -> Json {
    json!(number)
}

/// The name under which `value` is a choice.
pub(super) fn name_of<T: PartialEq>(value: &T, choices: &[(&'static str, T)]) -> &'static str {
    choices.iter().find(|(_, choice)| choice == value).map_or("", |(name, _)| name)
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| *duration <= LONGEST)
}

fn parse_size(text: &str) -> Option<usize> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let shift = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(1 << shift)
}

fn show_size(bytes: usize) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let whole = units.iter().find(|(shift, _)| bytes >> shift > 0 && bytes.trailing_zeros() >= *shift);
    whole.map_or_else(|| format!("{bytes} bytes"), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// A year: longer can only be a mistake.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
