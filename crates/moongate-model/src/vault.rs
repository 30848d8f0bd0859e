//! References to secrets, and what they stand for.
//!
//! In a field that allows it, `{vault://env/DB_PASSWORD}` stands for the variable `DB_PASSWORD` of the environment.
//! Rows keep the reference; only what is handed to plugins and to the TLS stack has the secret. A secret that is not
//! there is an empty text, so that one missing variable does not take the gateway down; whoever resolves a
//! reference is told, and should log it.

use std::collections::BTreeMap;
use std::fmt;

use moongate_schema::{Field, FieldType, Object, Schema};
use serde_json::Value;

use crate::{Collection, Vault};

/// A reference: `{vault://<vault>/<resource>[/<key>][?<option>=<value>&...]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultReference {
    /// The prefix of a vault entity, or the kind of a vault.
    pub vault: String,
    /// What the vault is asked for.
    pub resource: String,
    /// The member of the secret, which is an object of JSON then.
    pub key: Option<String>,
    /// Settings that take the place of the vault's own.
    pub options: BTreeMap<String, String>,
}

/// Why a reference stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// It names no vault or no resource.
    #[error("the reference is not of the form {{vault://VAULT/RESOURCE}}")]
    Malformed,
    /// There is neither a vault with that prefix nor such a kind of vault.
    #[error("there is no vault `{0}`")]
    UnknownVault(String),
    /// The vault does not have it.
    #[error("the environment variable {0} is not set")]
    Missing(String),
    /// The secret is no object of JSON, or has no such member.
    #[error("the secret has no member `{0}`")]
    NoMember(String),
}

/// A reference in an object that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The path of the field: `config.redis.password`.
    pub field: String,
    /// The reference. It holds no secret.
    pub reference: String,
    /// Why.
    pub error: SecretError,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} cannot be resolved: {}", self.field, self.reference, self.error)
    }
}

impl VaultReference {
    /// Whether a text is meant as a reference, right or wrong.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with(OPEN) && text.ends_with(CLOSE)
    }

    /// Reads a reference.
    ///
    /// # Errors
    /// [`SecretError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let inner = text
            .strip_prefix(OPEN)
            .and_then(|text| text.strip_suffix(CLOSE))
            .ok_or(SecretError::Malformed)?;
        let inner = inner.split_once('#').map_or(inner, |(inner, _version)| inner);
        let (path, query) = inner.split_once('?').unwrap_or((inner, ""));
        let (vault, path) = path.split_once('/').ok_or(SecretError::Malformed)?;
        let (resource, key) = match path.rsplit_once('/') {
            Some((resource, key)) => (resource, Some(key).filter(|key| !key.is_empty())),
            None => (path, None),
        };
        if vault.is_empty() || resource.is_empty() {
            return Err(SecretError::Malformed);
        }
        let option = |option: &str| {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            (decoded(name), decoded(value))
        };
        Ok(Self {
            vault: vault.to_owned(),
            resource: decoded(resource),
            key: key.map(decoded),
            options: query.split('&').filter(|option| !option.is_empty()).map(option).collect(),
        })
    }
}

/// The vaults of a configuration, and the environment that they take secrets from.
#[derive(Clone, Copy)]
pub struct Secrets<'a> {
    vaults: &'a Collection<Vault>,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Secrets<'a> {
    /// Secrets from variables that `environment` looks up.
    pub fn new(vaults: &'a Collection<Vault>, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { vaults, environment }
    }

    /// What a reference stands for.
    ///
    /// # Errors
    /// Why it stands for nothing.
    pub fn resolve(&self, reference: &str) -> Result<String, SecretError> {
        let reference = VaultReference::parse(reference)?;
        let vault = self.vaults.iter().find(|vault| vault.prefix == reference.vault);
        let kind = vault.map_or(reference.vault.as_str(), |vault| &vault.name);
        if kind != ENVIRONMENT {
            return Err(SecretError::UnknownVault(reference.vault));
        }
        let prefix = match reference.options.get("prefix") {
            Some(prefix) => prefix,
            None => vault.and_then(|vault| vault.config.get("prefix")?.as_str()).unwrap_or_default(),
        };
        let variable = format!("{prefix}{}", reference.resource).replace('-', "_").to_ascii_uppercase();
        let secret = (self.environment)(&variable).ok_or(SecretError::Missing(variable))?;
        match reference.key {
            Some(key) => member(&secret, &key).ok_or(SecretError::NoMember(key)),
            None => Ok(secret),
        }
    }

    /// Replaces the references in the fields of `object` that `schema` allows them in. Those that stand for nothing
    /// become empty texts, and are returned.
    pub fn resolve_fields(&self, schema: &Schema, object: &mut Object) -> Vec<Unresolved> {
        let mut unresolved = Vec::new();
        self.object(schema, object, "", &mut unresolved);
        unresolved
    }

    fn object(&self, schema: &Schema, object: &mut Object, path: &str, unresolved: &mut Vec<Unresolved>) {
        let refined = schema.subschema_of(object).cloned();
        for (name, value) in object.iter_mut() {
            let refined = refined.as_ref().and_then(|schema| schema.field_named(name));
            if let Some(field) = refined.or_else(|| schema.field_named(name)) {
                self.value(field, value, &join(path, name), unresolved);
            }
        }
    }

    fn value(&self, field: &Field, value: &mut Value, path: &str, unresolved: &mut Vec<Unresolved>) {
        match (&field.kind, value) {
            (FieldType::String, Value::String(text))
                if field.referenceable && VaultReference::is_meant(text) =>
            {
                let reference = std::mem::take(text);
                match self.resolve(&reference) {
                    Ok(secret) => *text = secret,
                    Err(error) => unresolved.push(Unresolved { field: path.to_owned(), reference, error }),
                }
            }
            (FieldType::Array(elements) | FieldType::Set(elements), Value::Array(items)) => {
                for (item, at) in items.iter_mut().zip(1..) {
                    self.value(elements, item, &join(path, &at.to_string()), unresolved);
                }
            }
            (FieldType::Map { values, .. }, Value::Object(members)) => {
                for (name, value) in members.iter_mut() {
                    self.value(values, value, &join(path, name), unresolved);
                }
            }
            (FieldType::Record(schema), Value::Object(members)) => {
                self.object(schema, members, path, unresolved)
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Secrets<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secrets").field("vaults", &self.vaults.len()).finish_non_exhaustive()
    }
}

fn member(secret: &str, key: &str) -> Option<String> {
    match serde_json::from_str::<Object>(secret).ok()?.remove(key)? {
        Value::String(text) => Some(text),
        other @ (Value::Number(_) | Value::Bool(_)) => Some(other.to_string()),
        _ => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Decodes the percent escapes of a part of a URL; what is no escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..]) if let Some(byte) = hex(*high).zip(hex(*low)) => {
                bytes.push(byte.0 << 4 | byte.1);
                after
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

const OPEN: &str = "{vault://";
const CLOSE: char = '}';

/// The kind of vault that is the process's environment.
const ENVIRONMENT: &str = "env";

#[cfg(test)]
mod tests;
