use super::*;

fn table() -> Table {
    let columns = vec![
        Column::new("id", Kind::Uuid),
        Column::new("name", Kind::Text),
        Column::new("count", Kind::Integer),
        Column::new("share", Kind::Number),
        Column::new("at", Kind::Moment),
        Column::new("paths", Kind::Texts),
        Column::new("config", Kind::Json),
    ];
    Table { name: "things".into(), columns, uniques: Vec::new(), ttl: true }
}

fn fitted(row: Value) -> Result<Value, String> {
    let Value::Object(row) = row else { panic!("a row is an object") };
    match fit(&table(), row) {
        Ok((row, _)) => Ok(Value::Object(row.into_iter().filter(|(_, value)| !value.is_null()).collect())),
        Err(StoreError::Unfit { field, .. }) => Err(field),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn fields_that_are_not_given_are_null() {
    let (row, ttl) = fit(&table(), Row::new()).unwrap();
    assert_eq!(row.len(), 7);
    assert!(row.values().all(Value::is_null));
    assert_eq!(ttl, Ttl::Unsaid);
}

#[test]
fn ids_are_kept_in_lower_case() {
    let id = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
    assert_eq!(fitted(json!({ "id": id })), Ok(json!({ "id": id.to_lowercase() })));
    assert_eq!(fitted(json!({"id": "x"})), Err("id".to_owned()));
}

#[test]
fn numbers_have_one_form() {
    assert_eq!(fitted(json!({"count": 5.0})), Ok(json!({"count": 5})));
    assert_eq!(fitted(json!({"count": 5.5})), Err("count".to_owned()));
    assert_eq!(fitted(json!({"count": 1e300})), Err("count".to_owned()));
    assert_eq!(fitted(json!({"share": 5.0})), Ok(json!({"share": 5})));
    assert_eq!(fitted(json!({"share": 0.1})), Ok(json!({"share": 0.1})));
    assert_eq!(fitted(json!({"at": 1_700_000_000.123_456_7})), Ok(json!({"at": 1_700_000_000.123_457})));
    assert_eq!(fitted(json!({"at": 1_700_000_000.001})), Ok(json!({"at": 1_700_000_000.001})));
    assert_eq!(fitted(json!({"at": 1e18})), Err("at".to_owned()));
}

#[test]
fn json_keeps_whole_numbers_and_fractions_apart() {
    let config = json!({"config": {"a": 1, "b": 1.0, "c": [0.5, null, {}], "d": ""}});
    assert_eq!(fitted(config.clone()), Ok(config));
    assert_eq!(
        fitted(json!({"config": [1e16, -0.0]})),
        Ok(json!({"config": [10_000_000_000_000_000_u64, 0.0]}))
    );
}

#[test]
fn what_no_database_keeps_is_refused() {
    assert_eq!(fitted(json!({"name": "a\u{0}"})), Err("name".to_owned()));
    assert_eq!(fitted(json!({"paths": ["a\u{0}"]})), Err("paths".to_owned()));
    assert_eq!(fitted(json!({"paths": [1]})), Err("paths".to_owned()));
    assert_eq!(fitted(json!({"config": {"a": ["\u{0}"]}})), Err("config".to_owned()));
    assert_eq!(fitted(json!({"colour": "red"})), Err("colour".to_owned()));
}

#[test]
fn the_time_to_live_is_taken_out() {
    let ttl = |value: Value| fit(&table(), Row::from_iter([("ttl".to_owned(), value)])).map(|(_, ttl)| ttl);
    assert_eq!(ttl(json!(1.5)), Ok(Ttl::In(1500)));
    assert_eq!(ttl(json!(0)), Ok(Ttl::Never));
    assert_eq!(ttl(Value::Null), Ok(Ttl::Never));
    assert!(ttl(json!("1")).is_err());
    assert!(ttl(json!(-1)).is_err());
}
