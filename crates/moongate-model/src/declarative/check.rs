//! Whether the items of a document are valid, each for itself.
//!
//! A document is looked at in two ways. In the first one, references at the top are texts and nested items have
//! none, as most files are written. Only a file that is not like that is looked at again, with every reference
//! replaced by what it refers to; it is refused if that finds something, and then with what the second look found.
//! Of the first look only those references are told that a nested item should not have. Both looks differ in
//! references alone, so the other fields are checked once.

use moongate_schema::{Context, Object, Operation};
use serde_json::{Value, json};
use uuid::Uuid;

use super::draft::{Draft, Drafts, parse_id};
use super::problems::{Branch, Node, Problems, Step, merge};

/// The items of a document, complete and valid.
pub(super) struct Checked {
    /// In the order of the drafts.
    pub(super) rows: Vec<Object>,
    /// What the items refer to.
    pub(super) references: Vec<Reference>,
}

/// A reference as it is written.
pub(super) struct Reference {
    /// Which item has it.
    pub(super) item: usize,
    pub(super) field: String,
    /// The collection that it refers to.
    pub(super) collection: String,
    pub(super) written: Value,
    /// What it refers to, if that is declared.
    pub(super) found: Option<Uuid>,
}

/// Why items are not valid.
pub(super) struct Rejected {
    pub(super) problems: Problems,
    /// Whether something has a shape that little can be said of.
    pub(super) is_malformed: bool,
}

/// Completes and checks the items.
pub(super) fn check(drafts: &mut Drafts<'_>, context: &Context<'_>) -> Result<Checked, Rejected> {
    let mut checker = Checker { context, references: Vec::new(), is_malformed: drafts.is_malformed };
    let mut first = Problems::default();
    let mut second = Problems::default();
    let mut rows = Vec::with_capacity(drafts.items.len());
    for at in 0..drafts.items.len() {
        let Some(fields) = drafts.items.get_mut(at).map(|draft| std::mem::take(&mut draft.fields)) else {
            break;
        };
        let Some(draft) = drafts.items.get(at) else { break };
        let look = checker.item(drafts, draft, at, fields);
        if !(look.first.is_empty() && look.second.is_empty()) {
            let location = drafts.location(draft);
            first.add(&location, Node::Branch(look.first));
            second.add(&location, Node::Branch(look.second));
        }
        rows.push(look.row);
    }
    let structure = std::mem::take(&mut drafts.problems);
    let is_right = |problems: &Problems| structure.is_empty() && has_no_text(problems.root());
    if !checker.is_malformed && (is_right(&first) || is_right(&second)) {
        return Ok(Checked { rows, references: checker.references });
    }
    let mut all = second.into_root();
    merge(&mut all, structure.into_root());
    merge(&mut all, nulls(first.into_root()));
    prune(&mut all);
    Err(Rejected { problems: Problems::new(all), is_malformed: checker.is_malformed })
}

struct Checker<'a> {
    context: &'a Context<'a>,
    references: Vec<Reference>,
    is_malformed: bool,
}

/// An item and what is wrong with it in both ways of looking at it.
struct Look {
    row: Object,
    first: Branch,
    second: Branch,
}

impl Checker<'_> {
    fn item(&mut self, drafts: &Drafts<'_>, draft: &Draft<'_>, at: usize, mut fields: Object) -> Look {
        let schema = draft.schema;
        if let Some(id) = draft.id {
            fields.insert(schema.primary_key().to_owned(), Value::String(id.to_string()));
        }
        let mut first = Branch::new();
        let mut second = Branch::new();
        for field in schema.references() {
            let Some((collection, _)) = field.reference() else { continue };
            let written = fields.remove(&field.name);
            let seen = self.reference(drafts, draft, collection, written.as_ref());
            if let Some(written) = written.filter(|written| !written.is_null()) {
                let (field, collection) = (field.name.clone(), collection.to_owned());
                self.references.push(Reference { item: at, field, collection, written, found: seen.found });
            }
            let around = draft.parent.filter(|(_, name)| *name == field.name);
            let parent = around.and_then(|_| drafts.parent(draft)?.id);
            let value = parent.or(seen.found).map_or(Value::Null, |id| json!({ "id": id.to_string() }));
            fields.insert(field.name.clone(), value);
            first.extend(seen.first.map(|node| (field.name.as_str().into(), node)));
            second.extend(seen.second.map(|node| (field.name.as_str().into(), node)));
            if around.is_some() && parent.is_none() {
                // Nothing can be said of it before the parent has an id.
                second.entry(field.name.as_str().into()).or_insert_with(|| Node::Branch(Branch::new()));
            }
        }
        let ttl = if schema.has_ttl() { fields.remove("ttl") } else { None };
        let mut row = Object::new();
        let checked = match schema.complete(fields, Operation::Insert, self.context) {
            Ok(complete) => {
                row = complete;
                schema.validate(&row, Operation::Insert, self.context)
            }
            Err(violations) => Err(violations),
        };
        if let Err(violations) = checked
            && let Node::Branch(mut found) = Node::from(&violations)
        {
            for field in schema.references() {
                let name = Step::from(field.name.as_str());
                let Some(node) = found.remove(&name) else { continue };
                let is_around = draft.parent.is_some_and(|(_, around)| around == field.name);
                let is_forbidden = node == Node::from(MUST_BE_NULL) && draft.parent.is_none();
                let is_written = self.references.iter().rev().take_while(|reference| reference.item == at);
                let is_written = is_written.into_iter().any(|reference| reference.field == field.name);
                if is_forbidden || !(is_written || is_around) {
                    first.insert(name.clone(), node.clone());
                }
                second.entry(name).or_insert(node);
            }
            merge(&mut first, found.clone());
            merge(&mut second, found);
        }
        match ttl {
            None | Some(Value::Null) => {}
            Some(ttl) if ttl.as_u64() == Some(0) => {}
            Some(ttl) if ttl.as_u64().is_some_and(|ttl| ttl <= MAX_TTL) => {
                row.insert("ttl".to_owned(), ttl);
            }
            Some(_) => {
                let text = format!("must be an integer between 0 and {MAX_TTL}");
                first.insert("ttl".into(), Node::Text(text.clone()));
                second.insert("ttl".into(), Node::Text(text));
            }
        }
        Look { row, first, second }
    }

    /// Looks at a reference of `draft` as it is written.
    fn reference(
        &mut self,
        drafts: &Drafts<'_>,
        draft: &Draft<'_>,
        collection: &str,
        written: Option<&Value>,
    ) -> Seen {
        let is_nested = draft.parent.is_some();
        let unexpected = |text: &str| Some(Node::from(if is_nested { MUST_BE_NULL } else { text }));
        match written {
            None | Some(Value::Null) => Seen { found: None, first: None, second: None },
            Some(Value::String(text)) => {
                let found = drafts.find(collection, text);
                let first =
                    if is_nested || text.is_empty() { unexpected("length must be at least 1") } else { None };
                Seen { found, first, second: found.is_none().then(missing_key) }
            }
            Some(Value::Object(_) | Value::Array(_)) => {
                let id = written.and_then(|written| written.get("id")).filter(|id| !id.is_null());
                let found = id.and_then(|id| id.as_str()).and_then(parse_id);
                let second = match id {
                    None => Some(missing_key()),
                    Some(Value::String(_)) if found.is_some() => None,
                    Some(Value::String(_)) => Some(of_key("expected a valid UUID")),
                    Some(_) => Some(of_key("expected a string")),
                };
                Seen { found, first: unexpected("expected a string"), second }
            }
            Some(Value::Bool(_) | Value::Number(_)) => {
                self.is_malformed = true;
                Seen {
                    found: None,
                    first: unexpected("expected a string"),
                    second: Some("expected a string".into()),
                }
            }
        }
    }
}

/// What a reference refers to, and what is wrong with it in both ways of looking at it.
struct Seen {
    found: Option<Uuid>,
    first: Option<Node>,
    second: Option<Node>,
}

fn missing_key() -> Node {
    of_key("missing primary key")
}

fn of_key(text: &str) -> Node {
    Node::Branch(Branch::from([("id".into(), text.into())]))
}

fn has_no_text(branch: &Branch) -> bool {
    branch.values().all(|node| match node {
        Node::Text(_) => false,
        Node::Branch(branch) => has_no_text(branch),
    })
}

/// Takes out branches without a problem.
fn prune(branch: &mut Branch) {
    branch.retain(|_, node| match node {
        Node::Text(_) => true,
        Node::Branch(branch) => {
            prune(branch);
            !branch.is_empty()
        }
    });
}

/// What should be null.
fn nulls(branch: Branch) -> Branch {
    let keep = |(step, node)| match node {
        Node::Text(text) => (text == MUST_BE_NULL).then_some((step, Node::Text(text))),
        Node::Branch(branch) => Some((step, Node::Branch(nulls(branch)))),
    };
    branch.into_iter().filter_map(keep).collect()
}

const MUST_BE_NULL: &str = "value must be null";

/// Seconds.
const MAX_TTL: u64 = 100_000_000;
