//! Schemas from JSON.

use serde_json::Value;

use super::checks;
use super::members::{FIELD_MEMBERS, SCHEMA_MEMBERS, SHORTHAND_MEMBERS};
use crate::{
    Auto, Deprecation, Expression, Field, FieldType, Functions, Length, Object, OnDelete, PatternRule, Rules,
    Schema, Shorthand, ShorthandTarget, Transformation,
};

/// Why a declaration is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` {reason}")]
pub struct SchemaError {
    /// The place in the declaration, such as `fields.0.port.between`.
    pub path: String,
    /// What is wrong there, as the rest of a sentence that begins with the place.
    pub reason: String,
}

pub(super) fn schema(declaration: &Value, functions: &Functions) -> Result<Schema, SchemaError> {
    let reader = Reader { path: "schema".to_owned(), value: declaration, functions };
    reader.knows(SCHEMA_MEMBERS)?;
    let mut schema = match reader.optional("name") {
        Some(name) => Schema::entity(&name.text()?),
        None => Schema::record(),
    };
    if let Some(key) = reader.optional("primary_key")
        && key.texts()? != [schema.primary_key()]
    {
        return Err(key.error("must be `id`"));
    }
    if let Some(key) = reader.optional("endpoint_key") {
        schema = schema.endpoint_key(&key.text()?);
    }
    if let Some(key) = reader.optional("cache_key") {
        let fields = key.texts()?;
        schema = schema.cache_key(&fields.iter().map(String::as_str).collect::<Vec<_>>());
    }
    if let Some(name) = reader.optional("admin_api_name") {
        schema = schema.admin_name(&name.text()?);
    }
    if let Some(name) = reader.optional("admin_api_nested_name") {
        schema = schema.admin_nested_name(&name.text()?);
    }
    if !reader.flag_or("stored", true)? {
        schema = schema.not_stored();
    }
    if !reader.flag_or("generate_admin_api", true)? {
        schema = schema.internal();
    }
    if !reader.flag_or("db_export", true)? {
        schema = schema.not_exported();
    }
    if reader.flag("ttl")? {
        schema = schema.with_ttl();
    }
    schema = reader.record(schema)?;
    for transformation in reader.elements("transformations")? {
        schema = schema.transformation(transformation.transformation()?);
    }
    Ok(schema)
}

/// A place in a declaration.
pub(super) struct Reader<'a> {
    path: String,
    value: &'a Value,
    pub(super) functions: &'a Functions,
}

impl<'a> Reader<'a> {
    pub(super) fn error(&self, reason: &str) -> SchemaError {
        SchemaError { path: self.path.clone(), reason: reason.to_owned() }
    }

    fn at(&self, name: &str, value: &'a Value) -> Self {
        Self { path: format!("{}.{name}", self.path), value, functions: self.functions }
    }

    pub(super) fn object(&self) -> Result<&'a Object, SchemaError> {
        self.value.as_object().ok_or_else(|| self.error("must be an object"))
    }

    /// Refuses members with other names.
    pub(super) fn knows(&self, names: &[&str]) -> Result<(), SchemaError> {
        match self.object()?.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(self.at(name, &Value::Null).error("is not known")),
            None => Ok(()),
        }
    }

    pub(super) fn optional(&self, name: &str) -> Option<Self> {
        Some(self.at(name, self.value.as_object()?.get(name)?))
    }

    pub(super) fn member(&self, name: &str) -> Result<Self, SchemaError> {
        self.optional(name).ok_or_else(|| self.at(name, &Value::Null).error("is missing"))
    }

    /// The name and value of an object's only member.
    pub(super) fn only_member(&self) -> Result<(&'a str, Self), SchemaError> {
        let mut members = self.object()?.iter();
        match (members.next(), members.next()) {
            (Some((name, value)), None) => Ok((name, self.at(name, value))),
            _ => Err(self.error("must have one member")),
        }
    }

    pub(super) fn text(&self) -> Result<String, SchemaError> {
        self.value.as_str().map(str::to_owned).ok_or_else(|| self.error("must be a text"))
    }

    pub(super) fn boolean(&self) -> Result<bool, SchemaError> {
        self.value.as_bool().ok_or_else(|| self.error("must be true or false"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, SchemaError> {
        self.flag_or(name, false)
    }

    fn flag_or(&self, name: &str, default: bool) -> Result<bool, SchemaError> {
        self.optional(name).map_or(Ok(default), |flag| flag.boolean())
    }

    fn number(&self) -> Result<f64, SchemaError> {
        match self.value.as_str() {
            Some("inf") => Ok(f64::INFINITY),
            Some("-inf") => Ok(f64::NEG_INFINITY),
            _ => self.value.as_f64().ok_or_else(|| self.error("must be a number")),
        }
    }

    fn expression(&self) -> Result<Expression, SchemaError> {
        Expression::new(&self.text()?).map_err(|_| self.error("is no regular expression"))
    }

    fn length(&self) -> Result<usize, SchemaError> {
        let length = self.value.as_u64().and_then(|length| usize::try_from(length).ok());
        length.ok_or_else(|| self.error("must be a length"))
    }

    fn list(&self) -> Result<Vec<Self>, SchemaError> {
        match self.value {
            Value::Array(values) => {
                Ok(values.iter().enumerate().map(|(at, value)| self.at(&at.to_string(), value)).collect())
            }
            // An empty table is an empty list as well.
            Value::Object(members) if members.is_empty() => Ok(Vec::new()),
            _ => Err(self.error("must be a list")),
        }
    }

    fn elements(&self, name: &str) -> Result<Vec<Self>, SchemaError> {
        self.optional(name).map_or(Ok(Vec::new()), |list| list.list())
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, SchemaError> {
        self.list()?.iter().map(Self::text).collect()
    }

    fn values(&self) -> Result<Vec<Value>, SchemaError> {
        Ok(self.list()?.iter().map(|value| value.value.clone()).collect())
    }

    fn record(&self, mut schema: Schema) -> Result<Schema, SchemaError> {
        for field in self.elements("fields")? {
            let (name, field) = field.only_member()?;
            schema = schema.field(name, field.field(name)?);
        }
        for shorthand in self.elements("shorthand_fields")? {
            let (name, shorthand) = shorthand.only_member()?;
            schema = schema.shorthand(name, shorthand.shorthand(name)?);
        }
        for check in self.elements("entity_checks")? {
            schema = schema.entity_check(checks::read(check)?);
        }
        Ok(schema)
    }

    pub(super) fn field(&self, name: &str) -> Result<Field, SchemaError> {
        self.knows(FIELD_MEMBERS)?;
        let field = self.attributes(name)?;
        self.check_default(&field)?;
        Ok(field)
    }

    /// Refuses a default that its own field would refuse. That of a record is only a part of it.
    fn check_default(&self, field: &Field) -> Result<(), SchemaError> {
        let default = self.optional("default").filter(|default| !default.value.is_null());
        let Some(default) = default.filter(|_| field.fields().is_none()) else { return Ok(()) };
        match field.problem_alone(default.value) {
            Some(problem) => Err(default.error(&format!("is refused by the field itself: {problem}"))),
            None => Ok(()),
        }
    }

    fn attributes(&self, name: &str) -> Result<Field, SchemaError> {
        let rules = self.rules()?;
        let kind = self.kind()?;
        let text = |member: &str| self.optional(member).map(|text| text.text()).transpose();
        let boolean = |member: &str| self.optional(member).map(|flag| flag.boolean()).transpose();
        Ok(Field {
            name: name.to_owned(),
            required: boolean("required")?,
            default: self.optional("default").map(|default| default.value.clone()),
            unique: boolean("unique")?,
            auto: if self.flag("auto")? { Some(self.auto(name, &kind, &rules)?) } else { None },
            immutable: self.flag("immutable")?,
            referenceable: self.flag("referenceable")?,
            encrypted: self.flag("encrypted")?,
            transient: self.flag("transient")?,
            is_abstract: self.flag("abstract")?,
            indexed: self.flag("indexed")?,
            unique_across_ws: self.flag("unique_across_ws")?,
            err: text("err")?,
            description: text("description")?,
            examples: self.optional("examples").map(|examples| examples.values()).transpose()?,
            deprecation: self.optional("deprecation").map(|old| old.deprecation()).transpose()?,
            rules,
            kind,
        })
    }

    fn auto(&self, name: &str, kind: &FieldType, rules: &Rules) -> Result<Auto, SchemaError> {
        match (name, kind) {
            (_, FieldType::String) if rules.uuid => Ok(Auto::Uuid),
            (_, FieldType::String) => Ok(Auto::RandomString),
            ("created_at", FieldType::Integer | FieldType::Number) => Ok(Auto::CreatedAt),
            ("updated_at", FieldType::Integer | FieldType::Number) => Ok(Auto::UpdatedAt),
            _ => Err(self.error("cannot be filled by the gateway")),
        }
    }

    fn kind(&self) -> Result<FieldType, SchemaError> {
        let anonymous = |name: &str| self.member(name)?.field("").map(Box::new);
        let kind = self.member("type")?;
        Ok(match kind.text()?.as_str() {
            "string" => FieldType::String,
            "integer" => FieldType::Integer,
            "number" => FieldType::Number,
            "boolean" => FieldType::Boolean,
            "function" => FieldType::Function,
            "array" => FieldType::Array(anonymous("elements")?),
            "set" => FieldType::Set(anonymous("elements")?),
            "map" => FieldType::Map { keys: anonymous("keys")?, values: anonymous("values")? },
            "record" => return Ok(Field::record(self.record(Schema::record())?).kind),
            "foreign" => FieldType::Foreign {
                reference: self.member("reference")?.text()?,
                on_delete: self
                    .optional("on_delete")
                    .map_or(Ok(OnDelete::Restrict), |rule| rule.on_delete())?,
            },
            "json" => FieldType::Json(self.optional("json_schema").map(|schema| schema.value.clone())),
            _ => return Err(kind.error("is no type that is known")),
        })
    }

    fn on_delete(&self) -> Result<OnDelete, SchemaError> {
        match self.text()?.as_str() {
            "restrict" => Ok(OnDelete::Restrict),
            "cascade" => Ok(OnDelete::Cascade),
            "null" => Ok(OnDelete::Null),
            _ => Err(self.error("must be `restrict`, `cascade` or `null`")),
        }
    }

    pub(super) fn rules(&self) -> Result<Rules, SchemaError> {
        let value = |name: &str| self.optional(name).map(|member| member.value.clone());
        let values = |name: &str| self.optional(name).map(|member| member.values()).transpose();
        let text = |name: &str| self.optional(name).map(|member| member.text()).transpose();
        let length = |name: &str| self.optional(name).map(|member| member.length()).transpose();
        let patterns =
            |name: &str| self.elements(name)?.iter().map(Self::pattern).collect::<Result<Vec<_>, _>>();
        Ok(Rules {
            eq: value("eq"),
            ne: value("ne"),
            not_one_of: values("not_one_of")?,
            one_of: values(self.one_of())?,
            gt: self.optional("gt").map(|than| than.number()).transpose()?,
            timestamp: self.flag("timestamp")?,
            uuid: self.flag("uuid")?,
            is_regex: self.flag("is_regex")?,
            between: self.optional("between").map(|range| range.range()).transpose()?,
            length: Length { eq: length("len_eq")?, min: length("len_min")?, max: length("len_max")? },
            starts_with: text("starts_with")?,
            not_match: text("not_match")?,
            match_none: patterns("match_none")?,
            matches: text("match")?,
            match_all: patterns("match_all")?,
            match_any: self.optional("match_any").map(|any| any.match_any()).transpose()?,
            pattern: self.optional("pattern").map(|pattern| pattern.expression()).transpose()?,
            contains: value("contains"),
            check: match self.optional("check") {
                None => None,
                Some(name) => {
                    let check = self.functions.check(&name.text()?);
                    Some(check.ok_or_else(|| name.error("names no check of values"))?)
                }
            },
            mutually_exclusive_subsets: match self.optional("mutually_exclusive_subsets") {
                None => None,
                Some(sets) => Some(sets.list()?.iter().map(Self::values).collect::<Result<_, _>>()?),
            },
        })
    }

    /// The member that says which values there are.
    fn one_of(&self) -> &'static str {
        let special = "one_of_without_database";
        if self.functions.is_without_database() && self.optional(special).is_some() {
            special
        } else {
            "one_of"
        }
    }

    fn range(&self) -> Result<(f64, f64), SchemaError> {
        match self.list()?.as_slice() {
            [least, most] => Ok((least.number()?, most.number()?)),
            _ => Err(self.error("must be two numbers")),
        }
    }

    fn pattern(&self) -> Result<PatternRule, SchemaError> {
        let err = self.optional("err").map(|err| err.text()).transpose()?;
        Ok(PatternRule { pattern: self.member("pattern")?.text()?, err })
    }

    fn match_any(&self) -> Result<(Vec<String>, Option<String>), SchemaError> {
        let err = self.optional("err").map(|err| err.text()).transpose()?;
        Ok((self.member("patterns")?.texts()?, err))
    }

    fn deprecation(&self) -> Result<Deprecation, SchemaError> {
        self.knows(&["message", "removal_in_version", "old_default", "replaced_with"])?;
        let text = |name: &str| self.optional(name).map(|member| member.text()).transpose();
        let paths = self.elements("replaced_with")?;
        Ok(Deprecation {
            message: text("message")?,
            removal_in_version: text("removal_in_version")?,
            old_default: self.optional("old_default").map(|default| default.value.clone()),
            replaced_with: paths.iter().map(|one| one.member("path")?.texts()).collect::<Result<_, _>>()?,
        })
    }

    fn shorthand(&self, name: &str) -> Result<Shorthand, SchemaError> {
        self.knows(SHORTHAND_MEMBERS)?;
        let field = self.attributes(name)?;
        let target = if let Some(function) = self.optional("function") {
            let found = self.functions.shorthand(&function.text()?);
            let (name, run) = found.ok_or_else(|| function.error("names no shorthand"))?;
            ShorthandTarget::Function { name, run }
        } else if let Some(paths) = self.optional("expands_to") {
            ShorthandTarget::Paths(paths.list()?.iter().map(Self::texts).collect::<Result<_, _>>()?)
        } else {
            let paths = field.deprecation.as_ref().map(|old| old.replaced_with.clone()).unwrap_or_default();
            if paths.is_empty() {
                return Err(
                    self.error("must say what it stands for: `expands_to`, `function` or a deprecation")
                );
            }
            ShorthandTarget::Paths(paths)
        };
        Ok(Shorthand { field, target })
    }

    fn transformation(&self) -> Result<Transformation, SchemaError> {
        self.knows(&["input", "needs", "on_write"])?;
        let name = self.member("on_write")?;
        let hook = self.functions.hook(&name.text()?);
        Ok(Transformation {
            input: self.member("input")?.texts()?,
            needs: self.optional("needs").map_or(Ok(Vec::new()), |needs| needs.texts())?,
            on_write: hook.ok_or_else(|| name.error("names no transformation"))?,
        })
    }
}
