//! Everything that the API refuses, and the one place where refusals become responses.

mod store;

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, StatusCode};
use moongate_schema::Violations;
use moongate_schema::text::inline_table;
use moongate_store::Key;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::api::json_response;

/// Why a request is not answered with what it asked for.
///
/// The texts are read by programs; they are Kong's where Kong has one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No such path, or no such entity where the path names one.
    #[error("Not found")]
    NotFound,
    /// No such entity where the path names one by a field that is unique below its parent only. Kong answers it from
    /// another place, with the id of the request.
    #[error("Not found")]
    NotFoundBelow,
    /// The path exists and does not take the method.
    #[error("Method not allowed")]
    MethodNotAllowed,
    /// A token is needed, and the right one was not shown.
    #[error("Unauthorized")]
    Unauthorized,
    /// The body is said to be JSON and is not.
    #[error("Cannot parse JSON body")]
    MalformedJson,
    /// The body ended before it was complete.
    #[error("Cannot read the request body")]
    UnreadableBody,
    /// More than 1000 arguments.
    #[error("Too many arguments")]
    TooManyArguments,
    /// The body's type is none that the API reads.
    #[error("Unsupported media type")]
    UnsupportedMediaType,
    /// The body is larger than the API accepts.
    #[error("Request body is larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The largest accepted size, in bytes.
        limit: usize,
    },
    /// Anything else of which a message says all.
    #[error("{1}")]
    Message(StatusCode, Cow<'static, str>),
    /// A fault of the gateway or of a plugin; the log says more.
    #[error("An unexpected error occurred")]
    Unexpected,
    /// The path has no id where only an id can be.
    #[error("invalid primary key: '{{id=\"expected a valid UUID\"}}'")]
    InvalidId,
    /// The body breaks rules of the schema.
    #[error(transparent)]
    Invalid(#[from] Violations),
    /// The gateway cannot work with the entity.
    #[error("{message}")]
    Unusable {
        /// Why.
        message: String,
        /// Why, by field.
        fields: Value,
    },
    /// The id of a new entity is taken.
    #[error("primary key violation on key '{{id=\"{0}\"}}'")]
    IdTaken(Uuid),
    /// A reference to something that is not there.
    #[error("the foreign key '{{id=\"{id}\"}}' does not reference an existing '{references}' entity.")]
    Dangling {
        /// The field that has the reference.
        field: String,
        /// What it refers to.
        id: Uuid,
        /// The entity in which that should be.
        references: String,
    },
    /// Another entity needs the one that was to go.
    #[error("an existing '{by}' entity references this '{entity}' entity")]
    Needed {
        /// The entity that was to go.
        entity: String,
        /// The entity that refers to it.
        by: String,
    },
    /// Another entity has these values already.
    #[error("UNIQUE violation detected on '{}'", inline_table(&Value::Object(.0.clone())))]
    NotUnique(Map<String, Value>),
    /// No entity to change.
    #[error("could not find the entity with {}", describe(.0))]
    NoSuchEntity(Key),
    /// A page's start that no earlier answer gave out.
    #[error("'{offset}' is not a valid offset: {why}")]
    InvalidOffset {
        /// The argument as given.
        offset: String,
        /// What could not be decoded.
        why: String,
    },
    /// A page size that is no number, or out of range.
    #[error("size must be {0}")]
    InvalidSize(&'static str),
    /// A value that a unique field can never have.
    #[error("{why}")]
    InvalidUnique {
        /// The field.
        field: String,
        /// What is wrong with the value.
        why: String,
    },
    /// An option, such as a filter, that cannot be applied.
    #[error("invalid option ({option}: {why})")]
    InvalidOption {
        /// Name of the option.
        option: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A write, while entities come from a declarative configuration.
    #[error("cannot {operation} '{entity}' entities{} when not using a database", by(.field.as_deref()))]
    ReadOnly {
        /// What was asked for.
        operation: &'static str,
        /// Name of the entity.
        entity: String,
        /// The unique field by which it was named; `None` for its id.
        field: Option<String>,
    },
    /// References by something else than an id to what is not there.
    #[error("{}", unresolved(.0))]
    Unresolved(Vec<Unresolved>),
    /// A declarative configuration with faults.
    #[error("{message}")]
    InvalidConfiguration {
        /// The faults in one line.
        message: String,
        /// The faults by entity and place.
        fields: Value,
        /// The faults by entity, if they were asked for in that form.
        flattened: Option<Vec<Value>>,
    },
    /// An entity that others list by its id was to go.
    #[error("{0}")]
    Listed(String),
}

/// A reference by a unique field to what is not there.
#[derive(Debug)]
pub(crate) struct Unresolved {
    /// The field that has the reference.
    pub(crate) field: String,
    /// The unique field of the other entity.
    pub(crate) by: String,
    /// Its value.
    pub(crate) value: Value,
    /// The other entity.
    pub(crate) references: String,
}

impl ApiError {
    /// A request that cannot be fulfilled as it is.
    pub(crate) fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Message(StatusCode::BAD_REQUEST, message.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NotFoundBelow | Self::NoSuchEntity(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed | Self::ReadOnly { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotUnique(_) => StatusCode::CONFLICT,
            Self::Message(status, _) => *status,
            Self::Unexpected => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Code and name of the errors that Kong numbers; the others have a message only.
    fn number(&self) -> Option<(u8, Cow<'static, str>)> {
        let (code, name) = match self {
            Self::InvalidId => (1, "invalid primary key"),
            Self::Invalid(_) | Self::Unusable { .. } => (2, "schema violation"),
            Self::IdTaken(_) => (3, "primary key violation"),
            Self::Dangling { .. } | Self::Needed { .. } => (4, "foreign key violation"),
            Self::NotUnique(_) => (5, "unique constraint violation"),
            Self::NoSuchEntity(_) => (6, "not found"),
            Self::InvalidOffset { .. } => (7, "invalid offset"),
            Self::InvalidSize(_) => (9, "invalid size"),
            Self::InvalidUnique { field, .. } => return Some((10, format!("invalid unique {field}").into())),
            Self::InvalidOption { .. } => (11, "invalid options"),
            Self::ReadOnly { .. } => (12, "operation unsupported"),
            Self::Unresolved(_) => (13, "foreign keys unresolved"),
            Self::InvalidConfiguration { .. } => (14, "invalid declarative configuration"),
            Self::Listed(_) => (19, "referenced by others"),
            _ => return None,
        };
        Some((code, name.into()))
    }

    /// What is wrong with which part of the request, and the member that says so.
    fn details(&self) -> Option<(&'static str, Value)> {
        let fields = match self {
            Self::NotFoundBelow => return Some(("request_id", Uuid::new_v4().simple().to_string().into())),
            Self::InvalidOption { option, why } => return Some(("options", json!({*option: why}))),
            Self::InvalidId => json!({"id": "expected a valid UUID"}),
            Self::Invalid(violations) => violations.fields(),
            Self::Unusable { fields, .. } | Self::InvalidConfiguration { fields, .. } => fields.clone(),
            Self::IdTaken(id) => json!({"id": id}),
            Self::Dangling { field, id, .. } => json!({field.as_str(): {"id": id}}),
            Self::Needed { by, .. } => json!({"@referenced_by": by}),
            Self::NotUnique(fields) => Value::Object(fields.clone()),
            Self::NoSuchEntity(key) => key_fields(key),
            Self::Unresolved(references) => {
                let mut fields = Map::new();
                for reference in references {
                    let field = fields.entry(reference.field.clone()).or_insert_with(|| json!({}));
                    if let Some(field) = field.as_object_mut() {
                        field.insert(reference.by.clone(), reference.why().into());
                    }
                }
                Value::Object(fields)
            }
            _ => return None,
        };
        Some(("fields", fields))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = Map::new();
        if let Some((code, name)) = self.number() {
            body.insert("code".to_owned(), code.into());
            body.insert("name".to_owned(), name.into());
        }
        body.insert("message".to_owned(), self.to_string().into());
        if let Some((member, value)) = self.details() {
            body.insert(member.to_owned(), value);
        }
        if let Self::InvalidConfiguration { flattened: Some(flattened), .. } = &self {
            // An empty list is an empty object to Kong's clients.
            let list = if flattened.is_empty() { json!({}) } else { flattened.clone().into() };
            body.insert("flattened_errors".to_owned(), list);
        }
        let mut response = json_response(self.status(), &Value::Object(body));
        if let Self::Unauthorized = self {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl Unresolved {
    fn why(&self) -> String {
        let key = inline_table(&json!({self.by.as_str(): self.value}));
        let references = &self.references;
        format!("the foreign key cannot be resolved with '{key}' for an existing '{references}' entity")
    }
}

fn unresolved(references: &[Unresolved]) -> String {
    let texts: Vec<String> = references
        .iter()
        .map(|reference| format!("{}.{}: {}", reference.field, reference.by, reference.why()))
        .collect();
    match texts.as_slice() {
        [one] => format!("foreign key unresolved ({one})"),
        several => format!("{} foreign keys unresolved ({})", several.len(), several.join("; ")),
    }
}

fn describe(key: &Key) -> String {
    let table = inline_table(&key_fields(key));
    if let Key::Id(_) = key { format!("primary key '{table}'") } else { format!("'{table}'") }
}

/// The key as an object of its fields.
fn key_fields(key: &Key) -> Value {
    match key {
        Key::Unique(fields) => Value::Object(fields.clone()),
        Key::Id(id) => json!({"id": id}),
        _ => json!({}),
    }
}

fn by(field: Option<&str>) -> String {
    field.map_or_else(String::new, |field| format!(" by '{field}'"))
}
