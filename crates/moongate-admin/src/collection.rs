//! The kinds of entities that the API serves, as data.
//!
//! Paths, nesting and error texts all follow from a [`Collection`]; a further kind of entity is a further
//! entry of [`COLLECTIONS`], and no handler knows one by name.

use moongate_model::{Entities, Plugin, Reference, Route, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::error::ApiError;

/// One kind of entity.
pub(crate) struct Collection {
    /// Name in paths, patterns and error texts.
    pub(crate) name: &'static str,
    /// The unique field that may stand for the id in paths.
    pub(crate) key: &'static str,
    /// A field of the body without which a change of a missing entity is an unknown path, not an unknown
    /// entity: a plugin's schema can only be found by its name.
    pub(crate) subschema: Option<&'static str>,
    /// The foreign keys.
    pub(crate) relations: &'static [Relation],
    /// All of them, by ascending id.
    pub(crate) records: for<'a> fn(&'a Entities) -> Records<'a>,
}

/// A foreign key of a collection, which nests the collection below the one that it points to.
pub(crate) struct Relation {
    /// The field that holds it.
    pub(crate) field: &'static str,
    /// Name of the collection that it points to.
    pub(crate) target: &'static str,
}

pub(crate) type Records<'a> = Box<dyn Iterator<Item = &'a dyn Record> + 'a>;

/// Every collection of this node.
pub(crate) static COLLECTIONS: &[Collection] = &[
    Collection {
        name: "services",
        key: "name",
        subschema: None,
        relations: &[],
        records: |entities| Box::new(entities.services.iter().map(|service| service as &dyn Record)),
    },
    Collection {
        name: "routes",
        key: "name",
        subschema: None,
        relations: &[Relation { field: "service", target: "services" }],
        records: |entities| Box::new(entities.routes.iter().map(|route| route as &dyn Record)),
    },
    Collection {
        name: "plugins",
        key: "instance_name",
        subschema: Some("name"),
        relations: &[
            Relation { field: "route", target: "routes" },
            Relation { field: "service", target: "services" },
            Relation { field: "consumer", target: "consumers" },
        ],
        records: |entities| Box::new(entities.plugins.iter().map(|plugin| plugin as &dyn Record)),
    },
];

impl Collection {
    /// The collection of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        COLLECTIONS.iter().find(|collection| collection.name == name)
    }

    /// The foreign key in the field of that name.
    pub(crate) fn relation(&self, field: &str) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.field == field)
    }

    /// The foreign key that points to `parent`.
    pub(crate) fn relation_to(&self, parent: &Self) -> Option<&'static Relation> {
        self.relations.iter().find(|relation| relation.target == parent.name)
    }

    /// What a path segment stands for: an id, or a value of the endpoint key.
    ///
    /// # Errors
    /// [`ApiError::InvalidUnique`] for a text that is neither.
    pub(crate) fn parse_key(&self, segment: &str) -> Result<Key, ApiError> {
        if let Some(id) = parse_id(segment) {
            return Ok(Key::Id(id));
        }
        let accepted =
            |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~');
        if segment.chars().all(accepted) {
            Ok(Key::Unique { field: self.key, value: segment.to_owned() })
        } else {
            Err(ApiError::InvalidUnique { field: self.key, value: segment.to_owned() })
        }
    }

    /// The entity that `key` names.
    pub(crate) fn find<'a>(&self, entities: &'a Entities, key: &Key) -> Option<&'a dyn Record> {
        (self.records)(entities).find(|record| match key {
            Key::Id(id) => record.id() == *id,
            Key::Unique { value, .. } => record.key() == Some(value),
        })
    }
}

/// How a path names an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    /// By primary key.
    Id(Uuid),
    /// By endpoint key.
    Unique {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

impl Key {
    /// The endpoint key's field, unless the id was given.
    pub(crate) fn field(&self) -> Option<&'static str> {
        match self {
            Self::Id(_) => None,
            Self::Unique { field, .. } => Some(field),
        }
    }

    /// The key in the words of an error text.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Id(id) => format!("primary key '{{id=\"{id}\"}}'"),
            Self::Unique { field, value } => format!("'{{{field}=\"{value}\"}}'"),
        }
    }

    /// The key as an object of its one field.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Id(id) => json!({"id": id}),
            Self::Unique { field, value } => json!({*field: value}),
        }
    }
}

/// What the API needs to know of an entity, whatever its kind.
pub(crate) trait Record {
    /// Primary key.
    fn id(&self) -> Uuid;

    /// Value of the endpoint key.
    fn key(&self) -> Option<&str>;

    /// Labels.
    fn tags(&self) -> &[String];

    /// The id that a foreign key holds.
    fn reference(&self, field: &str) -> Option<Uuid>;

    /// The entity as clients see it.
    fn to_json(&self) -> serde_json::Result<Value>;
}

impl Record for Service {
    fn id(&self) -> Uuid {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> &[String] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn reference(&self, _field: &str) -> Option<Uuid> {
        None
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl Record for Route {
    fn id(&self) -> Uuid {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> &[String] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        (field == "service").then_some(self.service).flatten().map(|Reference { id }| id)
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

impl Record for Plugin {
    fn id(&self) -> Uuid {
        self.id
    }

    fn key(&self) -> Option<&str> {
        self.instance_name.as_deref()
    }

    fn tags(&self) -> &[String] {
        self.tags.as_deref().unwrap_or_default()
    }

    fn reference(&self, field: &str) -> Option<Uuid> {
        let reference = match field {
            "route" => self.route,
            "service" => self.service,
            "consumer" => self.consumer,
            _ => None,
        };
        reference.map(|Reference { id }| id)
    }

    fn to_json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// An id in its usual form, with hyphens; the shorter and longer spellings of a UUID are names.
pub(crate) fn parse_id(text: &str) -> Option<Uuid> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten()
}
