use serde_json::{Value, json};

use super::*;
use crate::layout::{Column, Foreign, Kind, Layout, Unique};

/// Tokens, which expire, and uses of them, which go with their token.
fn dataset() -> Dataset {
    let id = || Column::new("id", Kind::Uuid);
    let token = Kind::Foreign(Foreign { references: "tokens".to_owned(), on_delete: OnDelete::Cascade });
    let tokens = Table {
        name: "tokens".into(),
        columns: vec![id(), Column::new("name", Kind::Text)],
        uniques: vec![Unique::new(["name"])],
        ttl: true,
    };
    let uses = Table {
        name: "uses".into(),
        columns: vec![id(), Column::new("token", token)],
        uniques: Vec::new(),
        ttl: false,
    };
    Dataset::new(Arc::new(Layout::new([tokens, uses])))
}

fn insert(entity: &str, id: u128, fields: Value) -> Change {
    let Value::Object(mut row) = fields else { panic!("a row is an object") };
    row.insert("id".to_owned(), json!(Uuid::from_u128(id)));
    Change::insert(entity, row)
}

#[test]
fn a_purge_removes_what_has_expired_with_what_belongs_to_it() {
    let token = json!({"id": Uuid::from_u128(1)});
    let changes = vec![
        insert("tokens", 1, json!({"name": "short", "ttl": 10})),
        insert("tokens", 2, json!({"name": "long", "ttl": 100})),
        insert("tokens", 3, json!({"name": "ever"})),
        insert("uses", 4, json!({"token": token})),
        insert("uses", 5, json!({})),
    ];
    let base = Plan::new(&dataset(), changes, 1000).unwrap().next;
    assert!(Plan::purge(&base, 10_999).unwrap().effects.is_empty());
    let plan = Plan::purge(&base, 11_000).unwrap();
    let gone: Vec<u128> = plan.effects.iter().map(|effect| effect.id.as_u128()).collect();
    assert_eq!(gone, [4, 1]);
    assert_eq!((plan.next.len("tokens"), plan.next.len("uses")), (2, 1));
    // What was planned on is as it was.
    assert_eq!((base.len("tokens"), base.len("uses")), (3, 2));
}

#[test]
fn an_expired_row_cannot_be_referred_to() {
    let base = Plan::new(&dataset(), vec![insert("tokens", 1, json!({"ttl": 10}))], 0).unwrap().next;
    let refer = || vec![insert("uses", 2, json!({"token": {"id": Uuid::from_u128(1)}}))];
    assert!(Plan::new(&base, refer(), 9999).is_ok());
    let late = Plan::new(&base, refer(), 10_000).unwrap_err();
    assert!(matches!(late, StoreError::ForeignKeyMissing { .. }), "{late:?}");
}

#[test]
fn steps_are_single_and_effects_are_what_is_left_of_them() {
    let changes = vec![
        insert("tokens", 1, json!({"name": "a"})),
        Change::delete("tokens", Uuid::from_u128(1)),
        insert("tokens", 2, json!({"name": "a"})),
        Change::upsert("tokens", Key::field("name", "a"), Row::from_iter([("name".to_owned(), json!("b"))])),
    ];
    let plan = Plan::new(&dataset(), changes, 0).unwrap();
    assert_eq!(plan.steps.len(), 4);
    let [effect] = &*plan.effects else { panic!("{:?}", plan.effects) };
    assert_eq!((effect.id, effect.before.is_none()), (Uuid::from_u128(2), true));
    assert_eq!(effect.after.as_ref().unwrap()["name"], json!("b"));
}
