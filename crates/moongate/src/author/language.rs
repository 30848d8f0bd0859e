//! The languages that plugins are written in.

use clap::ValueEnum;

/// A language with a template and a way to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// With the crate moongate-sdk
    Rust,
    /// With componentize-js, on SpiderMonkey
    #[value(name = "js", alias = "javascript")]
    JavaScript,
    /// With componentize-py
    #[value(alias = "py")]
    Python,
    /// With wit-bindgen and zig
    C,
}

impl Language {
    /// For people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}
