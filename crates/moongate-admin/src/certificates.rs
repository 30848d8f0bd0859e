//! Certificates and the server names that they are for.
//!
//! Clients see the names as a list of the certificate. They are entities of their own, so writing a certificate
//! writes them as well, in one step.

use http::StatusCode;
use moongate_schema::{Object, Operation, Violations};
use moongate_store::{Change, Key, Row};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::access::{Access, View, id_of, referred};
use crate::entities::{check_value, parse_id};
use crate::error::ApiError;

/// The kind of entities that this is about.
pub(crate) const ENTITY: &str = "certificates";

/// The server names that a request gives a certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Names {
    /// It is about no certificate.
    #[default]
    None,
    /// The request does not say.
    Unsaid,
    /// These and no others.
    List(Vec<String>),
}

impl Names {
    /// Takes the names out of the fields of a certificate. What is no list of texts is left to the schema.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] for a name that is there twice, [`ApiError::InvalidUnique`] for what is no name.
    pub(crate) fn take(access: &Access, fields: &mut Object) -> Result<Self, ApiError> {
        let given = match fields.get(FIELD) {
            None => return Ok(Self::Unsaid),
            Some(Value::Null) => None,
            Some(Value::Array(names)) => match names.iter().map(Value::as_str).collect::<Option<Vec<&str>>>()
            {
                Some(names) => Some(names),
                None => return Ok(Self::Unsaid),
            },
            Some(_) => return Ok(Self::Unsaid),
        };
        let schema = access.schema(NAMES)?;
        let mut names: Vec<String> = Vec::new();
        for name in given.iter().flatten() {
            if names.iter().any(|earlier| earlier == name) {
                return Err(problem(format!("{name} is duplicated")));
            }
            check_value(access, schema, "name", &json!(name))?;
            names.push((*name).to_owned());
        }
        let names = if given.is_some() { Self::List(names) } else { Self::Unsaid };
        fields.remove(FIELD);
        Ok(names)
    }

    /// Checks that no other certificate than the one with the id `own` has one of the names.
    ///
    /// # Errors
    /// [`ApiError::Invalid`].
    pub(crate) fn check(&self, view: &View, own: Option<Uuid>) -> Result<(), ApiError> {
        let Self::List(names) = self else { return Ok(()) };
        for name in names {
            let row = view.find(NAMES, &Key::field("name", name.as_str()))?;
            let holder = row.and_then(|row| referred(&row, REFERENCE));
            if let Some(holder) = holder.filter(|holder| own != Some(*holder)) {
                return Err(problem(format!(
                    "{name} already associated with existing certificate '{holder}'"
                )));
            }
        }
        Ok(())
    }

    /// What makes these the names of `certificate`. With `replaced`, saying nothing means that there are none.
    ///
    /// # Errors
    /// [`ApiError::Unexpected`] if the gateway cannot make the entity of a name.
    pub(crate) fn changes(
        &self,
        access: &Access,
        view: &View,
        certificate: &Object,
        replaced: bool,
    ) -> Result<Vec<Change>, ApiError> {
        let names: &[String] = match self {
            Self::List(names) => names,
            Self::Unsaid if replaced => &[],
            Self::None | Self::Unsaid => return Ok(Vec::new()),
        };
        let id = id_of(certificate).ok_or(ApiError::Unexpected)?;
        let existing = view.children(NAMES, REFERENCE, id)?;
        let has = |row: &Row, name: &String| row.get("name").and_then(Value::as_str) == Some(name);
        let gone = existing.iter().filter(|row| !names.iter().any(|name| has(row, name)));
        let mut changes: Vec<Change> = gone.filter_map(id_of).map(|id| Change::delete(NAMES, id)).collect();
        let schema = access.schema(NAMES)?;
        for name in names.iter().filter(|name| !existing.iter().any(|row| has(row, name))) {
            let fields = [("name".to_owned(), json!(name)), (REFERENCE.to_owned(), json!({"id": id}))];
            let row = schema.complete(Object::from_iter(fields), Operation::Insert, &access.context())?;
            changes.push(Change::insert(NAMES, row));
        }
        Ok(changes)
    }
}

/// The certificate that a path names, by its id or by one of its names.
///
/// # Errors
/// 404 for a name that no certificate has.
pub(crate) fn find(access: &Access, view: &View, segment: &str) -> Result<(Key, Option<Row>), ApiError> {
    let id = match parse_id(segment) {
        Some(id) => id,
        None => {
            holder(access, view, segment)?.ok_or(ApiError::Message(StatusCode::NOT_FOUND, UNKNOWN.into()))?
        }
    };
    let key = Key::Id(id);
    let row = view.find(ENTITY, &key)?;
    Ok((key, row))
}

/// The id of the certificate that a path names, or the one that it shall get, and the name in the path.
pub(crate) fn place_of(
    access: &Access,
    view: &View,
    segment: &str,
) -> Result<(Uuid, Option<String>), ApiError> {
    if let Some(id) = parse_id(segment) {
        return Ok((id, None));
    }
    let id = holder(access, view, segment)?.unwrap_or_else(|| access.context().uuid());
    Ok((id, Some(segment.to_owned())))
}

/// Adds a name to those that a request lists, if it lists any at all.
pub(crate) fn add_name(fields: &mut Object, name: Option<String>) {
    let Some((name, Value::Array(names))) = name.zip(fields.get_mut(FIELD)) else { return };
    let name = Value::from(name);
    if !names.contains(&name) {
        names.push(name);
    }
}

/// What removes all names of a certificate.
pub(crate) fn removal_of_names(view: &View, certificate: Uuid) -> Result<Vec<Change>, ApiError> {
    let names = view.children(NAMES, REFERENCE, certificate)?;
    Ok(names.iter().filter_map(id_of).map(|id| Change::delete(NAMES, id)).collect())
}

/// Puts the names into a certificate as clients see it, in alphabetical order.
pub(crate) fn show_names(view: &View, certificate: &mut Object) {
    let rows = id_of(certificate).and_then(|id| view.children(NAMES, REFERENCE, id).ok()).unwrap_or_default();
    let mut names: Vec<&str> = rows.iter().filter_map(|row| row.get("name")?.as_str()).collect();
    names.sort_unstable();
    certificate.insert(FIELD.to_owned(), json!(names));
}

/// The id of the certificate with a name.
fn holder(access: &Access, view: &View, name: &str) -> Result<Option<Uuid>, ApiError> {
    let value = Value::from(name);
    check_value(access, access.schema(NAMES)?, "name", &value)?;
    let row = view.find(NAMES, &Key::field("name", value))?;
    Ok(row.and_then(|row| referred(&row, REFERENCE)))
}

fn problem(text: String) -> ApiError {
    Violations::of_field(FIELD, text).into()
}

const FIELD: &str = "snis";
const NAMES: &str = "snis";
const REFERENCE: &str = "certificate";
const UNKNOWN: &str = "SNI not found";
