//! The functions that a schema in JSON can name.

use std::collections::HashMap;

use serde_json::Value;

use crate::{Check, CheckFunction, Hook, Object, Violations, checks};

/// The functions that a schema in JSON can name.
#[derive(Debug, Clone, Default)]
pub struct Functions {
    checks: HashMap<&'static str, Check>,
    entity_checks: HashMap<&'static str, CheckFunction>,
    hooks: HashMap<&'static str, Hook>,
    shorthands: HashMap<&'static str, ShorthandFunction>,
    without_database: bool,
}

/// From the value of a shorthand and the object it was given in to the fields that it stands for.
pub type ShorthandFunction = fn(&Value, &Object) -> Result<Object, Violations>;

impl Functions {
    /// The functions of this crate: the checks of [`checks`].
    pub fn standard() -> Self {
        let checked =
            checks::ALL.iter().fold(Self::default(), |functions, check| functions.with_check(*check));
        checked.with_entity_check(checks::CACHE_MEMORY)
    }

    /// For a gateway without a database: where a schema in JSON says `one_of_without_database`, that counts in
    /// place of `one_of`.
    pub fn without_database(mut self) -> Self {
        self.without_database = true;
        self
    }

    /// Whether schemas are read for a gateway without a database.
    pub fn is_without_database(&self) -> bool {
        self.without_database
    }

    /// Adds a check of values.
    pub fn with_check(mut self, check: Check) -> Self {
        self.checks.insert(check.name, check);
        self
    }

    /// Adds a check of objects.
    pub fn with_entity_check(mut self, check: CheckFunction) -> Self {
        self.entity_checks.insert(check.name, check);
        self
    }

    /// Adds a transformation.
    pub fn with_hook(mut self, hook: Hook) -> Self {
        self.hooks.insert(hook.name, hook);
        self
    }

    /// Adds what a shorthand stands for.
    pub fn with_shorthand(mut self, name: &'static str, run: ShorthandFunction) -> Self {
        self.shorthands.insert(name, run);
        self
    }

    /// The check of values with a name.
    pub fn check(&self, name: &str) -> Option<Check> {
        self.checks.get(name).copied()
    }

    /// The check of objects with a name.
    pub fn entity_check(&self, name: &str) -> Option<CheckFunction> {
        self.entity_checks.get(name).copied()
    }

    /// The transformation with a name.
    pub fn hook(&self, name: &str) -> Option<Hook> {
        self.hooks.get(name).copied()
    }

    /// What a shorthand stands for, by the name of the function.
    pub fn shorthand(&self, name: &str) -> Option<(&'static str, ShorthandFunction)> {
        self.shorthands.get_key_value(name).map(|(name, run)| (*name, *run))
    }
}
