//! Declaring a field like a row of a table.

use std::sync::Arc;

use serde_json::Value;

use super::{Auto, Deprecation, Field, FieldType, OnDelete};
use crate::{Check, Object, PatternRule, Rules, Schema};

impl Field {
    /// A field of a kind, without any rule.
    pub fn of(kind: FieldType) -> Self {
        Self {
            name: String::new(),
            kind,
            required: None,
            default: None,
            unique: None,
            auto: None,
            immutable: false,
            referenceable: false,
            encrypted: false,
            transient: false,
            is_abstract: false,
            indexed: false,
            unique_across_ws: false,
            rules: Rules::default(),
            err: None,
            description: None,
            examples: None,
            deprecation: None,
        }
    }

    /// A text.
    pub fn string() -> Self {
        Self::of(FieldType::String)
    }

    /// A whole number.
    pub fn integer() -> Self {
        Self::of(FieldType::Integer)
    }

    /// A number.
    pub fn number() -> Self {
        Self::of(FieldType::Number)
    }

    /// True or false.
    pub fn boolean() -> Self {
        Self::of(FieldType::Boolean)
    }

    /// A list whose order matters.
    pub fn array(elements: Self) -> Self {
        Self::of(FieldType::Array(Box::new(elements)))
    }

    /// A list without duplicates.
    pub fn set(elements: Self) -> Self {
        Self::of(FieldType::Set(Box::new(elements)))
    }

    /// Values by keys.
    pub fn map(keys: Self, values: Self) -> Self {
        Self::of(FieldType::Map { keys: Box::new(keys), values: Box::new(values) })
    }

    /// Fields of their own.
    pub fn record(schema: Schema) -> Self {
        Self::of(FieldType::Record(Arc::new(schema)))
    }

    /// A reference to an entity whose deletion is refused while the reference stands.
    pub fn foreign(entity: &str) -> Self {
        Self::of(FieldType::Foreign { reference: entity.to_owned(), on_delete: OnDelete::Restrict })
    }

    /// Anything that JSON can hold.
    pub fn json() -> Self {
        Self::of(FieldType::Json(None))
    }

    /// The object goes with the one that it refers to. For references only.
    pub fn cascade(mut self) -> Self {
        if let FieldType::Foreign { on_delete, .. } = &mut self.kind {
            *on_delete = OnDelete::Cascade;
        }
        self
    }

    /// Must not be null.
    pub fn required(self) -> Self {
        Self { required: Some(true), ..self }
    }

    /// May be null, and `/schemas` says so.
    pub fn optional(self) -> Self {
        Self { required: Some(false), ..self }
    }

    /// What it holds when it is not given.
    pub fn default(self, value: impl Into<Value>) -> Self {
        Self { default: Some(value.into()), ..self }
    }

    /// The default of a record is made of the defaults of its fields.
    pub fn default_of_fields(self) -> Self {
        let Some(record) = self.fields() else { return self };
        let default = |field: &Self| Some((field.name.clone(), field.default.clone()?));
        let default: Object = record.fields().iter().filter_map(default).collect();
        self.default(default)
    }

    /// The same, but for the fields of the record.
    pub fn with_fields(self, schema: Schema) -> Self {
        Self { kind: FieldType::Record(Arc::new(schema)), ..self }
    }

    /// No two objects have the same value.
    pub fn unique(self) -> Self {
        Self { unique: Some(true), ..self }
    }

    /// The gateway makes the value.
    pub fn auto(self, auto: Auto) -> Self {
        Self { auto: Some(auto), ..self }
    }

    /// Cannot be changed.
    pub fn immutable(self) -> Self {
        Self { immutable: true, ..self }
    }

    /// May be a reference to a secret, which no further rule looks at.
    pub fn referenceable(self) -> Self {
        Self { referenceable: true, ..self }
    }

    /// Is a secret.
    pub fn encrypted(self) -> Self {
        Self { encrypted: true, ..self }
    }

    /// Is not stored with the object.
    pub fn transient(self) -> Self {
        Self { transient: true, ..self }
    }

    /// A sub-schema says what it holds.
    pub fn abstracted(self) -> Self {
        Self { is_abstract: true, ..self }
    }

    /// Must be one of these.
    pub fn one_of<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.rules.one_of = Some(values.into_iter().map(Into::into).collect());
        self
    }

    /// Must be none of these.
    pub fn not_one_of<V: Into<Value>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.rules.not_one_of = Some(values.into_iter().map(Into::into).collect());
        self
    }

    /// Must be this.
    pub fn eq(mut self, value: impl Into<Value>) -> Self {
        self.rules.eq = Some(value.into());
        self
    }

    /// Must not be this.
    pub fn ne(mut self, value: impl Into<Value>) -> Self {
        self.rules.ne = Some(value.into());
        self
    }

    /// Must be greater.
    pub fn gt(mut self, than: impl Into<f64>) -> Self {
        self.rules.gt = Some(than.into());
        self
    }

    /// Must be between two numbers, inclusively.
    pub fn between(mut self, least: impl Into<f64>, most: impl Into<f64>) -> Self {
        self.rules.between = Some((least.into(), most.into()));
        self
    }

    /// A time in seconds since the epoch.
    pub fn timestamp(mut self) -> Self {
        self.rules.timestamp = true;
        self
    }

    /// A UUID.
    pub fn uuid(mut self) -> Self {
        self.rules.uuid = true;
        self
    }

    /// A regular expression.
    pub fn is_regex(mut self) -> Self {
        self.rules.is_regex = true;
        self
    }

    /// Exactly so long.
    pub fn len_eq(mut self, length: usize) -> Self {
        self.rules.length.eq = Some(length);
        self
    }

    /// At least so long.
    pub fn len_min(mut self, length: usize) -> Self {
        self.rules.length.min = Some(length);
        self
    }

    /// At most so long.
    pub fn len_max(mut self, length: usize) -> Self {
        self.rules.length.max = Some(length);
        self
    }

    /// Must start so.
    pub fn starts_with(mut self, prefix: &str) -> Self {
        self.rules.starts_with = Some(prefix.to_owned());
        self
    }

    /// Must match a Lua pattern.
    pub fn matches(mut self, pattern: &str) -> Self {
        self.rules.matches = Some(pattern.to_owned());
        self
    }

    /// Must not match a Lua pattern, and the text when it does.
    pub fn match_none(mut self, pattern: &str, err: &str) -> Self {
        let rule = PatternRule { pattern: pattern.to_owned(), err: Some(err.to_owned()) };
        self.rules.match_none.push(rule);
        self
    }

    /// Must match a Lua pattern, and the text when it does not.
    pub fn match_all(mut self, pattern: &str, err: &str) -> Self {
        let rule = PatternRule { pattern: pattern.to_owned(), err: Some(err.to_owned()) };
        self.rules.match_all.push(rule);
        self
    }

    /// The text when none of the patterns of [`Field::match_any`] matches.
    pub fn match_any_err(mut self, text: &str) -> Self {
        if let Some((_, err)) = &mut self.rules.match_any {
            *err = Some(text.to_owned());
        }
        self
    }

    /// Must match one of several Lua patterns.
    pub fn match_any<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        self.rules.match_any = Some((patterns.into_iter().map(str::to_owned).collect(), None));
        self
    }

    /// Must pass a function.
    pub fn check(mut self, check: Check) -> Self {
        self.rules.check = Some(check);
        self
    }

    /// The elements must belong to one of these sets only.
    pub fn mutually_exclusive_subsets(mut self, sets: &[&[&str]]) -> Self {
        let sets = sets.iter().map(|set| set.iter().map(|value| Value::from(*value)).collect());
        self.rules.mutually_exclusive_subsets = Some(sets.collect());
        self
    }

    /// The text for any broken rule.
    pub fn err(self, text: &str) -> Self {
        Self { err: Some(text.to_owned()), ..self }
    }

    /// What it is for.
    pub fn describe(self, text: &str) -> Self {
        Self { description: Some(text.to_owned()), ..self }
    }

    /// Should not be used any more.
    pub fn deprecated(self, deprecation: Deprecation) -> Self {
        Self { deprecation: Some(deprecation), ..self }
    }
}
