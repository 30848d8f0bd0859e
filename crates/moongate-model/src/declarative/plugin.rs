//! How a plugin configuration is declared.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::collector::{ForeignKey, Parent, Source};
use super::reader::Record;
use super::resolve::Drafted;
use super::route::protocol_set;
use super::rules;
use crate::ids::plugin_key;
use crate::{Plugin, Protocol, Reference, generated_id};

/// Fields of a plugin configuration.
pub(super) const FIELDS: &[&str] = &[
    "id",
    "name",
    "instance_name",
    "created_at",
    "updated_at",
    "route",
    "service",
    "consumer",
    "config",
    "protocols",
    "enabled",
    "tags",
];

/// Reads the plugin configuration at `source`, which may be nested in a service or a route.
///
/// Whether there is a plugin of that name, and whether its settings are right, only the plugin host knows.
pub(super) fn read(
    record: &mut Record<'_, '_>,
    source: &Source,
    parent: Option<Parent>,
) -> (Plugin, Vec<ForeignKey>) {
    record.must_have("name");
    let id = record.id();
    let name = record.text("name", |_| Ok(())).unwrap_or_default();
    let keys: Vec<ForeignKey> = PARENTS
        .into_iter()
        .filter_map(|(field, collection)| {
            let parent = parent.filter(|parent| parent.field == field);
            ForeignKey::read(record, field, collection, parent)
        })
        .collect();
    let written = |field: &str| keys.iter().find(|key| key.field == field).map_or("", |key| &key.text);
    let key = plugin_key(&name, written("route"), written("service"), written("consumer"));
    let plugin = Plugin {
        id: id.unwrap_or_else(|| generated_id(Plugin::COLLECTION, &key)),
        name,
        instance_name: record.text("instance_name", rules::name),
        created_at: record.created_at(source.now),
        updated_at: source.now,
        route: None,
        service: None,
        consumer: None,
        config: record.required("config", Map::new(), settings),
        protocols: record.required("protocols", DEFAULT_PROTOCOLS.to_vec(), protocol_set),
        enabled: record.required("enabled", true, Record::boolean),
        tags: record.tags(),
    };
    (plugin, keys)
}

impl Drafted for Plugin {
    const COLLECTION: &'static str = "plugins";
    const ENDPOINT_KEY: &'static str = "instance_name";

    fn id(&self) -> Uuid {
        self.id
    }

    fn endpoint_key(&self) -> Option<&str> {
        self.instance_name.as_deref()
    }

    fn attach(&mut self, field: &str, parent: Reference) {
        match field {
            "route" => self.route = Some(parent),
            "service" => self.service = Some(parent),
            "consumer" => self.consumer = Some(parent),
            _ => {}
        }
    }
}

fn settings(record: &mut Record<'_, '_>, name: &str) -> Option<Map<String, Value>> {
    match record.value(name)? {
        Value::Object(settings) => Some(settings.clone()),
        Value::Array(items) if items.is_empty() => None,
        _ => {
            record.problem(name, "expected a record");
            None
        }
    }
}

/// What a configuration can be limited to: the field and the collection that it refers to.
const PARENTS: [(&str, &str); 3] = [("route", "routes"), ("service", "services"), ("consumer", "consumers")];

const DEFAULT_PROTOCOLS: [Protocol; 4] = [Protocol::Grpc, Protocol::Grpcs, Protocol::Http, Protocol::Https];
