//! Objects that are refused, and the texts that tools look for.

use serde_json::Value;

use super::problems;

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
