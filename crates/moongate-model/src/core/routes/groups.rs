//! What a route can match on, by its protocols.

use std::collections::BTreeMap;
use std::sync::Arc;

use moongate_schema::{Choice, ConditionalChoice, EntityCheck, Field, Requirement, Schema};
use serde_json::Value;

use super::{RouterFlavor, addresses, headers};

/// The sub-schemas of routes, by their first protocol.
pub(super) fn schemas(flavor: RouterFlavor) -> BTreeMap<String, Arc<Schema>> {
    let groups: [(&[&str], Schema); 4] = [
        (&["http", "https"], http(flavor)),
        (&["tcp", "tls", "udp"], stream(flavor)),
        (&["tls_passthrough"], tls_passthrough(flavor)),
        (&["grpc", "grpcs"], grpc(flavor)),
    ];
    let mut schemas = BTreeMap::new();
    for (protocols, schema) in groups {
        let schema = Arc::new(schema);
        schemas.extend(protocols.iter().map(|protocol| ((*protocol).to_owned(), Arc::clone(&schema))));
    }
    schemas
}

fn http(flavor: RouterFlavor) -> Schema {
    let schema = match flavor {
        RouterFlavor::Expressions => Schema::record(),
        _ => without(Schema::record(), &["sources", "destinations"], "'http' or 'https'"),
    };
    schema.entity_check(either(
        flavor,
        "https",
        &["methods", "hosts", "headers", "paths", "snis"],
        "http",
        &["methods", "hosts", "headers", "paths"],
    ))
}

fn stream(flavor: RouterFlavor) -> Schema {
    let schema = without(Schema::record(), &OF_HTTP, "'tcp', 'tls', 'tls_passthrough' or 'udp'");
    let is_stream = Requirement::elements(Field::string().one_of(["tcp", "tls", "udp"]));
    let err = "must set one of %s when 'protocols' is 'tcp', 'tls' or 'udp'";
    let fields = with_expression(flavor, &["sources", "destinations", "snis"]);
    schema.entity_check(EntityCheck::conditional_at_least_one_of("protocols", is_stream, &fields, err))
}

fn tls_passthrough(flavor: RouterFlavor) -> Schema {
    let schema = without(Schema::record(), &OF_HTTP, "'tcp', 'tls', 'tls_passthrough' or 'udp'");
    let is_passthrough = Requirement::elements(Field::string().one_of(["tls_passthrough"]));
    let err = "must set snis when 'protocols' is 'tls_passthrough'";
    let fields = with_expression(flavor, &["snis"]);
    schema.entity_check(EntityCheck::conditional_at_least_one_of("protocols", is_passthrough, &fields, err))
}

fn grpc(flavor: RouterFlavor) -> Schema {
    let refused: &[&str] = match flavor {
        RouterFlavor::Expressions => &["methods"],
        _ => &["methods", "sources", "destinations"],
    };
    let no_strip_path = "cannot set 'strip_path' when 'protocols' is 'grpc' or 'grpcs'";
    without(Schema::record(), refused, "'grpc' or 'grpcs'")
        .field("strip_path", Field::boolean().required().default(false).ne(true).err(no_strip_path))
        .entity_check(either(
            flavor,
            "grpcs",
            &["hosts", "headers", "paths", "snis"],
            "grpc",
            &["hosts", "headers", "paths"],
        ))
}

/// One of `secure_fields` must be set when `secure` is among the protocols, else one of `plain_fields`.
fn either(
    flavor: RouterFlavor,
    secure: &str,
    secure_fields: &[&str],
    plain: &str,
    plain_fields: &[&str],
) -> EntityCheck {
    let choice = |protocol: &str, fields: &[&str]| {
        let err = format!("must set one of %s when 'protocols' is '{protocol}'");
        Choice::of(&with_expression(flavor, fields), &err)
    };
    EntityCheck::ConditionalAtLeastOneOf(Box::new(ConditionalChoice {
        if_field: "protocols".to_owned(),
        if_match: Requirement::contains(secure),
        then: choice(secure, secure_fields),
        otherwise: Some((Some(Requirement::contains(plain)), choice(plain, plain_fields))),
    }))
}

fn with_expression<'a>(flavor: RouterFlavor, fields: &[&'a str]) -> Vec<&'a str> {
    let mut fields = fields.to_vec();
    if flavor == RouterFlavor::Expressions {
        fields.push("expression");
    }
    fields
}

/// Refuses fields for the protocols that are named in `protocols`.
fn without(schema: Schema, fields: &[&str], protocols: &str) -> Schema {
    fields.iter().fold(schema, |schema, name| {
        let field = match *name {
            "methods" => Field::set(Field::string()),
            "headers" => headers(),
            "sources" | "destinations" => addresses(),
            _ => Field::array(Field::string()),
        };
        let err = format!("cannot set '{name}' when 'protocols' is {protocols}");
        schema.field(name, field.eq(Value::Null).err(&err))
    })
}

const OF_HTTP: [&str; 4] = ["methods", "hosts", "paths", "headers"];
