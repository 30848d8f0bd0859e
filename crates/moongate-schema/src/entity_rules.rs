//! Running the checks over several fields of an object.

use serde_json::Value;

use crate::text::value_at;
use crate::validate::{Look, MISSING, Mode, quoted, same};
use crate::{
    CheckFailure, Choice, Condition, ConditionalChoice, CustomCheck, EntityCheck, Field, FieldType, Object,
    Problem, Requirement, Schema, Transformation, Violations,
};

impl Schema {
    /// Runs all checks over several fields, after the fields by themselves.
    pub(crate) fn check_entity(
        &self,
        object: &Object,
        subschema: Option<&Schema>,
        look: Look<'_>,
        violations: &mut Violations,
    ) {
        let run = Run { schema: self, subschema, object, look };
        for schema in [Some(self), subschema].into_iter().flatten() {
            for check in schema.entity_checks() {
                run.check(check, violations);
            }
        }
        if look.mode == Mode::Partial {
            return;
        }
        for schema in [Some(self), subschema].into_iter().flatten() {
            for transformation in schema.transformations() {
                run.check_transformation(transformation, violations);
            }
        }
    }
}

struct Run<'a> {
    schema: &'a Schema,
    subschema: Option<&'a Schema>,
    object: &'a Object,
    look: Look<'a>,
}

impl Run<'_> {
    fn check(&self, check: &EntityCheck, violations: &mut Violations) {
        let text = match check {
            EntityCheck::AtLeastOneOf(fields) => {
                if self.is_skipped(fields) || self.given(fields).next().is_some() {
                    return;
                }
                let when = if self.look.mode == Mode::Update { "when updating, " } else { "" };
                format!("{when}at least one of these fields must be non-empty: {}", names(fields))
            }
            EntityCheck::OnlyOneOf(fields) => {
                if self.is_skipped(fields) || self.given(fields).count() == 1 {
                    return;
                }
                format!("exactly one of these fields must be non-empty: {}", names(fields))
            }
            EntityCheck::MutuallyRequired(fields) => {
                let given = self.given(fields).count();
                if given == 0 || given == fields.len() || any_wrong(fields, violations) {
                    return;
                }
                format!("all or none of these fields must be set: {}", names(fields))
            }
            EntityCheck::MutuallyExclusive(fields) => {
                if self.given(fields).count() <= 1 {
                    return;
                }
                format!("only one or none of these fields must be set: {}", names(fields))
            }
            EntityCheck::MutuallyExclusiveSets(one, other) => {
                let hit_one: Vec<String> = self.given(one).map(str::to_owned).collect();
                let hit_other: Vec<String> = self.given(other).map(str::to_owned).collect();
                if hit_one.is_empty() || hit_other.is_empty() {
                    return;
                }
                format!("these sets are mutually exclusive: ({}), ({})", names(&hit_one), names(&hit_other))
            }
            EntityCheck::Distinct(fields) => {
                let values: Vec<&Value> = self.given(fields).filter_map(|field| self.value(field)).collect();
                let mut rest = values.as_slice();
                let is_distinct = loop {
                    let [first, tail @ ..] = rest else { break true };
                    if tail.iter().any(|value| same(first, value)) {
                        break false;
                    }
                    rest = tail;
                };
                if is_distinct {
                    return;
                }
                format!("values of these fields must be distinct: {}", names(fields))
            }
            EntityCheck::Conditional(condition) => return self.check_condition(condition, violations),
            EntityCheck::ConditionalAtLeastOneOf(choice) => return self.check_choice(choice, violations),
            EntityCheck::Custom(custom) => return self.check_custom(custom, violations),
        };
        violations.add_entity(text);
    }

    fn check_condition(&self, condition: &Condition, violations: &mut Violations) {
        let fields = [&condition.if_field, &condition.then_field];
        if fields.iter().any(|field| violations.at(field).is_some()) {
            return;
        }
        let Some(if_value) = self.value(&condition.if_field) else { return };
        if !self.meets(&condition.if_field, &condition.if_match, if_value) {
            return;
        }
        let then_value = self.value(&condition.then_field).unwrap_or(&Value::Null);
        let required = condition.then_match.required == Some(true);
        let problem = if required && then_value.is_null() {
            Some(Problem::from(MISSING))
        } else {
            self.problem(&condition.then_field, &condition.then_match, then_value)
        };
        let Some(problem) = problem else { return };
        match problem {
            Problem::Text(text) => violations.add_at(&condition.then_field, text),
            nested => violations.add(&condition.then_field, nested),
        }
        violations.add_entity(condition.then_err.clone().unwrap_or_else(|| {
            format!("failed conditional validation given value of field '{}'", condition.if_field)
        }));
    }

    fn check_choice(&self, choice: &ConditionalChoice, violations: &mut Violations) {
        let Some(if_value) = self.value(&choice.if_field) else { return };
        if violations.at(&choice.if_field).is_some() {
            return;
        }
        if self.meets(&choice.if_field, &choice.if_match, if_value) {
            return self.choose(&choice.then, violations);
        }
        if let Some((requirement, then)) = &choice.otherwise
            && requirement.as_ref().is_none_or(|wanted| self.meets(&choice.if_field, wanted, if_value))
        {
            self.choose(then, violations);
        }
    }

    fn choose(&self, choice: &Choice, violations: &mut Violations) {
        if any_wrong(&choice.at_least_one_of, violations)
            || self.given(&choice.at_least_one_of).next().is_some()
        {
            return;
        }
        let names = names(&choice.at_least_one_of);
        violations.add_entity(match &choice.err {
            Some(err) => err.replace("%s", &names),
            None => {
                let when = if self.look.mode == Mode::Update { "when updating, " } else { "" };
                format!("{when}at least one of these fields must be non-empty: {names}")
            }
        });
    }

    fn check_custom(&self, custom: &CustomCheck, violations: &mut Violations) {
        let Some(function) = custom.function else { return };
        let fields = &custom.field_sources;
        if !custom.run_with_invalid_fields && any_wrong(fields, violations) {
            return;
        }
        let is_missing = |field: &String| self.value(field).is_none();
        if !custom.run_with_missing_fields && fields.iter().any(is_missing) {
            return;
        }
        match (function.run)(self.object, self.look.context) {
            Ok(()) => {}
            Err(CheckFailure::Entity(text)) => violations.add_entity(text),
            Err(CheckFailure::Fields(fields)) => violations.merge(fields),
        }
    }

    /// A value that is transformed together with others needs them. On a change they must be named with it, or be
    /// as they were; so must the value when one of the others changes.
    fn check_transformation(&self, transformation: &Transformation, violations: &mut Violations) {
        let Transformation { input, needs, .. } = transformation;
        let given = self.look.change.map_or(self.object, |change| change.patch);
        let is_moved = self.look.change.is_some_and(|change| {
            needs.iter().any(|need| value_at(change.patch, need) != value_at(change.existing, need))
        });
        if !is_moved && given_in(given, input).next().is_none() {
            return;
        }
        let object = if is_moved { given } else { self.object };
        let fields: Vec<String> = input.iter().chain(needs).cloned().collect();
        let count = given_in(object, &fields).count();
        if count != 0 && count != fields.len() {
            violations.add_entity(format!("all or none of these fields must be set: {}", names(&fields)));
        }
    }

    /// Whether nothing of what a check looks at is there, and that is no wonder.
    fn is_skipped(&self, fields: &[String]) -> bool {
        self.look.mode == Mode::Partial && fields.iter().all(|field| self.value(field).is_none())
    }

    fn value(&self, path: &str) -> Option<&Value> {
        value_at(self.object, path)
    }

    /// Those of `fields` that are given and not empty.
    fn given<'f>(&self, fields: &'f [String]) -> impl Iterator<Item = &'f str> {
        given_in(self.object, fields)
    }

    fn meets(&self, path: &str, requirement: &Requirement, value: &Value) -> bool {
        self.problem(path, requirement, value).is_none()
    }

    fn problem(&self, path: &str, requirement: &Requirement, value: &Value) -> Option<Problem> {
        let field = self.field_at(path)?;
        let whole = requirement.whole.get_or_make(|| requirement.refine(field));
        whole.problem(value, self.schema, self.look)
    }

    fn field_at(&self, path: &str) -> Option<&Field> {
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let refined = self.subschema.and_then(|schema| schema.field_named(head));
        let field = refined.or_else(|| self.schema.field_named(head))?;
        match rest {
            Some(rest) => field.fields()?.field_at(rest),
            None => Some(field),
        }
    }
}

impl Schema {
    /// The field at a path such as `redis.host`.
    pub fn field_at(&self, path: &str) -> Option<&Field> {
        match path.split_once('.') {
            None => self.field_named(path),
            Some((head, rest)) => self.field_named(head)?.fields()?.field_at(rest),
        }
    }
}

impl Requirement {
    /// The field as it must be: its declaration, and this in place of what it says.
    fn refine(&self, field: &Field) -> Field {
        let mut whole = field.clone();
        if let (Some(elements), FieldType::Array(own) | FieldType::Set(own)) =
            (&self.elements, &mut whole.kind)
        {
            *own = elements.clone();
        }
        whole.required = self.required.or(whole.required);
        whole.err = self.err.clone().or(whole.err);
        whole.rules.replace_with(&self.rules);
        whole
    }
}

/// Whether a value counts as given: it is not null, no empty text, and no empty list or table.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn given_in<'f>(object: &Object, fields: &'f [String]) -> impl Iterator<Item = &'f str> {
    fields.iter().map(String::as_str).filter(|field| value_at(object, field).is_some_and(is_given))
}

fn any_wrong(fields: &[String], violations: &Violations) -> bool {
    fields.iter().any(|field| violations.at(field).is_some())
}

fn names(fields: &[String]) -> String {
    quoted(fields.iter().cloned())
}
