use super::*;

#[test]
fn ids_follow_from_names_wherever_an_item_stands() {
    let nested =
        declared("{_format_version: '3.0', services: [{name: s, host: h, routes: [{name: r, paths: [/]}]}]}");
    let flat = declared(
        "{_format_version: '3.0', services: [{name: s, host: h}], routes: [{name: r, paths: [/], service: s}]}",
    );
    assert_eq!(nested, flat);
    assert_eq!(nested.services[0].id.to_string(), "b268827a-8f7f-551f-8769-e6bceb2f3ec6");
    assert_eq!(nested.routes[0].id.to_string(), "da7ba03a-f1be-52d4-8a7e-c8f32640689a");
}

#[test]
fn the_id_of_a_plugin_configuration_follows_from_how_its_parents_are_written() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- name: foo
  host: h
  plugins:
  - name: key-auth
- name: my-service
  host: h
  plugins:
  - {name: file-log, config: {path: /tmp/x}}
plugins:
- name: key-auth
- name: request-termination
  service: foo
",
    );
    let ids: Vec<String> = entities.plugins.iter().map(|plugin| plugin.id.to_string()).collect();
    for id in [
        "6b4f38d1-e026-540b-a5ea-8634739dd2a7",
        "b2cdd8d5-dac6-58f5-acc5-95122a2602f5",
        "bc24ef7b-0f86-5b73-a1a9-49467367162f",
        "ff5af6e2-7c22-5b6c-834e-594211031e23",
    ] {
        assert!(ids.iter().any(|other| other == id), "{id} is missing in {ids:?}");
    }
}

#[test]
fn an_id_of_its_own_wins() {
    let entities = declared(
        "{_format_version: '3.0', services: [{id: 0A0B0C0D-0000-4000-8000-000000000001, name: s, host: h}]}",
    );
    assert_eq!(entities.services[0].id.to_string(), "0a0b0c0d-0000-4000-8000-000000000001");
}

#[test]
fn items_without_a_name_get_an_id_of_chance() {
    let text = "{_format_version: '3.0', services: [{host: h}, {host: h}]}";
    let (one, other) = (declared(text), declared(text));
    assert_ne!(one.services[0].id, one.services[1].id);
    assert_ne!(one.services[0].id, other.services[0].id);
}

#[test]
fn credentials_upstreams_vaults_and_key_sets_get_stable_ids() {
    let rows = declaration(
        "
_format_version: '3.0'
services:
- name: foo
  host: h
  routes:
  - {name: bar, paths: [/], plugins: [{name: cors}]}
consumers:
- username: bobby
  acls: [{group: g1}]
  basicauth_credentials: [{username: bu, password: p}]
  hmacauth_credentials: [{username: hu, secret: s}]
plugins:
- {name: prometheus}
- {name: rate-limiting, service: foo, route: bar, consumer: bobby, config: {minute: 1}}
upstreams:
- name: up
  targets: [{target: 'a.test:80'}]
vaults: [{name: env, prefix: my-env}]
key_sets: [{name: ks}]
",
    )
    .unwrap()
    .rows;
    for (entity, id) in [
        ("acls", "96ec2d6c-46bc-5aa0-9447-0b3e2068e5f8"),
        ("basicauth_credentials", "4e1586cb-151b-530e-9d46-10b31324079c"),
        ("hmacauth_credentials", "f7c50c9d-0c5c-5585-96f3-8d8768c2a2a5"),
        ("plugins", "18eb3223-c5ad-561c-b549-0d63a06445ca"),
        ("plugins", "18f2f6e2-5e0a-5bfa-93be-849850c0c527"),
        ("plugins", "1e3774df-1b3b-53a1-a204-b6dd48c3bf1a"),
        ("upstreams", "152df2f3-4eb2-505d-ba48-f128b77c4e89"),
        ("targets", "0b98796b-d2af-5bcf-8de6-1716b4ba407a"),
        ("vaults", "3dc3bf8d-e9b4-576c-af74-01619966a0d0"),
        ("key_sets", "27667a42-60c3-58a6-98a9-1ce7ab79e2d7"),
    ] {
        let ids = &rows[entity];
        assert!(ids.contains_key(&id.parse().unwrap()), "{entity} {id} is missing in {:?}", ids.keys());
    }
}

#[test]
fn targets_are_kept_and_identified_as_written() {
    let entities = declared(
        "{_format_version: '3.0', upstreams: [{name: u, targets: [{target: a.test}, {target: '::1'}, {target: 'B.test:1', weight: 0}]}]}",
    );
    let targets: Vec<(String, &str)> =
        entities.targets.iter().map(|target| (target.id.to_string(), target.target.as_str())).collect();
    assert_eq!(
        targets,
        [
            ("4f54e0a1-5dbe-52a3-af16-042934739bd6".to_owned(), "a.test"),
            ("846d8be4-a0c4-5ca4-8762-395234669eb8".to_owned(), "::1"),
            ("d2dd517c-7511-5663-b7c3-ca667d173010".to_owned(), "B.test:1"),
        ]
    );
}

#[test]
fn a_key_that_could_be_generated_makes_no_id() {
    let text = "{_format_version: '3.0', consumers: [{username: u, keyauth_credentials: [{key: k}]}]}";
    let rows = declaration(text).unwrap().rows;
    let id = rows["keyauth_credentials"].keys().next().unwrap();
    assert_eq!(id.get_version_num(), 4);
}

#[test]
fn a_child_of_an_item_by_chance_is_one_by_chance() {
    let text = "{_format_version: '3.0', services: [{host: h, plugins: [{name: cors}]}]}";
    let rows = declaration(text).unwrap().rows;
    assert_eq!(rows["plugins"].keys().next().unwrap().get_version_num(), 4);
}

#[test]
fn a_parent_given_as_an_object_leaves_no_trace_in_the_id() {
    let text = "{_format_version: '3.0', services: [{id: 0a0b0c0d-0000-4000-8000-000000000001, host: h}], \
                plugins: [{name: cors, service: {id: 0a0b0c0d-0000-4000-8000-000000000001}}]}";
    let rows = declaration(text).unwrap().rows;
    let id = crate::generated_id("plugins", "plugins:*:cors::");
    assert!(rows["plugins"].contains_key(&id));
}
