//! The plugin's configuration.

use moongate_sdk::config;

/// What is changed, in this order: first what is removed, then what gets another name, another value, what is added
/// where it is missing, and what is added in any case.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Names.
    #[serde(default)]
    pub remove: Names,
    /// `old:new`
    #[serde(default)]
    pub rename: Names,
    /// `name:value`
    #[serde(default)]
    pub replace: Assignments,
    /// `name:value`
    #[serde(default)]
    pub add: Assignments,
    /// `name:value`
    #[serde(default)]
    pub append: Assignments,
}

/// Lists for the parts of a response.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Names {
    /// Of the members of the body.
    pub json: Vec<String>,
    /// Of the headers.
    pub headers: Vec<String>,
}

/// Lists of pairs for the parts of a response.
#[config]
#[derive(Debug, Clone, Default)]
#[serde(default)]
pub struct Assignments {
    /// Of the members of the body.
    pub json: Vec<String>,
    /// What the values of `json` are, place by place; texts otherwise.
    pub json_types: Vec<Type>,
    /// Of the headers.
    pub headers: Vec<String>,
}

/// What a value is.
#[config]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// True or false.
    Boolean,
    /// A number.
    Number,
    /// A text.
    String,
}
