//! What the node says of itself.

use super::*;

#[tokio::test]
async fn the_root_has_what_clients_of_kong_read() {
    let answer = Api::start().await.get("/").await;
    let expected = json!({
        "tagline": "Welcome to kong",
        "version": "3.9.3",
        "edition": "community",
        "moongate": {"version": "0.1.0"},
        "hostname": "box",
        "node_id": "00000000-0000-0000-0000-000000000063",
        "timers": {"running": 0, "pending": 0},
        "plugins": {
            "available_on_server": {
                "add-header": {"version": "1.2.0", "priority": 800},
                "older": {"version": "1.2.0", "priority": 800},
            },
            "enabled_in_cluster": ["key-auth", "limits"],
        },
        "lua_version": "none",
        "configuration": {"database": "memory", "role": "traditional", "log_level": "notice"},
        "pids": {"master": std::process::id(), "workers": [4, 5]},
    });
    answer.assert(200, expected);
}

#[tokio::test]
async fn the_status_has_the_hash_of_the_configuration_or_whether_the_database_answers() {
    let answer = Api::declarative().await.get("/status").await;
    let mut expected = json!({
        "memory": {
            "lua_shared_dicts": {},
            "workers_lua_vms": [{"http_allocated_gc": "1.50 MiB", "pid": std::process::id()}],
        },
        "server": {
            "connections_accepted": 7, "connections_handled": 0, "connections_active": 2,
            "connections_reading": 0, "connections_writing": 0, "connections_waiting": 0, "total_requests": 9,
        },
        "configuration_hash": "41e943caec385f88f740539b5cb366b3",
    });
    answer.assert(200, expected.clone());

    expected.as_object_mut().unwrap().remove("configuration_hash");
    expected["database"] = json!({"reachable": true});
    Api::start().await.get("/status").await.assert(200, expected);
}

#[tokio::test]
async fn memory_is_shown_in_the_unit_and_precision_that_a_client_asks_for() {
    let api = Api::start().await;
    for (query, shown) in [
        ("unit=b", json!(1_572_864)),
        ("unit=k", json!("1536.00 KiB")),
        ("unit=K&scale=0", json!("1536 KiB")),
        ("unit=m&scale=3", json!("1.500 MiB")),
        ("unit=g&scale=4", json!("0.0015 GiB")),
        ("scale=x", json!("1.50 MiB")),
        ("scale=999999999", json!("1.50000000000000000000 MiB")),
    ] {
        let answer = api.get(&format!("/status?{query}")).await;
        assert_eq!(answer.value()["memory"]["workers_lua_vms"][0]["http_allocated_gc"], shown, "{query}");
    }
    let message = "invalid unit 'zip' (expected 'k/K', 'm/M', or 'g/G')";
    api.get("/status?unit=zip").await.assert_message(400, message);
}

#[tokio::test]
async fn the_endpoints_are_listed_with_those_of_plugins_and_each_before_what_is_below_it() {
    let api = Api::start().await;
    let declared = AdminRoute {
        plugin: "p".into(),
        method: "GET".into(),
        path: "/services-by-plugin".into(),
        status: false,
    };
    api.catalog.routes.lock().push(declared);
    let value = api.get("/endpoints").await.value();
    let paths: Vec<&str> =
        value["data"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    let below =
        |start: &str| paths.iter().filter(|path| path.starts_with(start)).copied().collect::<Vec<_>>();
    assert_eq!(paths[..4], ["/", "/acls", "/acls/{acls}", "/acls/{acls}/consumer"]);
    assert_eq!(
        below("/services"),
        [
            "/services",
            "/services/{services}",
            "/services/{services}/client_certificate",
            "/services/{services}/filter-chains",
            "/services/{services}/filter-chains/{filter_chains}",
            "/services/{services}/plugins",
            "/services/{services}/plugins/{plugins}",
            "/services/{services}/routes",
            "/services/{services}/routes/{routes}",
            "/services-by-plugin",
        ]
    );
    assert_eq!(
        below("/consumers"),
        [
            "/consumers",
            "/consumers/{consumers}",
            "/consumers/{consumers}/acls",
            "/consumers/{consumers}/acls/{acls}",
            "/consumers/{consumers}/key-auth",
            "/consumers/{consumers}/key-auth/{keyauth_credentials}",
            "/consumers/{consumers}/plugins",
            "/consumers/{consumers}/plugins/{plugins}",
        ]
    );
    assert_eq!(below("/tags"), ["/tags", "/tags/{tags}"]);
    assert_eq!(below("/targets"), ["/targets", "/targets/{targets}", "/targets/{targets}/upstream"]);
    assert!(below("/moongate").is_empty() && below("/openapi").is_empty());
}

#[tokio::test]
async fn the_enabled_plugins_are_those_with_a_version_that_can_be_used() {
    let answer = Api::start().await.get("/plugins/enabled").await;
    answer.assert(200, json!({"enabled_plugins": ["add-header", "older"]}));
}
