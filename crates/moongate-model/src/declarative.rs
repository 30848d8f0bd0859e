//! The declarative format: a whole configuration in one file.
//!
//! A file is taken as a whole or not at all, and everything that is wrong with it is reported at once.
//! Reading happens in steps. First the document is taken apart into items, of which each gets its id; a reference
//! may therefore point forward. Then each item is completed and checked by its schema, and last it is seen whether
//! they fit together. Which collections there are, and what may be nested in what, follows from the catalog of
//! schemas alone.

mod check;
mod document;
mod draft;
mod emitter;
mod error;
mod export;
mod flatten;
mod generated;
mod lua;
mod migrate;
mod origin;
mod problems;
mod resolve;
mod yaml;

pub use error::{DeclarativeError, Refusal};
pub use export::export;
pub use flatten::Flattened;
pub use origin::Origin;
pub use problems::Problems;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use md5::{Digest, Md5};
use moongate_schema::{Catalog, Context, Object, Schema};
use serde_json::Value;
use uuid::Uuid;

use check::Checked;
use draft::{Draft, Drafts};

/// Rows by the name of their entity and their id.
pub type Rows = BTreeMap<String, BTreeMap<Uuid, Object>>;

/// How a configuration is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON if it is JSON, otherwise YAML.
    #[default]
    Auto,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The format of a file, by the end of its name: `.yaml`, `.yml` or `.json`.
    pub fn of_path(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A configuration that was read without a problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Everything that the file declares, complete, with references resolved and secrets transformed: what is to be
    /// stored. The `ttl` of a row is in seconds from now.
    pub rows: Rows,
    /// MD5 of the file's text in hex, or 32 zeros when it declares no entity.
    pub hash: String,
    /// Where the rows were declared.
    pub origin: Origin,
    /// The rows that are shown in another form than they are stored.
    shown: Rows,
}

impl Declaration {
    /// The hash of a configuration that declares nothing.
    pub const EMPTY_HASH: &'static str = "00000000000000000000000000000000";

    /// The rows as they were declared, before secrets were transformed: what the answer to a new configuration
    /// shows, by entity and id.
    pub fn declared(&self) -> Value {
        let collections =
            self.rows.iter().filter(|(entity, rows)| *entity != "workspaces" && !rows.is_empty());
        let collection = |(entity, rows): (&String, &BTreeMap<Uuid, Object>)| {
            let shown = self.shown.get(entity);
            let rows = rows.iter().map(|(id, row)| {
                let row = shown.and_then(|shown| shown.get(id)).unwrap_or(row);
                (id.to_string(), Value::Object(row.clone()))
            });
            (entity.clone(), Value::Object(rows.collect()))
        };
        Value::Object(collections.map(collection).collect())
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.values().map(BTreeMap::len).sum()
    }

    /// Whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.rows.values().all(BTreeMap::is_empty)
    }
}

impl Default for Declaration {
    /// A configuration that declares nothing.
    fn default() -> Self {
        Self {
            rows: Rows::new(),
            hash: Self::EMPTY_HASH.to_owned(),
            origin: Origin::default(),
            shown: Rows::new(),
        }
    }
}

/// Reads a declarative configuration.
///
/// Collections, fields and references are those of `catalog`. The time of `context` becomes the time at which the
/// entities were created, unless they have one; its randomness makes what no name can make. Formats `1.1` and `2.1`
/// are upgraded on the way.
///
/// # Errors
/// [`DeclarativeError::Syntax`] when the text cannot be read at all, otherwise [`DeclarativeError::Invalid`] or
/// [`DeclarativeError::Malformed`] with everything that is wrong with its content.
pub fn parse(
    text: &str,
    format: Format,
    catalog: &Catalog,
    context: &Context<'_>,
) -> Result<Declaration, DeclarativeError> {
    let document = document::read(text, format)?;
    read(document, true, catalog, context).map(|declaration| declaration.with_hash_of(text))
}

/// Reads a declarative configuration that is an object already, and not the text of one.
///
/// # Errors
/// As [`parse`].
pub fn parse_document(
    document: Object,
    catalog: &Catalog,
    context: &Context<'_>,
) -> Result<Declaration, DeclarativeError> {
    let mut document = Value::Object(document);
    document::whole_numbers(&mut document);
    let Value::Object(document) = document else { return Err(DeclarativeError::list()) };
    let declaration = read(document, false, catalog, context)?;
    let text = declaration.declared().to_string();
    Ok(declaration.with_hash_of(&text))
}

/// MD5 of `text` in hex, the hash of the configuration that it is the text of.
pub fn hash(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn read(
    mut document: Object,
    is_text: bool,
    catalog: &Catalog,
    context: &Context<'_>,
) -> Result<Declaration, DeclarativeError> {
    migrate::upgrade(&mut document);
    let mut drafts = Drafts::of(&document, catalog, context);
    frame(&document, catalog, &mut drafts.problems);
    let transforms = document.get("_transform") != Some(&Value::Bool(false));
    let refuse = |document, problems, is_malformed| {
        let refusal = Box::new(Refusal { problems, document, without_empty_lists: is_text });
        if is_malformed { DeclarativeError::Malformed(refusal) } else { DeclarativeError::Invalid(refusal) }
    };
    let checked = match check::check(&mut drafts, context) {
        Ok(checked) => checked,
        Err(rejected) => return Err(refuse(document, rejected.problems, rejected.is_malformed)),
    };
    if let Err(conflicts) = resolve::resolve(&drafts, &checked) {
        identify(&mut document, &drafts);
        return Err(refuse(document, conflicts.problems, conflicts.is_malformed));
    }
    match collect(&drafts, checked, transforms) {
        Ok(mut declaration) => {
            identify(&mut document, &drafts);
            declaration.origin = Origin::new(document, &drafts, is_text);
            Ok(declaration)
        }
        Err(problems) => Err(refuse(document, problems, false)),
    }
}

/// Checks what stands around the collections.
fn frame(document: &Object, catalog: &Catalog, problems: &mut Problems) {
    let version = match document.get("_format_version") {
        None | Some(Value::Null) => Some("required field missing"),
        Some(Value::String(version)) if VERSIONS.contains(&version.as_str()) => None,
        Some(Value::String(version)) if version.is_empty() => Some("length must be at least 1"),
        Some(Value::String(_)) => Some("expected one of: 1.1, 2.1, 3.0"),
        Some(_) => Some("expected a string"),
    };
    if let Some(problem) = version {
        problems.add(&["_format_version".into()], problem.into());
    }
    for (key, value) in document {
        let problem = match key.as_str() {
            "_format_version" => None,
            "_transform" => {
                (!matches!(value, Value::Bool(_) | Value::Null)).then(|| "expected a boolean".into())
            }
            "_comment" => draft::comment_problem(value),
            "_ignore" => draft::ignored_problem(value),
            name if draft::is_declarable(name) && catalog.entity(name).is_some() => None,
            _ => Some("unknown field".into()),
        };
        if let Some(problem) = problem {
            problems.add(&[key.as_str().into()], problem);
        }
    }
}

/// Puts the ids that follow from other fields into the document, for those who look up what is wrong in it.
fn identify(document: &mut Object, drafts: &Drafts<'_>) {
    for draft in drafts.items.iter().filter(|draft| draft.origin == draft::Origin::Derived) {
        let Some(item) = item(document, drafts, draft) else { continue };
        item.retain(|_, value| !value.is_null());
        item.extend(draft.id.map(|id| ("id".to_owned(), Value::String(id.to_string()))));
    }
}

/// The place of an item in the document.
fn item<'d>(document: &'d mut Object, drafts: &Drafts<'_>, draft: &Draft<'_>) -> Option<&'d mut Object> {
    let around = match drafts.parent(draft) {
        Some(parent) => item(document, drafts, parent)?,
        None => document,
    };
    around.get_mut(draft.schema.name())?.get_mut(draft.place.checked_sub(1)?)?.as_object_mut()
}

/// Makes what is stored of what was checked.
fn collect(drafts: &Drafts<'_>, checked: Checked, transforms: bool) -> Result<Declaration, Problems> {
    let mut declaration = Declaration::default();
    let mut problems = Problems::default();
    let lists = field_lists(drafts, &checked.rows);
    for ((at, draft), row) in drafts.items.iter().enumerate().zip(checked.rows) {
        let Some(id) = draft.id else { continue };
        let mut stored = row.clone();
        if transforms && let Err(reason) = draft.schema.transform(&mut stored, &row) {
            problems.add(&drafts.location(draft), problems::Node::Text(reason));
        }
        stored.retain(|name, _| !is_transient(draft.schema, name));
        let mut shown = row;
        for (collection, list) in lists.get(&at).into_iter().flatten() {
            shown.insert((*collection).to_owned(), Value::Array(list.clone()));
        }
        let entity = draft.schema.name();
        if shown != stored {
            declaration.shown.entry(entity.to_owned()).or_default().insert(id, shown);
        }
        declaration.rows.entry(entity.to_owned()).or_default().insert(id, stored);
    }
    if problems.is_empty() { Ok(declaration) } else { Err(problems) }
}

/// The items that stand in fields that their parents have themselves, by parent and field.
fn field_lists<'c>(drafts: &Drafts<'c>, rows: &[Object]) -> BTreeMap<usize, BTreeMap<&'c str, Vec<Value>>> {
    let mut lists: BTreeMap<usize, BTreeMap<&'c str, Vec<Value>>> = BTreeMap::new();
    for (draft, row) in drafts.items.iter().zip(rows) {
        if let (Some((at, _)), Some(parent)) = (draft.parent, drafts.parent(draft))
            && draft.stands_in_field_of(parent)
        {
            let mut shown = row.clone();
            shown.insert("_comment".to_owned(), draft.comment.clone());
            shown.insert("_ignore".to_owned(), draft.ignored.clone());
            lists.entry(at).or_default().entry(draft.schema.name()).or_default().push(Value::Object(shown));
        }
    }
    lists
}

fn is_transient(schema: &Schema, field: &str) -> bool {
    schema.field_named(field).is_some_and(|field| field.transient)
}

impl Declaration {
    fn with_hash_of(self, text: &str) -> Self {
        let hash = if self.is_empty() { Self::EMPTY_HASH.to_owned() } else { hash(text) };
        Self { hash, ..self }
    }
}

const VERSIONS: [&str; 3] = ["1.1", "2.1", "3.0"];

#[cfg(test)]
mod tests;
