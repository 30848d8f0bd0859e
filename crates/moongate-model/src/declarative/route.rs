//! How a route is declared.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::collector::{ForeignKey, Parent, Source};
use super::protocol_rule::{EXCLUSIVE_SETS, ProtocolRule};
use super::reader::{Record, elements_of, integer_within, text};
use super::resolve::Drafted;
use super::rules;
use crate::{
    HttpsRedirectStatus, PathHandling, Protocol, Reference, Route, SourceOrDestination, generated_id,
};

/// Fields of a route, and the collections that can be nested in it.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "name",
    "created_at",
    "updated_at",
    "protocols",
    "methods",
    "hosts",
    "paths",
    "headers",
    "snis",
    "sources",
    "destinations",
    "https_redirect_status_code",
    "regex_priority",
    "strip_path",
    "path_handling",
    "preserve_host",
    "request_buffering",
    "response_buffering",
    "tags",
    "service",
    "plugins",
];

/// Reads the route at `source`, which may be nested in the service `parent`.
pub(super) fn read(
    record: &mut Record<'_, '_>,
    source: &Source,
    parent: Option<Parent>,
) -> (Route, Vec<ForeignKey>) {
    let id = record.id();
    let name = record.text("name", rules::name);
    let protocols = protocols(record);
    let is_grpc = matches!(protocols.first(), Some(Protocol::Grpc | Protocol::Grpcs));
    let mut unsupported = Vec::new();
    let paths = record.list("paths", "expected an array", |element| {
        let path = text(element, &|_: &str| Ok(()), 1)?;
        if let Some(reason) = rules::route_path(&path)? {
            unsupported.push(format!("{path}: {reason}"));
        }
        Ok(path)
    });
    let route = Route {
        id: id.unwrap_or_else(|| {
            name.as_deref().map_or_else(Uuid::new_v4, |name| generated_id(Route::COLLECTION, name))
        }),
        name,
        created_at: record.created_at(source.now),
        updated_at: source.now,
        protocols,
        methods: record.set("methods", |element| text(element, &rules::method, 1)),
        hosts: record.texts("hosts", rules::route_host),
        paths,
        headers: headers(record),
        snis: record.set("snis", |element| text(element, &rules::wildcard_sni, 1)),
        sources: record.set("sources", source_or_destination),
        destinations: record.set("destinations", source_or_destination),
        https_redirect_status_code: redirect_status(record),
        regex_priority: record.any_integer("regex_priority").unwrap_or(0),
        strip_path: record.required("strip_path", !is_grpc, Record::boolean),
        path_handling: record.choice("path_handling", "v0, v1", path_handling).unwrap_or_default(),
        preserve_host: record.required("preserve_host", false, Record::boolean),
        request_buffering: record.required("request_buffering", true, Record::boolean),
        response_buffering: record.required("response_buffering", true, Record::boolean),
        tags: record.tags(),
        service: None,
    };
    check(record, &route);
    check_expressions(record, &route, unsupported);
    let service = ForeignKey::read(record, "service", "services", parent);
    (route, service.into_iter().collect())
}

impl Drafted for Route {
    const COLLECTION: &'static str = "routes";
    const ENDPOINT_KEY: &'static str = "name";

    fn id(&self) -> Uuid {
        self.id
    }

    fn endpoint_key(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn attach(&mut self, field: &str, parent: Reference) {
        if field == "service" {
            self.service = Some(parent);
        }
    }
}

fn protocols(record: &mut Record<'_, '_>) -> Vec<Protocol> {
    let default = vec![Protocol::Http, Protocol::Https];
    // The first protocol decides about the other fields, so a problem with it is told in its own words.
    let first = match record.value("protocols") {
        Some(Value::Array(names)) => names.first(),
        Some(Value::Object(names)) if names.is_empty() => None,
        _ => return record.required("protocols", default, protocol_set),
    };
    match first {
        Some(Value::String(name)) if Protocol::from_name(name).is_none() => {
            record.problem("protocols", format!("unknown type: {name}"));
        }
        None | Some(Value::Null) => record.problem("protocols", "unknown type: nil"),
        _ => {}
    }
    if record.is_wrong("protocols") {
        return default;
    }
    let Some(protocols) = protocol_set(record, "protocols") else { return default };
    let sets: Vec<&str> = EXCLUSIVE_SETS
        .iter()
        .filter(|(set, _)| protocols.iter().any(|protocol| set.contains(protocol)))
        .map(|(_, text)| *text)
        .collect();
    if sets.len() > 1 {
        record.problem("protocols", format!("these sets are mutually exclusive: {}", sets.join(", ")));
    }
    protocols
}

pub(super) fn protocol_set(record: &mut Record<'_, '_>, name: &str) -> Option<Vec<Protocol>> {
    record.set(name, |element| {
        let name = text(element, &|_: &str| Ok(()), 1)?;
        Protocol::from_name(&name).ok_or_else(|| format!("expected one of: {}", rules::PROTOCOLS).into())
    })
}

fn headers(record: &mut Record<'_, '_>) -> Option<BTreeMap<String, Vec<String>>> {
    let fields = match record.value("headers")? {
        Value::Object(fields) => fields,
        Value::Array(items) if items.is_empty() => return Some(BTreeMap::new()),
        // The keys of a list are numbers, and keys are looked at first.
        Value::Array(_) => {
            record.problem("headers", "expected a string");
            return None;
        }
        _ => {
            record.problem("headers", "expected a map");
            return None;
        }
    };
    match read_headers(fields) {
        Ok(headers) => Some(headers),
        Err(problem) => {
            record.problem("headers", problem);
            None
        }
    }
}

fn read_headers(fields: &Map<String, Value>) -> Result<BTreeMap<String, Vec<String>>, Value> {
    let mut headers = BTreeMap::new();
    for (name, values) in fields {
        rules::header_name(name)?;
        let values = match values {
            Value::Array(values) => values.as_slice(),
            Value::Object(fields) if fields.is_empty() => &[],
            _ => return Err("expected an array".into()),
        };
        headers.insert(name.clone(), elements_of(values, |value| text(value, &|_: &str| Ok(()), 1))?);
    }
    Ok(headers)
}

fn source_or_destination(element: &Value) -> Result<SourceOrDestination, Value> {
    let Value::Object(fields) = element else { return Err("expected a record".into()) };
    let mut problems = Map::new();
    for name in fields.keys().filter(|name| *name != "ip" && *name != "port") {
        problems.insert(name.clone(), "unknown field".into());
    }
    let given = |name: &str| fields.get(name).filter(|value| !value.is_null());
    let mut keep = |name: &str, problem: Value| {
        problems.insert(name.to_owned(), problem);
    };
    let ip = given("ip").map(|value| text(value, &rules::ip_or_cidr, 1)).transpose();
    let ip = ip.map_err(|problem| keep("ip", problem)).unwrap_or_default();
    let port = given("port").map(|value| integer_within(value, 0..=65_535)).transpose();
    let port = port.map_err(|problem| keep("port", problem)).unwrap_or_default();
    if given("ip").is_none() && given("port").is_none() {
        let problem = "at least one of these fields must be non-empty: 'ip', 'port'";
        problems.insert("@entity".to_owned(), Value::Array(vec![problem.into()]));
    }
    if problems.is_empty() { Ok(SourceOrDestination { ip, port }) } else { Err(Value::Object(problems)) }
}

fn redirect_status(record: &mut Record<'_, '_>) -> HttpsRedirectStatus {
    record.required("https_redirect_status_code", HttpsRedirectStatus::default(), |record, name| {
        let status = match record.any_integer(name)? {
            426 => HttpsRedirectStatus::UpgradeRequired,
            301 => HttpsRedirectStatus::MovedPermanently,
            302 => HttpsRedirectStatus::Found,
            307 => HttpsRedirectStatus::TemporaryRedirect,
            308 => HttpsRedirectStatus::PermanentRedirect,
            _ => {
                record.problem(name, "expected one of: 426, 301, 302, 307, 308");
                return None;
            }
        };
        Some(status)
    })
}

fn path_handling(name: &str) -> Option<PathHandling> {
    match name {
        "v0" => Some(PathHandling::V0),
        "v1" => Some(PathHandling::V1),
        _ => None,
    }
}

/// Conditions between fields; most follow from the protocols.
fn check(record: &mut Record<'_, '_>, route: &Route) {
    if record.is_wrong("protocols") {
        return;
    }
    let has_sni = [Protocol::Grpcs, Protocol::Https, Protocol::Tls, Protocol::TlsPassthrough];
    if record.is_set("snis") && !route.protocols.iter().any(|protocol| has_sni.contains(protocol)) {
        record.problem("snis", "length must be 0");
        record.entity_problem(
            "'snis' can only be set when 'protocols' is 'grpcs', 'https', 'tls' or 'tls_passthrough'",
        );
    }
    let rule = ProtocolRule::of(&route.protocols);
    if !rule.one_of.iter().any(|name| record.is_set(name)) {
        record.entity_problem(rule.missing);
    }
    for name in rule.forbidden {
        let is_given = if *name == "strip_path" { route.strip_path } else { record.is_set(name) };
        if is_given {
            record.problem(name, format!("cannot set '{name}' when 'protocols' is {}", rule.protocols));
        }
    }
}

/// Expressions that are right, but that the router cannot use.
fn check_expressions(record: &mut Record<'_, '_>, route: &Route, unsupported_paths: Vec<String>) {
    for reason in unsupported_paths {
        record.entity_problem(format!("Router Expression failed validation: {reason}"));
    }
    for (name, values) in route.headers.iter().flatten() {
        if values.is_empty() {
            record
                .entity_problem(format!("Router Expression failed validation: header '{name}' has no value"));
        }
        for expression in values.iter().filter_map(|value| value.strip_prefix("~*")) {
            if let Some(reason) = rules::header_regex_problem(expression) {
                record.entity_problem(format!(
                    "Router Expression failed validation: header '{name}': {expression}: {reason}"
                ));
            }
        }
    }
}
