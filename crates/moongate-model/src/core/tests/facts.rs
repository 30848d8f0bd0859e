//! Objects that are refused, and the texts that tools look for.

use serde_json::Value;

use super::{complete, problems, test_catalog};

#[test]
fn wrong_objects_are_refused_with_the_texts_that_tools_look_for() {
    let facts: Vec<Value> = serde_json::from_str(include_str!("refusals.json")).unwrap();
    let mut differences = Vec::new();
    for fact in &facts {
        let found = problems(fact["entity"].as_str().unwrap(), &fact["given"]);
        let wanted = Some((fact["message"].as_str().unwrap().to_owned(), fact["fields"].clone()));
        if found != wanted {
            differences.push(format!(
                "{} {}:\n  wanted {wanted:?}\n  found  {found:?}",
                fact["entity"], fact["given"]
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(facts.len() > 100);
}

#[test]
fn right_objects_are_filled_and_shown_as_tools_know_them() {
    let facts: Vec<Value> = serde_json::from_str(include_str!("shown_rows.json")).unwrap();
    let catalog = test_catalog();
    let mut differences = Vec::new();
    for fact in &facts {
        let (entity, given) = (fact["entity"].as_str().unwrap(), &fact["given"]);
        assert_eq!(problems(entity, given), None, "{entity} {given}");
        let completed = complete(entity, given.clone()).unwrap();
        let mut shown = catalog.entity(entity).unwrap().present(&completed);
        for masked in ["id", "created_at", "updated_at"] {
            assert!(shown.remove(masked).is_some_and(|value| !value.is_null()));
        }
        if Value::Object(shown.clone()) != fact["shown"] {
            differences.push(format!("{entity} {given}:\n  wanted {}\n  found  {shown:?}", fact["shown"]));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(facts.len() > 20);
}
