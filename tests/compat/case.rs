//! The recorded cases, as their files have them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::document::Document;

/// Some requests, and how Kong 3.9.3 answered them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    #[serde(default)]
    pub mode: Mode,
    /// What is configured before the first step, in the declarative format. Not with a database.
    pub config: Option<String>,
    /// A [`Step`] each, with words in double braces for what is only known when it is played.
    pub steps: Vec<Document>,
    /// One for each step.
    pub answers: Vec<Value>,
    /// The file that it stands in, without its extension.
    #[serde(skip)]
    pub file: String,
}

/// What kind of gateway a case is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// With a database.
    #[default]
    Db,
    /// Without one.
    Dbless,
    /// Without one, with the router's flavour `expressions`.
    Expressions,
}

/// One request of a case, and what of its answer counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub to: Listener,
    #[serde(default = "get")]
    pub method: String,
    pub path: Option<String>,
    /// A text or a list of texts each.
    pub headers: Option<Document>,
    pub json: Option<Document>,
    pub form: Option<String>,
    pub text: Option<String>,
    /// The server name of the TLS handshake.
    pub sni: Option<String>,
    /// All that is sent, instead of method, path, headers and body.
    pub raw: Option<String>,
    /// What later steps use of the answer: a word, and the place of its value.
    #[serde(default)]
    pub save: BTreeMap<String, String>,
    /// How often it is sent; the answer is then a list.
    pub repeat: Option<usize>,
    /// What came before needs time to take effect.
    #[serde(default)]
    pub settle: bool,
    /// Seconds to wait before.
    pub sleep: Option<f64>,

    /// Lists of the body are sets.
    #[serde(default)]
    pub unordered: bool,
    /// These parts alone: `status`, `headers`, `body`.
    pub only: Option<Vec<String>>,
    /// These members of a JSON body alone; a dot leads deeper.
    pub body_keys: Option<Vec<String>>,
    /// Texts under these keys are random, so only their length counts.
    #[serde(default)]
    pub mask_keys: Vec<String>,
    /// Members of the body that do not count, at any depth: `key`, or `key=value` for that value alone.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Ids and digests are the same each time.
    #[serde(default)]
    pub raw_ids: bool,
    /// Of the headers that the upstream received, those that match these.
    pub sees: Option<Vec<String>>,
    /// Response headers that count beside the usual ones.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The body is text, even if it looks like JSON.
    #[serde(default)]
    pub as_text: bool,
    /// The lines of long texts may come in any order.
    #[serde(default)]
    pub lines_as_set: bool,
    /// Of a body that is text, the matches of this pattern, sorted.
    pub find: Option<String>,
    /// Matches of these patterns do not count.
    #[serde(default)]
    pub mask: Vec<String>,
    /// With `repeat`: how often each value came.
    pub tally: Option<String>,
    /// With `repeat`: how many values came.
    pub distinct: Option<String>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listener {
    Admin,
    Proxy,
    Tls,
}

impl Case {
    /// All cases, in the order of their files.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/compat/cases");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let mut cases = Vec::new();
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            let of_file: Vec<Self> =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = path.file_stem().unwrap().to_string_lossy().into_owned();
            cases.extend(of_file.into_iter().map(|case| Self { file: file.clone(), ..case }));
        }
        cases
    }

    /// Whether something of it goes through the proxy.
    pub fn uses_proxy(&self) -> bool {
        self.steps.iter().any(|step| step.member("to").and_then(Document::text) != Some("admin"))
    }
}

fn get() -> String {
    "GET".to_owned()
}
