//! Who is let through.

use moongate_sdk::export::configure;
use moongate_sdk::testing::RawRequest;
use serde_json::{Value, json};

use super::*;

fn decision(config: &Value, address: &str) -> Result<Decision, Error> {
    let plugin: IpRestriction =
        configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"));
    plugin.on_request(&RawRequest::get("/").with_client_address(address).as_request())
}

#[test]
fn those_on_the_list_are_let_through_and_no_others() {
    let config = json!({"allow": ["10.0.0.0/8", "::1"]});
    for address in ["10.1.2.3", "::1"] {
        assert_eq!(decision(&config, address).unwrap(), Decision::Continue, "{address}");
    }
    let refused = Decision::fail(403, "IP address not allowed: 11.1.2.3");
    assert_eq!(decision(&config, "11.1.2.3").unwrap(), refused);
}

#[test]
fn those_denied_are_turned_away_even_if_they_are_allowed() {
    let config =
        json!({"allow": ["10.0.0.0/8"], "deny": ["10.1.2.3"], "status": 451, "message": "not from there"});
    assert_eq!(decision(&config, "10.1.2.3").unwrap(), Decision::fail(451, "not from there"));
    assert_eq!(decision(&config, "10.1.2.4").unwrap(), Decision::Continue);
    assert_eq!(decision(&json!({"deny": ["10.1.2.3"]}), "1.1.1.1").unwrap(), Decision::Continue);
}

#[test]
fn a_client_without_an_address_is_turned_away() {
    let Decision::Fail(failure) = decision(&json!({"deny": ["1.1.1.1"]}), "unix:").unwrap() else {
        panic!("let through");
    };
    assert_eq!(failure.status, 403);
}

#[test]
fn a_status_that_is_no_refusal_makes_the_request_fail() {
    assert!(decision(&json!({"deny": ["1.1.1.1"], "status": 10}), "1.1.1.1").is_err());
}
