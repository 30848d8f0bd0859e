//! The declaration of an entity, a record, or the configuration of a plugin.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use crate::{EntityCheck, Field, Object, Shorthand, Transformation};

/// The declaration of an entity, a record, or the configuration of a plugin or vault.
///
/// Built like a table: `Schema::entity("snis").endpoint_key("name").field("id", ...)`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Schema {
    name: String,
    fields: Vec<Field>,
    places: HashMap<String, usize>,
    entity_checks: Vec<EntityCheck>,
    shorthands: Vec<Shorthand>,
    transformations: Vec<Transformation>,
    subschemas: Option<Subschemas>,
    endpoint_key: Option<String>,
    cache_key: Vec<String>,
    admin_name: Option<String>,
    admin_nested_name: Option<String>,
    is_internal: bool,
    has_ttl: bool,
    is_exported: bool,
    is_virtual: bool,
    links: HashMap<String, Arc<Schema>>,
}

/// The schemas that refine an entity, chosen by the value of one of its fields.
#[derive(Debug, Clone, PartialEq)]
pub struct Subschemas {
    /// The field that chooses. The first element does when it holds a list.
    pub key: String,
    /// The text for a value without a schema; `%s` stands for the value.
    pub unknown: String,
    /// The schemas by value. A field in one of them takes the place of the entity's.
    pub schemas: BTreeMap<String, Arc<Schema>>,
}

impl Schema {
    /// An entity, with Admin endpoints and part of exports.
    pub fn entity(name: &str) -> Self {
        Self { name: name.to_owned(), is_exported: true, ..Self::default() }
    }

    /// A record inside an object, or the sub-schema of a plugin or vault.
    pub fn record() -> Self {
        Self::default()
    }

    /// Adds a field, or replaces the one with that name.
    pub fn field(mut self, name: &str, field: Field) -> Self {
        let field = Field { name: name.to_owned(), ..field };
        match self.places.get(name).and_then(|at| self.fields.get_mut(*at)) {
            Some(place) => *place = field,
            None => {
                self.places.insert(name.to_owned(), self.fields.len());
                self.fields.push(field);
            }
        }
        self
    }

    /// Says of fields what they are for. Names without a field are passed over.
    pub fn described(mut self, descriptions: &[(&str, &str)]) -> Self {
        for (name, text) in descriptions {
            if let Some(field) = self.places.get(*name).and_then(|at| self.fields.get_mut(*at)) {
                field.description = Some((*text).to_owned());
            }
        }
        self
    }

    /// Adds a check over several fields.
    pub fn entity_check(mut self, check: EntityCheck) -> Self {
        self.entity_checks.push(check);
        self
    }

    /// Adds a shorthand.
    pub fn shorthand(mut self, name: &str, shorthand: Shorthand) -> Self {
        let field = Field { name: name.to_owned(), ..shorthand.field };
        self.shorthands.push(Shorthand { field, ..shorthand });
        self
    }

    /// Adds a change to fields before they are stored.
    pub fn transformation(mut self, transformation: Transformation) -> Self {
        self.transformations.push(transformation);
        self
    }

    /// The schemas that refine this one.
    pub fn subschemas(self, subschemas: Subschemas) -> Self {
        Self { subschemas: Some(subschemas), ..self }
    }

    /// This schema with the schemas that refine it.
    pub(crate) fn refined(self, key: &str, unknown: &str, schemas: &BTreeMap<String, Arc<Schema>>) -> Self {
        let (key, unknown) = (key.to_owned(), unknown.to_owned());
        self.subschemas(Subschemas { key, unknown, schemas: schemas.clone() })
    }

    /// The unique field that stands for the id in URLs.
    pub fn endpoint_key(self, field: &str) -> Self {
        Self { endpoint_key: Some(field.to_owned()), ..self }
    }

    /// The fields that are unique together, and that generated ids are made of.
    pub fn cache_key(self, fields: &[&str]) -> Self {
        Self { cache_key: fields.iter().map(|field| (*field).to_owned()).collect(), ..self }
    }

    /// The name in paths of the Admin API, where it differs from the entity's.
    pub fn admin_name(self, name: &str) -> Self {
        Self { admin_name: Some(name.to_owned()), ..self }
    }

    /// The name in paths below a parent, where it differs from the admin name.
    pub fn admin_nested_name(self, name: &str) -> Self {
        Self { admin_nested_name: Some(name.to_owned()), ..self }
    }

    /// The entity has no Admin endpoints.
    pub fn internal(self) -> Self {
        Self { is_internal: true, ..self }
    }

    /// Objects are not kept in a table of their own; they are made from other entities, or not at all.
    pub fn not_stored(self) -> Self {
        Self { is_virtual: true, is_exported: false, ..self }
    }

    /// Objects may have a time to live.
    pub fn with_ttl(self) -> Self {
        Self { has_ttl: true, ..self }
    }

    /// Objects are not part of exports of the whole configuration.
    pub fn not_exported(self) -> Self {
        Self { is_exported: false, ..self }
    }

    /// The name of the entity; empty for records and sub-schemas.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields in the order of their declaration, without those of sub-schemas.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field with a name, if the entity has it. For an entity with sub-schemas see [`Schema::field_of`].
    pub fn field_named(&self, name: &str) -> Option<&Field> {
        self.places.get(name).and_then(|at| self.fields.get(*at))
    }

    /// The field with a name as it is for `object`: the sub-schema's, if that has it.
    pub fn field_of<'a>(&'a self, name: &str, object: &Object) -> Option<&'a Field> {
        let refined = self.subschema_of(object).and_then(|schema| schema.field_named(name));
        refined.or_else(|| self.field_named(name))
    }

    /// The sub-schema that refines this one for `object`.
    pub fn subschema_of(&self, object: &Object) -> Option<&Arc<Schema>> {
        let subschemas = self.subschemas.as_ref()?;
        let value = match object.get(&subschemas.key)? {
            Value::Array(values) => values.first()?,
            value => value,
        };
        subschemas.schemas.get(value.as_str()?)
    }

    /// The sub-schemas, if it has any.
    pub fn all_subschemas(&self) -> Option<&Subschemas> {
        self.subschemas.as_ref()
    }

    /// The checks over several fields.
    pub fn entity_checks(&self) -> &[EntityCheck] {
        &self.entity_checks
    }

    /// The changes to fields before they are stored.
    pub fn transformations(&self) -> &[Transformation] {
        &self.transformations
    }

    /// The shorthands.
    pub fn shorthands(&self) -> &[Shorthand] {
        &self.shorthands
    }

    /// The unique field that stands for the id in URLs.
    pub fn key_field(&self) -> Option<&str> {
        self.endpoint_key.as_deref()
    }

    /// The fields that are unique together; empty when there are none.
    pub fn cache_key_fields(&self) -> &[String] {
        &self.cache_key
    }

    /// The field that is unique by itself and primary: always `id`.
    pub fn primary_key(&self) -> &str {
        "id"
    }

    /// The name in paths of the Admin API: `key-sets`, `key-auths`.
    pub fn admin_path(&self) -> &str {
        self.admin_name.as_deref().unwrap_or(&self.name)
    }

    /// The name in paths of the Admin API below a parent: `key-auth`.
    pub fn nested_path(&self) -> &str {
        self.admin_nested_name.as_deref().unwrap_or_else(|| self.admin_path())
    }

    pub(crate) fn own_admin_name(&self) -> Option<&str> {
        self.admin_name.as_deref()
    }

    pub(crate) fn own_nested_name(&self) -> Option<&str> {
        self.admin_nested_name.as_deref()
    }

    /// Whether the Admin API has endpoints for it.
    pub fn has_admin_endpoints(&self) -> bool {
        !self.is_internal
    }

    /// Whether objects are kept in a table of their own.
    pub fn is_stored(&self) -> bool {
        !self.is_virtual
    }

    /// Whether objects may have a time to live, given and shown as `ttl` in seconds.
    pub fn has_ttl(&self) -> bool {
        self.has_ttl
    }

    /// Whether objects are part of exports of the whole configuration.
    pub fn is_exported(&self) -> bool {
        self.is_exported
    }

    /// The references of the entity.
    pub fn references(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.reference().is_some())
    }

    /// The schema of an entity that a field refers to; known once the schema is part of a catalog.
    pub(crate) fn linked(&self, entity: &str) -> Option<&Schema> {
        self.links.get(entity).map(Arc::as_ref)
    }

    /// Makes the schemas of the entities that it refers to known.
    pub(crate) fn link(&mut self, entities: &HashMap<String, Arc<Schema>>) {
        let references: Vec<String> =
            self.references().filter_map(Field::reference).map(|(name, _)| name.to_owned()).collect();
        for name in references {
            if let Some(schema) = entities.get(&name) {
                self.links.insert(name, Arc::clone(schema));
            }
        }
    }

    /// The fields of an object: those of the entity, in the place of each the sub-schema's if that has it, and
    /// what only the sub-schema has.
    pub(crate) fn fields_of<'a>(&'a self, subschema: Option<&'a Schema>) -> impl Iterator<Item = &'a Field> {
        let refined = move |field: &'a Field| {
            subschema.and_then(|schema| schema.field_named(&field.name)).unwrap_or(field)
        };
        let further = subschema.into_iter().flat_map(|schema| &schema.fields);
        let further = further.filter(|field| !self.places.contains_key(&field.name));
        self.fields.iter().map(refined).chain(further)
    }
}
