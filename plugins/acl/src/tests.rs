//! What clients, upstreams and operators see of the plugin.

use moongate_sdk::serde_json::{Value, json};
use moongate_sdk::testing::{Gateway, RawRequest, configure};
use moongate_sdk::{Consumer, Credential};

use super::*;

fn gateway() -> Gateway {
    let gateway = Gateway::of::<Acl>();
    for (id, consumer, group) in [("a", "1", "admins"), ("b", "1", "devs"), ("c", "2", "guests")] {
        gateway.add_row("acls", json!({ "id": id, "group": group, "consumer": { "id": consumer } }));
    }
    gateway
}

fn of(consumer: Option<&str>, has_credential: bool) -> RawRequest {
    let consumer = consumer.map(|id| Consumer { id: id.into(), ..Consumer::default() });
    RawRequest::get("/").with_client(consumer, has_credential.then(Credential::default))
}

/// The groups that go upstream, or the status.
fn outcome(config: Value, request: &RawRequest) -> Result<Option<String>, u16> {
    let plugin: Acl = configure(&config).unwrap();
    match plugin.on_request(&request.as_request()).unwrap() {
        Decision::Continue => Ok(request.as_request().header_text("x-consumer-groups")),
        Decision::Fail(failure) => {
            let message =
                if failure.status == 401 { "Unauthorized" } else { "You cannot consume this service" };
            assert_eq!(failure.message, message);
            Err(failure.status)
        }
        Decision::Respond(reply) => panic!("{reply:?}"),
    }
}

#[test]
fn members_of_an_allowed_group_pass_with_all_their_groups() {
    let _gateway = gateway();
    let config = || json!({ "allow": ["admins", "others"] });
    assert_eq!(outcome(config(), &of(Some("1"), true)), Ok(Some("admins, devs".into())));
    assert_eq!(outcome(config(), &of(Some("2"), true)), Err(403));
    assert_eq!(outcome(config(), &of(Some("3"), true)), Err(403));
}

#[test]
fn members_of_a_denied_group_do_not_pass_and_those_of_none_do() {
    let _gateway = gateway();
    let config = || json!({ "deny": ["guests"] });
    assert_eq!(outcome(config(), &of(Some("1"), true)), Ok(Some("admins, devs".into())));
    assert_eq!(outcome(config(), &of(Some("2"), true)), Err(403));
    assert_eq!(outcome(config(), &of(Some("3"), true)), Ok(Some(String::new())));
}

#[test]
fn who_is_not_known_is_told_so_by_the_status() {
    let _gateway = gateway();
    for config in [json!({ "allow": ["admins"] }), json!({ "deny": ["guests"] })] {
        assert_eq!(outcome(config.clone(), &of(None, false)), Err(401));
        assert_eq!(outcome(config, &of(None, true)), Err(403));
    }
    let anonymous = of(Some("3"), false);
    assert_eq!(outcome(json!({ "allow": ["admins"] }), &anonymous), Err(401));
}

#[test]
fn hidden_groups_do_not_go_upstream_and_neither_do_those_of_the_client() {
    let _gateway = gateway();
    let request = || {
        of(Some("1"), true)
            .with_header("X-Consumer-Groups", "root")
            .with_header("x-authenticated-groups", "root")
    };
    let (shown, hidden) = (request(), request());
    assert_eq!(outcome(json!({ "allow": ["admins"] }), &shown), Ok(Some("admins, devs".into())));
    assert_eq!(outcome(json!({ "allow": ["admins"], "hide_groups_header": true }), &hidden), Ok(None));
    for request in [shown, hidden] {
        assert_eq!(request.as_request().header("x-authenticated-groups"), None);
    }
}

#[test]
fn groups_that_a_plugin_shared_count_where_there_is_no_credential_or_always() {
    let _gateway = gateway();
    let sharing = |request: RawRequest| {
        context::set_shared("authenticated_groups", r#"["ops","devs"]"#);
        request
    };
    let config = json!({ "allow": ["ops"] });
    for (consumer, credential, expected) in
        [(None, false, Ok(())), (None, true, Ok(())), (Some("1"), false, Ok(())), (Some("1"), true, Err(403))]
    {
        let request = sharing(of(consumer, credential));
        assert_eq!(outcome(config.clone(), &request).map(drop), expected, "{consumer:?} {credential}");
        let groups = request.as_request().header_text("x-authenticated-groups");
        assert_eq!(groups.as_deref(), expected.is_ok().then_some("ops, devs"));
    }
    let always = json!({ "allow": ["ops"], "always_use_authenticated_groups": true });
    assert!(outcome(always, &sharing(of(Some("1"), true))).is_ok());
}
