//! What is wrong with properties, and where.

use std::fmt;
use std::path::PathBuf;

/// Everything that is wrong with the properties, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertiesError {
    /// At least one.
    pub problems: Vec<PropertyProblem>,
}

impl fmt::Display for PropertiesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let newline = if at == 0 { "" } else { "\n" };
            write!(f, "{newline}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for PropertiesError {}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyProblem {
    /// Where it is written.
    pub place: Place,
    /// The property, where it is about one, as it was written.
    pub property: Option<String>,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for PropertyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Where a property is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, where it is known.
        line: Option<usize>,
    },
    /// In the environment.
    Variable {
        /// Name of the variable.
        name: String,
    },
    /// On the command line.
    Argument {
        /// What stands behind `--set`.
        text: String,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Variable { name } => write!(f, "environment variable {name}"),
            Self::Argument { text } => write!(f, "--set {text}"),
        }
    }
}
