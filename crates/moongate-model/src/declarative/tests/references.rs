use super::*;

#[test]
fn a_parent_is_named_by_its_name_or_its_id() {
    for parent in ["s", "0a0b0c0d-0000-4000-8000-000000000001", "{id: 0a0b0c0d-0000-4000-8000-000000000001}"]
    {
        let entities = declared(&format!(
            "
_format_version: '3.0'
routes:
- {{name: r, paths: [/], service: {parent}}}
services:
- {{id: 0a0b0c0d-0000-4000-8000-000000000001, name: s, host: h}}
"
        ));
        assert_eq!(entities.routes[0].service, Some(Reference { id: entities.services[0].id }), "{parent}");
    }
}

#[test]
fn the_item_around_an_item_wins_over_what_is_written() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- name: s
  host: h
  routes:
  - {name: r, paths: [/], service: t}
- {name: t, host: h}
",
    );
    let parent = entities.routes[0].service.unwrap();
    assert_eq!(entities.service(parent.id).unwrap().name.as_deref(), Some("s"));
}

#[test]
fn a_nested_plugin_can_be_limited_further() {
    let entities = declared(
        "
_format_version: '3.0'
services:
- name: s
  host: h
  plugins:
  - {name: cors, route: r, service: s}
  routes:
  - {name: r, paths: [/]}
",
    );
    assert_eq!(entities.plugins[0].route.map(|route| route.id), Some(entities.routes[0].id));
    assert_eq!(entities.plugins[0].service.map(|service| service.id), Some(entities.services[0].id));
}

#[test]
fn a_reference_to_nothing_is_reported_under_the_name_of_the_item() {
    assert_eq!(
        problems(
            "
_format_version: '3.0'
routes:
- {name: r, paths: [/], service: nope}
plugins:
- {name: cors, instance_name: pi, service: nope, consumer: bob}
acls:
- {group: g, consumer: nobody, id: 0a0b0c0d-0000-4000-8000-000000000001}
"
        ),
        json!({
            "routes": {"r": ["invalid reference 'service: nope' (no such entry in 'services')"]},
            "plugins": {
                "pi": [
                    "invalid reference 'service: nope' (no such entry in 'services')",
                    "invalid reference 'consumer: bob' (no such entry in 'consumers')",
                ],
            },
            "acls": {"0a0b0c0d-0000-4000-8000-000000000001": [
                "invalid reference 'consumer: nobody' (no such entry in 'consumers')",
            ]},
        })
    );
}

#[test]
fn a_reference_to_nothing_is_reported_by_position_among_other_problems() {
    assert_eq!(
        problems("{_format_version: '3.0', routes: [{paths: [/], service: nope}], services: [{name: s}]}"),
        json!({
            "routes": [{"service": {"id": "missing primary key"}}],
            "services": [{"host": "required field missing"}],
        })
    );
    assert_eq!(
        problems(
            "{_format_version: '3.0', services: [{name: s, host: h, routes: [{paths: [/], service: zip}]}]}"
        ),
        json!({"services": [{"routes": [{"service": "value must be null"}]}]})
    );
}

#[test]
fn a_parent_given_as_an_object_needs_an_id() {
    for (parent, problem) in [
        ("{name: s}", "missing primary key"),
        ("{}", "missing primary key"),
        ("{id: x}", "expected a valid UUID"),
    ] {
        assert_eq!(
            problems(&format!("{{_format_version: '3.0', routes: [{{paths: [/], service: {parent}}}]}}")),
            json!({"routes": [{"service": {"id": problem}}]}),
            "{parent}"
        );
    }
}

#[test]
fn names_and_ids_are_unique() {
    assert_eq!(
        problems("{_format_version: '3.0', services: [{name: s, host: h}, {name: s, host: g}]}"),
        json!({"services": [null, "uniqueness violation: 'services' entity with name set to 's' already declared"]})
    );
    let id = crate::generated_id("plugins", "plugins:*:cors:::");
    assert_eq!(
        problems("{_format_version: '3.0', plugins: [{name: cors}, {name: cors}]}"),
        json!({"plugins": [
            null,
            format!("uniqueness violation: 'plugins' entity with primary key set to '{id}' already declared"),
        ]})
    );
    assert_eq!(
        problems(
            "{_format_version: '3.0', plugins: [{name: cors, instance_name: i}, {name: p, instance_name: i}]}"
        ),
        json!({"plugins": [
            null,
            "uniqueness violation: 'plugins' entity with instance_name set to 'i' already declared",
        ]})
    );
}

#[test]
fn repetitions_and_references_to_nothing_are_reported_together() {
    assert_eq!(
        problems(
            "
_format_version: '3.0'
routes:
- {name: r, paths: [/], service: nope}
- {name: t, paths: [/]}
- {name: t, paths: [/]}
"
        ),
        json!({"routes": {
            "r": ["invalid reference 'service: nope' (no such entry in 'services')"],
            "3": "uniqueness violation: 'routes' entity with name set to 't' already declared",
        }})
    );
}

#[test]
fn what_is_unique_besides_names_is_told_under_the_name() {
    assert_eq!(
        problems(
            "{_format_version: '3.0', consumers: [{username: a, custom_id: x}, {username: b, custom_id: x}]}"
        ),
        json!({"consumers": {
            "b": "uniqueness violation: 'consumers' entity with custom_id set to 'x' already declared",
        }})
    );
}

#[test]
fn nested_items_claim_their_names_first() {
    let violation = "uniqueness violation: 'routes' entity with name set to 'r' already declared";
    assert_eq!(
        problems(
            "{_format_version: '3.0', routes: [{name: q, paths: [/]}, {name: r, paths: [/]}], \
             services: [{name: s, host: h, routes: [{name: r, paths: [/a]}]}]}"
        ),
        json!({"routes": [null, violation]})
    );
    assert_eq!(
        problems(
            "{_format_version: '3.0', services: [{name: s, host: h}, \
             {name: t, host: h, routes: [{name: r, paths: [/a]}, {name: r, paths: [/b]}]}]}"
        ),
        json!({"services": [null, {"routes": [null, violation]}]})
    );
}

#[test]
fn a_plugin_that_is_not_for_consumers_is_refused_for_one() {
    assert_eq!(
        problems(
            "{_format_version: '3.0', plugins: [{name: key-auth, consumer: c}], consumers: [{username: c}]}"
        ),
        json!({"plugins": [{"consumer": "value must be null"}]})
    );
}

#[test]
fn an_own_reference_of_a_nested_item_is_told_only_if_something_else_is_wrong() {
    let services = "services: [{name: s, host: h, routes: [{name: r, paths: [/], service: s}]}]";
    assert_eq!(declared(&format!("{{_format_version: '3.0', {services}}}")).routes.len(), 1);
    assert_eq!(
        problems(&format!("{{_format_version: '3.0', {services}, consumers: [{{}}]}}")),
        json!({
            "services": [{"routes": [{"service": "value must be null"}]}],
            "consumers": [{
                "@entity": ["at least one of these fields must be non-empty: 'custom_id', 'username'"],
            }],
        })
    );
}

#[test]
fn a_required_parent_can_be_named_or_stand_around() {
    assert_eq!(
        problems("{_format_version: '3.0', acls: [{group: g}]}"),
        json!({"acls": [{"consumer": "required field missing"}]})
    );
    let rows =
        declaration("{_format_version: '3.0', consumers: [{username: u, acls: [{group: g}]}]}").unwrap().rows;
    let consumer = rows["consumers"].keys().next().unwrap();
    assert_eq!(rows["acls"].values().next().unwrap()["consumer"], json!({"id": consumer}));
}
