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
