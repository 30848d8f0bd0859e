//! Walks a document and turns its items into drafts.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::problems::{Location, Problems, Step};
use super::reader::Record;
use super::resolve::Drafted;
use super::{plugin, route, service};
use crate::{Plugin, Route, Service};

/// What was read from a document so far.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) services: Vec<Draft<Service>>,
    pub(super) routes: Vec<Draft<Route>>,
    pub(super) plugins: Vec<Draft<Plugin>>,
    pub(super) problems: Problems,
    now: i64,
}

/// An entity whose parents are known by what the document calls them.
#[derive(Debug)]
pub(super) struct Draft<T> {
    pub(super) entity: T,
    pub(super) location: Location,
    pub(super) keys: Vec<ForeignKey>,
}

/// A field that refers to another entity.
#[derive(Debug)]
pub(super) struct ForeignKey {
    pub(super) field: &'static str,
    pub(super) collection: &'static str,
    /// The parent's name or id as it is written, or the id of the item that this one is nested in.
    pub(super) text: String,
    /// The item that this one is nested in, if the field refers to it. It wins over what is written.
    pub(super) nested_in: Option<Uuid>,
}

impl ForeignKey {
    /// Reads a field that refers to an item of `collection`.
    pub(super) fn read(
        record: &mut Record<'_, '_>,
        field: &'static str,
        collection: &'static str,
        parent: Option<Parent>,
    ) -> Option<Self> {
        let nested_in = parent.map(|parent| parent.id);
        let text = record.parent(field).or_else(|| nested_in.map(|id| id.to_string()))?;
        Some(Self { field, collection, text, nested_in })
    }
}

/// The item that another one is nested in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent {
    /// The field of the nested item that refers to this parent.
    pub(super) field: &'static str,
    pub(super) id: Uuid,
}

/// What every entity takes from outside of the document.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) now: i64,
}

impl Collector {
    pub(super) fn new(now: i64) -> Self {
        Self {
            services: Vec::new(),
            routes: Vec::new(),
            plugins: Vec::new(),
            problems: Problems::default(),
            now,
        }
    }

    pub(super) fn document(&mut self, document: &Map<String, Value>) {
        let known: Vec<&str> = [FIELDS, IGNORED_COLLECTIONS, UNSUPPORTED_COLLECTIONS].concat();
        let mut record = Record::new(document, Location::new(), &known, &mut self.problems);
        record.must_have("_format_version");
        record.choice("_format_version", &VERSIONS.join(", "), |version| {
            VERSIONS.contains(&version).then_some(())
        });
        record.boolean("_transform");
        unsupported(&mut record, UNSUPPORTED_COLLECTIONS);

        self.services(document, &[]);
        self.routes(document, &[], None);
        self.plugins(document, &[], None);
    }

    fn services(&mut self, parent: &Map<String, Value>, at: &[Step]) {
        for (fields, location) in items(parent, Service::COLLECTION, at, &mut self.problems) {
            let expanded = service::expand_url(fields);
            let known = [service::FIELDS, UNSUPPORTED_IN_SERVICES].concat();
            let mut record = Record::new(&expanded, location.clone(), &known, &mut self.problems);
            unsupported(&mut record, UNSUPPORTED_IN_SERVICES);
            let (entity, keys) = service::read(&mut record, &Source { now: self.now });
            let nesting = Parent { field: "service", id: entity.id };
            self.routes(fields, &location, Some(nesting));
            self.plugins(fields, &location, Some(nesting));
            self.services.push(Draft { entity, location, keys });
        }
    }

    fn routes(&mut self, parent: &Map<String, Value>, at: &[Step], nesting: Option<Parent>) {
        for (fields, location) in items(parent, Route::COLLECTION, at, &mut self.problems) {
            let known = [route::FIELDS, UNSUPPORTED_IN_ROUTES].concat();
            let mut record = Record::new(fields, location.clone(), &known, &mut self.problems);
            unsupported(&mut record, UNSUPPORTED_IN_ROUTES);
            let (entity, keys) = route::read(&mut record, &Source { now: self.now }, nesting);
            self.plugins(fields, &location, Some(Parent { field: "route", id: entity.id }));
            self.routes.push(Draft { entity, location, keys });
        }
    }

    fn plugins(&mut self, parent: &Map<String, Value>, at: &[Step], nesting: Option<Parent>) {
        for (fields, location) in items(parent, Plugin::COLLECTION, at, &mut self.problems) {
            let mut record = Record::new(fields, location.clone(), plugin::FIELDS, &mut self.problems);
            let (entity, keys) = plugin::read(&mut record, &Source { now: self.now }, nesting);
            self.plugins.push(Draft { entity, location, keys });
        }
    }
}

/// The items of a collection, each with its place in the document.
fn items<'v>(
    parent: &'v Map<String, Value>,
    collection: &str,
    at: &[Step],
    problems: &mut Problems,
) -> Vec<(&'v Map<String, Value>, Location)> {
    let mut location = at.to_vec();
    location.push(Step::from(collection));
    let items = match parent.get(collection) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        // An empty list and an empty object are the same to the tools that write such files.
        Some(Value::Object(fields)) if fields.is_empty() => return Vec::new(),
        Some(_) => {
            problems.add(&location, "expected an array");
            return Vec::new();
        }
    };
    let mut records = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let mut location = location.clone();
        location.push(Step::from(index));
        match item {
            Value::Object(fields) => records.push((fields, location)),
            Value::Array(items) if items.is_empty() => records.push((&EMPTY, location)),
            _ => problems.add(&location, "expected a record"),
        }
    }
    records
}

/// Refuses collections that would change what the gateway does, if they were served.
fn unsupported(record: &mut Record<'_, '_>, collections: &[&str]) {
    for collection in collections {
        if record.is_set(collection) {
            record
                .problem(collection, format!("'{collection}' are not supported by this version of Moongate"));
        }
    }
}

/// An item without fields, for which some tools write an empty list.
static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

const FIELDS: &[&str] = &["_format_version", "_transform", "services", "routes", "plugins"];

const VERSIONS: [&str; 3] = ["1.1", "2.1", "3.0"];

/// Rows that exports carry for the exporting gateway's own use.
const IGNORED_COLLECTIONS: &[&str] = &["parameters"];

const UNSUPPORTED_COLLECTIONS: &[&str] = &[
    "consumers",
    "upstreams",
    "targets",
    "certificates",
    "ca_certificates",
    "snis",
    "vaults",
    "keys",
    "key_sets",
    "filter_chains",
    "workspaces",
    "clustering_data_planes",
    "acls",
    "keyauth_credentials",
    "basicauth_credentials",
    "hmacauth_credentials",
    "jwt_secrets",
    "oauth2_credentials",
    "oauth2_tokens",
    "oauth2_authorization_codes",
    "sessions",
    "session_metadatas",
    "acme_storage",
    "ratelimiting_metrics",
];

const UNSUPPORTED_IN_SERVICES: &[&str] = &["filter_chains", "oauth2_tokens", "oauth2_authorization_codes"];

const UNSUPPORTED_IN_ROUTES: &[&str] = &["filter_chains"];
