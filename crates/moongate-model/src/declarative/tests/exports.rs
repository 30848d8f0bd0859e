use moongate_schema::{Field, SeededRandomness};

use super::*;

fn exported(rows: &Rows) -> String {
    export(&catalog(), |entity| rows.get(entity).into_iter().flat_map(BTreeMap::values))
}

/// The rows of a file that was made of rows.
pub(super) fn read_again(rows: &Rows) -> Rows {
    declaration(&exported(rows)).unwrap().rows
}

#[test]
fn every_field_is_exported_and_references_are_ids() {
    let rows = declaration(
        "{_format_version: '3.0', services: [{id: 0a0b0c0d-0000-4000-8000-000000000001, name: one, host: h, \
         routes: [{id: 0a0b0c0d-0000-4000-8000-000000000002, name: r, paths: [/]}]}]}",
    )
    .unwrap()
    .rows;
    assert_eq!(
        exported(&rows),
        format!(
            "\
_format_version: '3.0'
_transform: false
services:
- ca_certificates: ~
  client_certificate: ~
  connect_timeout: 60000
  created_at: {NOW}
  enabled: true
  host: h
  id: 0a0b0c0d-0000-4000-8000-000000000001
  name: one
  path: ~
  port: 80
  protocol: http
  read_timeout: 60000
  retries: 5
  tags: ~
  tls_verify: ~
  tls_verify_depth: ~
  updated_at: {NOW}
  write_timeout: 60000
routes:
- created_at: {NOW}
  destinations: ~
  headers: ~
  hosts: ~
  https_redirect_status_code: 426
  id: 0a0b0c0d-0000-4000-8000-000000000002
  methods: ~
  name: r
  path_handling: v0
  paths:
  - /
  preserve_host: false
  protocols:
  - http
  - https
  regex_priority: 0
  request_buffering: true
  response_buffering: true
  service: 0a0b0c0d-0000-4000-8000-000000000001
  snis: ~
  sources: ~
  strip_path: true
  tags: ~
  updated_at: {NOW}
"
        )
    );
}

#[test]
fn what_is_exported_is_read_as_it_was() {
    let text = "
_format_version: '3.0'
services:
- name: s
  host: h
  tags: []
  routes:
  - {name: r, paths: [/, '~/v\\d+$'], headers: {x-a: ['1', 'on', ' : #']}, sources: ~}
  - {protocols: [tcp], sources: [{ip: 10.0.0.0/8}, {port: 80}]}
  plugins:
  - {name: rate-limiting, config: {minute: 1.5}}
consumers:
- username: \"yes\"
  custom_id: \"line\\nbreak\"
  keyauth_credentials: [{key: '0123', ttl: 60}]
  basicauth_credentials: [{username: u, password: p}]
  acls: [{group: \"tab\\t\"}]
upstreams:
- {name: u, targets: [{target: 'a.test:80', weight: 0}], hash_on: header, hash_on_header: x-a}
vaults: [{name: env, prefix: my-env, config: {prefix: a_}}]
key_sets: [{name: a b}]
";
    let mut before = declaration(text).unwrap().rows;
    let certificates = declaration(include_str!("certificate.yaml")).unwrap().rows;
    before.extend(certificates);
    assert_eq!(read_again(&before), before);
}

#[test]
fn some_entities_are_not_exported() {
    let entity = |name: &str| {
        Schema::entity(name).field("id", moongate_schema::types::id()).field("name", Field::string())
    };
    let catalog =
        Catalog::builder(vec![entity("sessions").not_exported(), entity("workspaces"), entity("others")]);
    let catalog = catalog.build().unwrap();
    let randomness = SeededRandomness::new(1);
    let text =
        "{_format_version: '3.0', sessions: [{name: a}], workspaces: [{name: b}], others: [{name: c}]}";
    let rows = parse(text, Format::Auto, &catalog, &Context::new(1, &randomness)).unwrap().rows;
    let text = export(&catalog, |entity| rows.get(entity).into_iter().flat_map(BTreeMap::values));
    assert!(
        text.contains("others:\n- id: ") && !text.contains("sessions") && !text.contains("workspaces"),
        "{text}"
    );
}
