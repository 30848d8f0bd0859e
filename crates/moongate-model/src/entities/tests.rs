use serde_json::json;

use super::*;
use crate::testing::{declaration, declared};
use crate::{Algorithm, HashInput, HealthcheckType, PathHandling};

const CONFIGURATION: &str = "
_format_version: '3.0'
services:
- {name: s, host: u, routes: [{name: r, paths: [/]}], plugins: [{name: cors, config: {limit: 5}}]}
consumers:
- {username: c, custom_id: x}
upstreams:
- {name: u, hash_on: cookie, hash_on_cookie: k, targets: [{target: 'a.test:80', weight: 7}]}
vaults:
- {name: env, prefix: my-env, config: {prefix: a_}}
key_sets:
- {name: ks}
";

#[test]
fn every_core_entity_has_a_view() {
    let mut rows = declaration(CONFIGURATION).unwrap().rows;
    let certificates = include_str!("../declarative/tests/certificate.yaml");
    rows.extend(declaration(certificates).unwrap().rows);
    let entities = Entities::from_rows(&rows).unwrap();
    assert_eq!(entities.services[0].name.as_deref(), Some("s"));
    assert_eq!(entities.routes[0].service.map(|service| service.id), Some(entities.services[0].id));
    assert_eq!(entities.plugins[0].config["limit"], 5);
    assert_eq!(entities.consumers[0].custom_id.as_deref(), Some("x"));
    assert_eq!((entities.targets[0].weight, entities.targets[0].upstream.id), (7, entities.upstreams[0].id));
    assert_eq!(entities.vaults[0].config["prefix"], "a_");
    assert_eq!(entities.key_sets[0].name.as_deref(), Some("ks"));
    assert_eq!(entities.snis.len(), 2);
    assert!(entities.certificates.get(entities.snis[0].certificate.id).is_some());
    assert!(!format!("{:?}", entities.certificates).contains("PRIVATE"));

    let upstream = &entities.upstreams[0];
    assert_eq!((upstream.algorithm, upstream.hash_on), (Algorithm::ConsistentHashing, HashInput::Cookie));
    assert_eq!(upstream.healthchecks.active.kind, HealthcheckType::Http);
    assert_eq!(upstream.healthchecks.passive.unhealthy.http_statuses, [429, 500, 503]);
}

#[test]
fn a_change_replaces_one_entity_and_shares_the_others() {
    let before = declared(CONFIGURATION);
    let service = &before.services[0];
    let mut row = serde_json::to_value(service).unwrap().as_object().unwrap().clone();
    row.insert("host".to_owned(), json!("other.test"));
    let after = before.apply([RowChange { entity: "services", id: service.id, row: Some(&row) }]).unwrap();
    assert_eq!(after.service(service.id).unwrap().host, "other.test");
    assert_eq!(before.service(service.id).unwrap().host, "u");
    assert!(Arc::ptr_eq(&before.routes.shared()[0], &after.routes.shared()[0]));

    let gone = after.apply([RowChange { entity: "services", id: service.id, row: None }]).unwrap();
    assert!(gone.services.is_empty() && gone.routes.len() == 1);
}

#[test]
fn a_field_that_is_null_counts_as_its_default() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- name: s
  host: u
  retries: ~
  connect_timeout: ~
  routes: [{name: r, paths: [/], path_handling: ~, regex_priority: ~}]
upstreams:
- name: u
  slots: ~
  algorithm: ~
  use_srv_name: ~
  healthchecks: {threshold: ~, active: {type: ~, healthy: {interval: ~, http_statuses: ~}}}
  targets: [{target: a.test, weight: ~}]
",
    );
    let (service, route) = (&entities.services[0], &entities.routes[0]);
    assert_eq!((service.retries, service.connect_timeout), (5, 60000));
    assert_eq!((route.path_handling, route.regex_priority), (PathHandling::V0, 0));
    let (upstream, target) = (&entities.upstreams[0], &entities.targets[0]);
    assert_eq!((upstream.slots, upstream.algorithm), (10000, Algorithm::RoundRobin));
    assert_eq!((upstream.use_srv_name, target.weight), (false, 100));
    let active = &upstream.healthchecks.active;
    assert_eq!((active.kind, &active.healthy.http_statuses[..]), (HealthcheckType::Http, &[200, 302][..]));
}

#[test]
fn rows_of_other_kinds_are_left_out() {
    let row = Object::new();
    let change = RowChange { entity: "acls", id: Uuid::from_u128(1), row: Some(&row) };
    assert_eq!(Entities::default().apply([change]).unwrap(), Entities::default());
}

#[test]
fn a_row_that_does_not_fit_is_named() {
    let row = json!({"id": Uuid::from_u128(1), "name": "x"}).as_object().unwrap().clone();
    let change = RowChange { entity: "services", id: Uuid::from_u128(1), row: Some(&row) };
    let error = Entities::default().apply([change]).unwrap_err();
    assert_eq!((error.entity, error.id), ("services", Uuid::from_u128(1)));
    assert!(
        error
            .to_string()
            .starts_with("row 00000000-0000-0000-0000-000000000001 of `services`: missing field")
    );
}

#[test]
#[ignore = "measures time; run with --release"]
fn one_change_among_15000_entities_takes_a_millisecond() {
    let routes = (0..7_500).map(|at| format!("- {{name: r{at}, paths: [/{at}]}}\n")).collect::<String>();
    let services = (0..7_500).map(|at| format!("- {{name: s{at}, host: h}}\n")).collect::<String>();
    let text = format!("_format_version: '3.0'\nservices:\n{services}routes:\n{routes}");
    let declaration = declaration(&text).unwrap();
    let entities = Entities::from_rows(&declaration.rows).unwrap();
    let (id, row) = declaration.rows["routes"].iter().nth(100).unwrap();
    let timer = std::time::SystemTime::now();
    for _ in 0..100 {
        let change = RowChange { entity: "routes", id: *id, row: Some(row) };
        std::hint::black_box(entities.apply([change]).unwrap());
    }
    let each = timer.elapsed().unwrap() / 100;
    assert!(each.as_micros() < 1000, "{each:?}");
}

#[test]
#[ignore = "measures time; run with --release"]
fn a_file_of_10000_services_and_routes_is_read_in_two_seconds() {
    let services: String = (0..5_000)
        .map(|at| format!("- name: s{at}\n  host: h{at}.test\n  tags: [a, b]\n  routes:\n  - name: r{at}\n    paths: [/p{at}, '~/v{at}/[0-9]+']\n    hosts: [h{at}.test]\n"))
        .collect();
    let text = format!("_format_version: '3.0'\nservices:\n{services}");
    let timer = std::time::SystemTime::now();
    let entities = declared(&text);
    let elapsed = timer.elapsed().unwrap();
    assert_eq!(entities.services.len() + entities.routes.len(), 10_000);
    assert!(elapsed.as_secs() < 2, "{elapsed:?}");
}
