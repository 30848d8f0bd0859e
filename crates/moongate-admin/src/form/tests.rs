//! Which object which form describes.

use serde_json::{Value, json};

use super::assemble;

fn form(text: &str) -> Value {
    let fields = text.split('&').map(|pair| pair.split_once('=').unwrap());
    Value::Object(assemble(fields.map(|(name, value)| (name.to_owned(), value.into()))))
}

#[test]
fn a_dot_goes_down_into_an_object() {
    assert_eq!(
        form("config.second=5&config.redis.host=h"),
        json!({"config": {"second": "5", "redis": {"host": "h"}}})
    );
}

#[test]
fn a_name_with_a_dot_at_either_end_is_taken_as_it_is() {
    assert_eq!(form(".a=1&b.=2"), json!({".a": "1", "b.": "2"}));
}

#[test]
fn empty_brackets_make_a_list_even_of_one() {
    assert_eq!(form("hosts[]=a"), json!({"hosts": ["a"]}));
    assert_eq!(form("hosts[]=a&hosts[]=b"), json!({"hosts": ["a", "b"]}));
}

#[test]
fn a_repeated_name_makes_a_list_and_a_single_one_does_not() {
    assert_eq!(form("host=a&host=b&port=1"), json!({"host": ["a", "b"], "port": "1"}));
}

#[test]
fn numbers_in_brackets_order_a_list_and_leave_no_holes() {
    assert_eq!(form("hosts[7]=c&hosts[2]=b&hosts[]=d&hosts=e"), json!({"hosts": ["b", "c", "d", "e"]}));
}

#[test]
fn names_in_brackets_are_keys_of_a_map() {
    assert_eq!(form("config.headers[x-foo]=bar"), json!({"config": {"headers": {"x-foo": "bar"}}}));
    assert_eq!(form("headers.x-a[]=1&headers.x-a[]=2"), json!({"headers": {"x-a": ["1", "2"]}}));
}

#[test]
fn lists_of_objects_are_filled_field_by_field() {
    let expected = json!({"config": {"metrics": [{"name": "x", "rate": "1"}, {"name": "y"}]}});
    assert_eq!(form("config.metrics[1].name=x&config.metrics[2].name=y&config.metrics[1].rate=1"), expected);
    assert_eq!(form("sources[].ip=a&sources[].port=1"), json!({"sources": [{"ip": "a", "port": "1"}]}));
}

#[test]
fn lists_of_lists_are_possible() {
    assert_eq!(form("a[1][]=x&a[1][]=y&a[2][]=z"), json!({"a": [["x", "y"], ["z"]]}));
}

#[test]
fn brackets_that_do_not_match_are_part_of_the_name() {
    assert_eq!(form("a[=1&b]=2&[c]=3"), json!({"a[": "1", "b]": "2", "[c]": "3"}));
}

#[test]
fn a_value_under_a_name_that_also_has_members_gives_way_to_them() {
    assert_eq!(form("host.x=1&host=a"), json!({"host": {"x": "1"}}));
}
