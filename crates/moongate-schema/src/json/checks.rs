//! Checks over several fields as JSON.

use serde_json::{Value, json};

use super::Form;
use super::members::FIELD_MEMBERS;
use super::read::{Reader, SchemaError};
use super::write::{attributes, write_rules};
use crate::{Choice, Condition, ConditionalChoice, CustomCheck, EntityCheck, Object, Requirement};

pub(super) fn write(check: &EntityCheck, form: Form) -> Value {
    match check {
        EntityCheck::AtLeastOneOf(fields) => json!({"at_least_one_of": fields}),
        EntityCheck::OnlyOneOf(fields) => json!({"only_one_of": fields}),
        EntityCheck::MutuallyRequired(fields) => json!({"mutually_required": fields}),
        EntityCheck::MutuallyExclusive(fields) => json!({"mutually_exclusive": fields}),
        EntityCheck::MutuallyExclusiveSets(one, other) => {
            json!({"mutually_exclusive_sets": {"set1": one, "set2": other}})
        }
        EntityCheck::Distinct(fields) => json!({"distinct": fields}),
        EntityCheck::Conditional(condition) => {
            let mut out = Object::from_iter([
                ("if_field".to_owned(), json!(condition.if_field)),
                ("if_match".to_owned(), requirement(&condition.if_match, form)),
                ("then_field".to_owned(), json!(condition.then_field)),
                ("then_match".to_owned(), requirement(&condition.then_match, form)),
            ]);
            if let Some(err) = &condition.then_err {
                out.insert("then_err".to_owned(), json!(err));
            }
            json!({"conditional": out})
        }
        EntityCheck::ConditionalAtLeastOneOf(choice) => {
            json!({"conditional_at_least_one_of": write_choice(choice, form)})
        }
        EntityCheck::Custom(custom) => json!({"custom_entity_check": write_custom(custom, form)}),
    }
}

fn write_choice(choice: &ConditionalChoice, form: Form) -> Object {
    let mut out = Object::from_iter([
        ("if_field".to_owned(), json!(choice.if_field)),
        ("if_match".to_owned(), requirement(&choice.if_match, form)),
        ("then_at_least_one_of".to_owned(), json!(choice.then.at_least_one_of)),
    ]);
    if let Some(err) = &choice.then.err {
        out.insert("then_err".to_owned(), json!(err));
    }
    if let Some((wanted, then)) = &choice.otherwise {
        if let Some(wanted) = wanted {
            out.insert("else_match".to_owned(), requirement(wanted, form));
        }
        out.insert("else_then_at_least_one_of".to_owned(), json!(then.at_least_one_of));
        if let Some(err) = &then.err {
            out.insert("else_then_err".to_owned(), json!(err));
        }
    }
    out
}

fn write_custom(custom: &CustomCheck, form: Form) -> Object {
    let mut out = Object::from_iter([("field_sources".to_owned(), json!(custom.field_sources))]);
    if custom.run_with_missing_fields {
        out.insert("run_with_missing_fields".to_owned(), json!(true));
    }
    if custom.run_with_invalid_fields {
        out.insert("run_with_invalid_fields".to_owned(), json!(true));
    }
    if let (Form::Declared, Some(function)) = (form, custom.function) {
        out.insert("function".to_owned(), json!(function.name));
    }
    out
}

fn requirement(requirement: &Requirement, form: Form) -> Value {
    let mut out = Object::new();
    write_rules(&requirement.rules, form, &mut out);
    if let Some(elements) = &requirement.elements {
        out.insert("elements".to_owned(), Value::Object(attributes(elements, form)));
    }
    if let Some(required) = requirement.required {
        out.insert("required".to_owned(), json!(required));
    }
    if let Some(err) = &requirement.err {
        out.insert("err".to_owned(), json!(err));
    }
    Value::Object(out)
}

pub(super) fn read(check: Reader<'_>) -> Result<EntityCheck, SchemaError> {
    let (kind, argument) = check.only_member()?;
    match kind {
        "at_least_one_of" => argument.texts().map(EntityCheck::AtLeastOneOf),
        "only_one_of" => argument.texts().map(EntityCheck::OnlyOneOf),
        "mutually_required" => argument.texts().map(EntityCheck::MutuallyRequired),
        "mutually_exclusive" => argument.texts().map(EntityCheck::MutuallyExclusive),
        "distinct" => argument.texts().map(EntityCheck::Distinct),
        "mutually_exclusive_sets" => {
            let (one, other) = (argument.member("set1")?.texts()?, argument.member("set2")?.texts()?);
            Ok(EntityCheck::MutuallyExclusiveSets(one, other))
        }
        "conditional" => {
            argument.knows(&["if_field", "if_match", "then_field", "then_match", "then_err"])?;
            Ok(EntityCheck::Conditional(Box::new(Condition {
                if_field: argument.member("if_field")?.text()?,
                if_match: read_requirement(&argument.member("if_match")?)?,
                then_field: argument.member("then_field")?.text()?,
                then_match: read_requirement(&argument.member("then_match")?)?,
                then_err: argument.optional("then_err").map(|err| err.text()).transpose()?,
            })))
        }
        "conditional_at_least_one_of" => read_choice(&argument),
        "custom_entity_check" => read_custom(&argument).map(EntityCheck::Custom),
        _ => Err(check.error("is no check that is known")),
    }
}

fn read_choice(argument: &Reader<'_>) -> Result<EntityCheck, SchemaError> {
    argument.knows(&[
        "if_field",
        "if_match",
        "then_at_least_one_of",
        "then_err",
        "else_match",
        "else_then_at_least_one_of",
        "else_then_err",
    ])?;
    let choice = |fields: Reader<'_>, err: &str| {
        let err = argument.optional(err).map(|err| err.text()).transpose()?;
        Ok(Choice { at_least_one_of: fields.texts()?, err })
    };
    let otherwise = match argument.optional("else_then_at_least_one_of") {
        None => None,
        Some(fields) => {
            let wanted =
                argument.optional("else_match").map(|wanted| read_requirement(&wanted)).transpose()?;
            Some((wanted, choice(fields, "else_then_err")?))
        }
    };
    Ok(EntityCheck::ConditionalAtLeastOneOf(Box::new(ConditionalChoice {
        if_field: argument.member("if_field")?.text()?,
        if_match: read_requirement(&argument.member("if_match")?)?,
        then: choice(argument.member("then_at_least_one_of")?, "then_err")?,
        otherwise,
    })))
}

fn read_custom(argument: &Reader<'_>) -> Result<CustomCheck, SchemaError> {
    argument.knows(&["field_sources", "run_with_missing_fields", "run_with_invalid_fields", "function"])?;
    let function = match argument.optional("function") {
        None => None,
        Some(name) => {
            let function = argument.functions.entity_check(&name.text()?);
            Some(function.ok_or_else(|| name.error("names no check of objects"))?)
        }
    };
    Ok(CustomCheck {
        field_sources: argument.optional("field_sources").map_or(Ok(Vec::new()), |fields| fields.texts())?,
        run_with_missing_fields: argument.flag("run_with_missing_fields")?,
        run_with_invalid_fields: argument.flag("run_with_invalid_fields")?,
        function,
    })
}

fn read_requirement(argument: &Reader<'_>) -> Result<Requirement, SchemaError> {
    argument.knows(FIELD_MEMBERS)?;
    let elements = argument.optional("elements").map(|elements| elements.field("")).transpose()?;
    Ok(Requirement {
        rules: argument.rules()?,
        elements: elements.map(Box::new),
        required: argument.optional("required").map(|required| required.boolean()).transpose()?,
        err: argument.optional("err").map(|err| err.text()).transpose()?,
        ..Requirement::default()
    })
}
