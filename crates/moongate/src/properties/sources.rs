//! A file, the environment and the command line.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::error::{Place, PropertyProblem};
use super::lines::line_of;
use super::spellings::Spelling;
use super::suggest;
use super::table::{Properties, Property, TABLE};
use super::value::Wrong;

/// Where properties are read from, the later counting more.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that must be there; without it, the first of [`Sources::search`] that is.
    pub file: Option<PathBuf>,
    /// Files to look for.
    pub search: Vec<PathBuf>,
    /// Environment variables; those with another prefix than `MOONGATE_` are not looked at.
    pub environment: Vec<(String, String)>,
    /// `name=value`, in order.
    pub settings: Vec<String>,
}

/// Properties, and where they are from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The properties.
    pub properties: Properties,
    /// The file, if there was one.
    pub file: Option<PathBuf>,
}

impl Sources {
    /// The sources of this process, besides its command line.
    pub fn of_process() -> Self {
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        });
        Self {
            file: None,
            search: SEARCH.map(PathBuf::from).to_vec(),
            environment: environment.collect(),
            settings: Vec::new(),
        }
    }

    /// Reads everything that can be read, and says what cannot.
    pub(super) fn read(&self) -> (Loaded, Vec<PropertyProblem>) {
        let mut reading = Reading::default();
        let file = self.file.clone().or_else(|| self.search.iter().find(|path| path.is_file()).cloned());
        if let Some(path) = &file {
            reading.file(path);
        }
        reading.given.clear();
        for (name, value) in &self.environment {
            reading.variable(name, value);
        }
        reading.given.clear();
        for text in &self.settings {
            reading.setting(text);
        }
        (Loaded { properties: reading.properties, file }, reading.problems)
    }
}

#[derive(Default)]
struct Reading {
    properties: Properties,
    problems: Vec<PropertyProblem>,
    /// The properties that the source at hand has given so far, and how it spells them.
    given: Vec<(&'static str, String)>,
}

impl Reading {
    fn file(&mut self, path: &Path) {
        let mut failed = |line, message: String| {
            let place = Place::File { path: path.to_owned(), line };
            self.problems.push(PropertyProblem { place, property: None, message });
        };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return failed(None, format!("cannot be read: {error}")),
        };
        let map = match serde_yaml::from_str(&text) {
            Ok(Value::Mapping(map)) => map,
            Ok(Value::Null) => return,
            Ok(_) => return failed(None, "is no map of properties, such as `log_level: info`".to_owned()),
            Err(error) => {
                let line = error.location().map(|location| location.line());
                return failed(line, format!("is no valid YAML: {error}"));
            }
        };
        for (key, value) in map {
            let name = match key {
                Value::String(name) => name,
                key => serde_yaml::to_string(&key).unwrap_or_default().trim_end().to_owned(),
            };
            let place = |below: &[String]| {
                let steps = std::iter::once(name.as_str()).chain(below.iter().map(String::as_str));
                Place::File { path: path.to_owned(), line: line_of(&text, steps) }
            };
            self.property(&name, &name, &value, place);
        }
    }

    fn variable(&mut self, variable: &str, text: &str) {
        let Some(name) = variable.strip_prefix(VARIABLE_PREFIX) else { return };
        if is_service_link(name, text) {
            return;
        }
        let place = |_: &[String]| Place::Variable { name: variable.to_owned() };
        self.text(&name.to_ascii_lowercase(), variable, text, place);
    }

    fn setting(&mut self, argument: &str) {
        let place = |_: &[String]| Place::Argument { text: argument.to_owned() };
        match argument.split_once('=') {
            Some((name, text)) => self.text(name.trim(), name.trim(), text, place),
            None => self.problems.push(PropertyProblem {
                place: place(&[]),
                property: Some(argument.to_owned()),
                message: "has no value; write name=value, such as log_level=debug".to_owned(),
            }),
        }
    }

    /// A property from a text, in which a list or a map is in YAML's flow style.
    fn text(&mut self, name: &str, written: &str, text: &str, place: impl Fn(&[String]) -> Place) {
        let trimmed = text.trim();
        // `[::1]:8000` is an address and no list.
        let flow = trimmed.starts_with('{') || (trimmed.starts_with('[') && trimmed.ends_with(']'));
        let value = if flow { serde_yaml::from_str(trimmed) } else { Ok(Value::String(text.to_owned())) };
        match value {
            Ok(value) => self.property(name, written, &value, place),
            Err(error) => self.problems.push(PropertyProblem {
                place: place(&[]),
                property: Some(name.to_owned()),
                message: format!("is no valid YAML: {error}"),
            }),
        }
    }

    fn property(&mut self, name: &str, written: &str, value: &Value, place: impl Fn(&[String]) -> Place) {
        let problem = |wrong: Wrong| PropertyProblem {
            place: place(&wrong.at),
            property: Some(name.to_owned()),
            message: wrong.message,
        };
        let property = TABLE.iter().find(|property| property.name == name);
        let spelling = Spelling::find(name);
        let meant = match (property, spelling) {
            (Some(property), _) => std::slice::from_ref(&property.name),
            (None, Some(spelling)) => spelling.of,
            (None, None) => {
                let message = format!("`{written}` is no property{}", hint(name, written));
                self.problems.push(problem(Wrong { at: Vec::new(), message }));
                return;
            }
        };
        let other = |(known, spelt): &&(&str, String)| meant.contains(known) && spelt != written;
        if let Some((_, other)) = self.given.iter().find(other) {
            let message = format!("`{written}` and `{other}` say the same; keep one of them");
            self.problems.push(problem(Wrong { at: Vec::new(), message }));
            return;
        }
        self.given.extend(meant.iter().map(|property| (*property, written.to_owned())));
        let read = match (property, spelling) {
            (Some(property), _) => (property.read)(&mut self.properties, value),
            (None, Some(spelling)) => spelling.read(&mut self.properties, value),
            (None, None) => Ok(()),
        };
        if let Err(wrong) = read {
            self.problems.extend(wrong.into_iter().map(|wrong| {
                let mut whole = vec![name];
                whole.extend(wrong.at.iter().map(String::as_str));
                let message = format!("{} {}", whole.join("."), wrong.message);
                problem(Wrong { message, ..wrong })
            }));
        }
    }
}

/// What the author of an unknown name may have meant.
fn hint(name: &str, written: &str) -> String {
    let names = TABLE.iter().map(|property: &Property| property.name);
    let meant = suggest::renamed(name).or_else(|| suggest::closest(name, names));
    match meant {
        Some(meant) if written.starts_with(VARIABLE_PREFIX) => {
            format!("; did you mean `{VARIABLE_PREFIX}{}`?", meant.to_ascii_uppercase())
        }
        Some(meant) => format!("; did you mean `{meant}`?"),
        None if DECLARATIVE.contains(&name) => {
            "; this file looks like a declarative configuration, which the property `declarative_config` names".into()
        }
        None => "; `moongate start --help` lists them all".into(),
    }
}

/// Whether a variable was set by Kubernetes for a service that is called moongate, or begins so.
///
/// Every pod gets some for each service of its namespace. They configure nothing, and refusing them would keep
/// a gateway from starting that stands behind a service of its own name.
fn is_service_link(name: &str, value: &str) -> bool {
    let words = format!("_{name}_");
    let of_port = |rest: &str| {
        let protocol = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        protocol.starts_with("_TCP_") || protocol.starts_with("_UDP_")
    };
    words.contains("_SERVICE_HOST_")
        || words.contains("_SERVICE_PORT_")
        || (words.ends_with("_PORT_") && value.contains("://"))
        || words.split("_PORT_").skip(1).any(of_port)
}

const VARIABLE_PREFIX: &str = "MOONGATE_";

const SEARCH: [&str; 3] = ["moongate.yaml", "config/moongate.yaml", "/etc/moongate/moongate.yaml"];

/// Keys that only a declarative configuration has.
const DECLARATIVE: [&str; 5] = ["_format_version", "services", "routes", "consumers", "upstreams"];
