//! Who is turned away.

use moongate_sdk::export::configure;
use moongate_sdk::testing::RawRequest;
use serde_json::{Value, json};

use super::*;

fn plugin(config: &Value) -> BotDetection {
    configure(&config.to_string()).unwrap_or_else(|problems| panic!("{config}: {problems:?}"))
}

fn decision(config: &Value, agents: &[&str]) -> Decision {
    let request =
        agents.iter().fold(RawRequest::get("/"), |request, agent| request.with_header("user-agent", agent));
    plugin(config).on_request(&request.as_request()).unwrap()
}

#[test]
fn known_crawlers_are_turned_away_unless_they_are_allowed() {
    assert_eq!(decision(&json!({}), &["Twitterbot/1.0"]), Decision::fail(403, "Forbidden"));
    assert_eq!(decision(&json!({"allow": ["^Twitter"]}), &["Twitterbot/1.0"]), Decision::Continue);
}

#[test]
fn denied_clients_are_turned_away_in_the_case_of_the_expression() {
    let config = json!({"deny": ["evil.*agent", "^curl/"]});
    for agent in ["my evil user agent", "curl/7"] {
        assert_eq!(decision(&config, &[agent]), Decision::fail(403, "Forbidden"), "{agent}");
    }
    for agent in ["x curl/7", "EVIL agent", ""] {
        assert_eq!(decision(&config, &[agent]), Decision::Continue, "{agent}");
    }
}

#[test]
fn a_client_says_what_it_is_at_most_once() {
    assert_eq!(decision(&json!({}), &[]), Decision::Continue);
    let twice = Decision::fail(400, "Only one User-Agent header allowed");
    assert_eq!(decision(&json!({"allow": ["."]}), &["a", "b"]), twice);
}

#[test]
fn an_expression_beyond_the_engine_is_refused_with_its_place() {
    let problems = configure::<BotDetection>(r#"{"deny": ["a", "(?=b)"]}"#).err().unwrap();
    assert_eq!(problems[0].path, "deny.1");
}
