//! How a service is declared.

use std::borrow::Cow;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::collector::{ForeignKey, Source};
use super::reader::{Record, text};
use super::resolve::Drafted;
use super::rules;
use crate::{Protocol, Reference, Service, generated_id};

/// Fields of a service, and the collections that can be nested in it.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "name",
    "created_at",
    "updated_at",
    "retries",
    "protocol",
    "host",
    "port",
    "path",
    "connect_timeout",
    "write_timeout",
    "read_timeout",
    "tags",
    "client_certificate",
    "tls_verify",
    "tls_verify_depth",
    "ca_certificates",
    "enabled",
    "url",
    "routes",
    "plugins",
];

/// Reads the service at `source`, whose `url` must be expanded already.
pub(super) fn read(record: &mut Record<'_, '_>, source: &Source) -> (Service, Vec<ForeignKey>) {
    let id = record.id();
    let name = record.text("name", rules::name);
    let url_is_wrong = record.text("url", |_| Ok(())).is_none() && record.value("url").is_some();
    if !url_is_wrong {
        record.must_have("host");
    }
    let service = Service {
        id: id.unwrap_or_else(|| {
            name.as_deref().map_or_else(Uuid::new_v4, |name| generated_id(Service::COLLECTION, name))
        }),
        name,
        created_at: record.created_at(source.now),
        updated_at: source.now,
        retries: record.integer("retries", 0..=32_767).unwrap_or(5),
        protocol: record.required("protocol", Protocol::Http, |record, name| {
            record.choice(name, rules::PROTOCOLS, Protocol::from_name)
        }),
        host: record.text("host", rules::host).unwrap_or_default(),
        port: record.required("port", 80, |record, name| record.integer(name, 0..=65_535)),
        path: record.text("path", rules::path),
        connect_timeout: record.integer("connect_timeout", TIMEOUTS).unwrap_or(60_000),
        write_timeout: record.integer("write_timeout", TIMEOUTS).unwrap_or(60_000),
        read_timeout: record.integer("read_timeout", TIMEOUTS).unwrap_or(60_000),
        tags: record.tags(),
        client_certificate: None,
        tls_verify: record.boolean("tls_verify"),
        tls_verify_depth: record.integer("tls_verify_depth", 0..=64),
        ca_certificates: record
            .list("ca_certificates", "expected an array", |element| text(element, &rules::uuid, 1))
            .map(|ids| ids.iter().filter_map(|id| Uuid::try_parse(id).ok()).collect()),
        enabled: record.required("enabled", true, Record::boolean),
    };
    let certificate = ForeignKey::read(record, "client_certificate", "certificates", None);
    check(record, service.protocol);
    (service, certificate.into_iter().collect())
}

/// Replaces the fields that a `url` stands for.
///
/// The parts are taken as they come, so that a bad part is reported under the field that it would fill.
pub(super) fn expand_url(fields: &Map<String, Value>) -> Cow<'_, Map<String, Value>> {
    let Some(url) = fields.get("url").and_then(Value::as_str).filter(|url| !url.is_empty()) else {
        return Cow::Borrowed(fields);
    };
    let (scheme, rest) = match url.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, url),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash)),
        None => ("", rest),
    };
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (address, None),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let number = port.map(|port| port.parse::<i64>().map_or_else(|_| Value::from(port), Value::from));
    let protocol = scheme.unwrap_or(if port == Some("443") { "https" } else { "http" });
    let default_port = if protocol == "https" { 443 } else { 80 };

    let mut expanded = fields.clone();
    expanded.insert("protocol".to_owned(), Value::from(protocol));
    expanded.insert("host".to_owned(), none_if_empty(host));
    expanded.insert("port".to_owned(), number.unwrap_or_else(|| Value::from(default_port)));
    expanded.insert("path".to_owned(), none_if_empty(path));
    Cow::Owned(expanded)
}

impl Drafted for Service {
    const COLLECTION: &'static str = "services";
    const ENDPOINT_KEY: &'static str = "name";

    fn id(&self) -> Uuid {
        self.id
    }

    fn endpoint_key(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn attach(&mut self, field: &str, parent: Reference) {
        if field == "client_certificate" {
            self.client_certificate = Some(parent);
        }
    }
}

/// Fields that only some protocols can have.
fn check(record: &mut Record<'_, '_>, protocol: Protocol) {
    if record.is_wrong("protocol") {
        return;
    }
    let has_path =
        !matches!(protocol, Protocol::Tcp | Protocol::Tls | Protocol::Udp | Protocol::Grpc | Protocol::Grpcs);
    if !has_path {
        must_be_null(record, "path");
    }
    if !matches!(protocol, Protocol::Https | Protocol::Tls) {
        for name in ["client_certificate", "tls_verify", "tls_verify_depth", "ca_certificates"] {
            must_be_null(record, name);
        }
    }
}

fn must_be_null(record: &mut Record<'_, '_>, name: &str) {
    if record.value(name).is_some() && !record.is_wrong(name) {
        record.problem(name, "value must be null");
        record.entity_problem("failed conditional validation given value of field 'protocol'");
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn none_if_empty(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::from(text) }
}

const TIMEOUTS: std::ops::RangeInclusive<i64> = 1..=2_147_483_646;
