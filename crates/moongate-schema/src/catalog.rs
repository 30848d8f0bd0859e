//! Every schema that the gateway knows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::{Field, Schema, Violations};

/// The schemas of all entities, plugins and vaults.
///
/// It does not change: when the set of plugins does, a new one is built.
#[derive(Debug, Default)]
pub struct Catalog {
    entities: Vec<Arc<Schema>>,
    by_name: HashMap<String, Arc<Schema>>,
    by_admin_path: HashMap<String, Arc<Schema>>,
    children: HashMap<String, Vec<Child>>,
    plugins: BTreeMap<String, Arc<Schema>>,
    vaults: BTreeMap<String, Arc<Schema>>,
}

/// An entity that refers to another one.
#[derive(Debug, Clone)]
pub struct Child {
    /// The entity that has the reference.
    pub schema: Arc<Schema>,
    /// The name of the field with the reference.
    pub field: String,
}

/// Why schemas do not make a catalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Two entities have the same name or the same path in the Admin API.
    #[error("entity `{0}` is declared twice")]
    Duplicate(String),
    /// An entity refers to one that does not exist.
    #[error("field `{field}` of entity `{entity}` refers to `{reference}`, which is not declared")]
    Dangling {
        /// The entity.
        entity: String,
        /// Its field.
        field: String,
        /// What it refers to.
        reference: String,
    },
    /// Entities refer to each other in a circle.
    #[error("entity `{0}` refers to itself over other entities")]
    Circle(String),
}

/// Collects schemas for a [`Catalog`].
#[derive(Debug, Default)]
pub struct CatalogBuilder {
    entities: Vec<Schema>,
    plugins: BTreeMap<String, Schema>,
    vaults: BTreeMap<String, Schema>,
}

impl Catalog {
    /// Begins a catalog with the core entities.
    pub fn builder(core: Vec<Schema>) -> CatalogBuilder {
        CatalogBuilder { entities: core, ..CatalogBuilder::default() }
    }

    /// The entity with a name: `keyauth_credentials`.
    pub fn entity(&self, name: &str) -> Option<&Arc<Schema>> {
        self.by_name.get(name)
    }

    /// The entity with a name in paths of the Admin API: `key-auths`.
    pub fn entity_by_admin_path(&self, path: &str) -> Option<&Arc<Schema>> {
        self.by_admin_path.get(path)
    }

    /// All entities, each after those that it refers to.
    pub fn entities(&self) -> &[Arc<Schema>] {
        &self.entities
    }

    /// The entities that refer to `parent`, and with which field. One that refers to it twice is there twice.
    pub fn children(&self, parent: &str) -> &[Child] {
        self.children.get(parent).map_or(&[], Vec::as_slice)
    }

    /// The sub-schema of a plugin.
    ///
    /// # Errors
    /// The violation that a plugin configuration with this name has.
    pub fn plugin(&self, name: &str) -> Result<&Arc<Schema>, Violations> {
        self.plugins.get(name).ok_or_else(|| Violations::of_field("name", UNKNOWN_PLUGIN.replace("%s", name)))
    }

    /// The sub-schema of a kind of vault.
    ///
    /// # Errors
    /// The violation that a vault of this kind has.
    pub fn vault(&self, name: &str) -> Result<&Arc<Schema>, Violations> {
        self.vaults.get(name).ok_or_else(|| Violations::of_field("name", UNKNOWN_VAULT.replace("%s", name)))
    }

    /// The names of the plugins.
    pub fn plugins(&self) -> impl Iterator<Item = &str> {
        self.plugins.keys().map(String::as_str)
    }

    /// The names of the kinds of vaults.
    pub fn vaults(&self) -> impl Iterator<Item = &str> {
        self.vaults.keys().map(String::as_str)
    }

    /// Adds an entity whose parents are there.
    fn add(&mut self, schema: Arc<Schema>) -> Result<(), CatalogError> {
        let name = schema.name().to_owned();
        let path = schema.admin_path().to_owned();
        if self.by_name.insert(name.clone(), Arc::clone(&schema)).is_some()
            || self.by_admin_path.insert(path, Arc::clone(&schema)).is_some()
        {
            return Err(CatalogError::Duplicate(name));
        }
        for field in schema.references() {
            let Some((reference, _)) = field.reference() else { continue };
            let child = Child { schema: Arc::clone(&schema), field: field.name.clone() };
            self.children.entry(reference.to_owned()).or_default().push(child);
        }
        self.entities.push(schema);
        Ok(())
    }
}

impl CatalogBuilder {
    /// Adds an entity, such as a plugin's own.
    pub fn entity(mut self, schema: Schema) -> Self {
        self.entities.push(schema);
        self
    }

    /// Adds the sub-schema of a plugin: its `config`, and the fields of `plugins` that it refines.
    pub fn plugin(mut self, name: &str, schema: Schema) -> Self {
        self.plugins.insert(name.to_owned(), schema);
        self
    }

    /// Adds the sub-schema of a kind of vault.
    pub fn vault(mut self, name: &str, schema: Schema) -> Self {
        self.vaults.insert(name.to_owned(), schema);
        self
    }

    /// Puts everything in its place.
    ///
    /// # Errors
    /// Why the schemas do not fit together.
    pub fn build(self) -> Result<Catalog, CatalogError> {
        let plugins = shared(self.plugins);
        let vaults = shared(self.vaults);
        let mut catalog = Catalog::default();
        for schema in parents_first(self.entities)? {
            let mut schema = match schema.name() {
                "plugins" => schema.refined("name", UNKNOWN_PLUGIN, &plugins),
                "vaults" => schema.refined("name", UNKNOWN_VAULT, &vaults),
                _ => schema,
            };
            schema.link(&catalog.by_name);
            let schema = Arc::new(schema);
            catalog.add(schema)?;
        }
        catalog.plugins = plugins;
        catalog.vaults = vaults;
        Ok(catalog)
    }
}

fn shared(schemas: BTreeMap<String, Schema>) -> BTreeMap<String, Arc<Schema>> {
    schemas.into_iter().map(|(name, schema)| (name, Arc::new(schema))).collect()
}

/// Orders entities so that each comes after those it refers to, and otherwise as they were.
fn parents_first(mut waiting: Vec<Schema>) -> Result<Vec<Schema>, CatalogError> {
    check_references(&waiting)?;
    let mut ordered: Vec<Schema> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_ready = |schema: &Schema| {
            schema.references().filter_map(Field::reference).all(|(reference, _)| {
                reference == schema.name() || ordered.iter().any(|parent| parent.name() == reference)
            })
        };
        let Some(at) = waiting.iter().position(is_ready) else {
            let name = waiting.first().map(|schema| schema.name().to_owned());
            return Err(CatalogError::Circle(name.unwrap_or_default()));
        };
        ordered.push(waiting.remove(at));
    }
    Ok(ordered)
}

fn check_references(schemas: &[Schema]) -> Result<(), CatalogError> {
    for schema in schemas {
        for field in schema.references() {
            let Some((reference, _)) = field.reference() else { continue };
            if !schemas.iter().any(|parent| parent.name() == reference) {
                return Err(CatalogError::Dangling {
                    entity: schema.name().to_owned(),
                    field: field.name.clone(),
                    reference: reference.to_owned(),
                });
            }
        }
    }
    Ok(())
}

const UNKNOWN_PLUGIN: &str = "plugin '%s' not enabled; add it to the 'plugins' configuration property";
const UNKNOWN_VAULT: &str = "vault '%s' is not installed";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types;

    #[test]
    fn schemas_that_do_not_fit_together_are_refused() {
        let entity = |name: &str| Schema::entity(name).field("id", types::id());
        let build = |schemas: Vec<Schema>| Catalog::builder(schemas).build().map(drop).unwrap_err();
        assert_eq!(build(vec![entity("a"), entity("a")]), CatalogError::Duplicate("a".to_owned()));
        assert_eq!(
            build(vec![entity("a"), entity("b").admin_name("a")]),
            CatalogError::Duplicate("b".to_owned())
        );
        let lost = build(vec![entity("a").field("b", Field::foreign("b"))]);
        assert_eq!(lost.to_string(), "field `b` of entity `a` refers to `b`, which is not declared");
        let circle =
            vec![entity("a").field("b", Field::foreign("b")), entity("b").field("a", Field::foreign("a"))];
        assert_eq!(build(circle), CatalogError::Circle("a".to_owned()));
    }

    #[test]
    fn an_entity_of_a_plugin_is_one_like_any_other() {
        let consumers = Schema::entity("consumers").field("id", types::id());
        let keys = Schema::entity("keyauth_credentials")
            .admin_name("key-auths")
            .admin_nested_name("key-auth")
            .field("id", types::id())
            .field("consumer", Field::foreign("consumers").required().cascade());
        let catalog = Catalog::builder(vec![keys]).entity(consumers).build().unwrap();
        let names: Vec<&str> = catalog.entities().iter().map(|schema| schema.name()).collect();
        assert_eq!(names, ["consumers", "keyauth_credentials"]);
        assert_eq!(catalog.entity_by_admin_path("key-auths").unwrap().nested_path(), "key-auth");
        let children: Vec<&str> =
            catalog.children("consumers").iter().map(|child| child.field.as_str()).collect();
        assert_eq!(children, ["consumer"]);
    }

    #[test]
    fn an_unknown_plugin_is_told_as_a_violation() {
        let catalog = Catalog::builder(Vec::new()).plugin("known", Schema::record()).build().unwrap();
        assert!(catalog.plugin("known").is_ok());
        assert_eq!(
            catalog.plugin("x").unwrap_err().message(),
            "schema violation (name: plugin 'x' not enabled; add it to the 'plugins' configuration property)"
        );
        assert_eq!(
            catalog.vault("x").unwrap_err().message(),
            "schema violation (name: vault 'x' is not installed)"
        );
    }
}
