//! What the node says of itself.

use super::*;

#[tokio::test]
async fn the_root_has_what_clients_of_kong_read() {
    let answer = Api::start().await.get("/").await;
    let expected = json!({
        "tagline": "Welcome to Moongate",
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
            "enabled_in_cluster": ["add-header", "gone"],
        },
        "lua_version": "none",
        "configuration": {"database": "off", "role": "traditional"},
        "pids": {"master": std::process::id(), "workers": [4, 5]},
    });
    answer.assert(200, expected);
}

#[tokio::test]
async fn the_status_is_that_of_a_node_without_a_database() {
    let answer = Api::start().await.get("/status").await;
    let expected = json!({
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
    answer.assert(200, expected);
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
    let declared =
        AdminRoute { plugin: "p".into(), method: "GET".into(), path: "/services-by-plugin".into() };
    api.catalog.routes.lock().push(declared);
    let expected = json!({"data": [
        "/", "/endpoints",
        "/moongate/plugins", "/moongate/plugins/{name}", "/moongate/reload",
        "/plugins", "/plugins/enabled", "/plugins/{plugins}", "/plugins/{plugins}/consumer",
        "/plugins/{plugins}/route", "/plugins/{plugins}/service",
        "/routes", "/routes/{routes}", "/routes/{routes}/plugins", "/routes/{routes}/plugins/{plugins}",
        "/routes/{routes}/service",
        "/services", "/services/{services}", "/services/{services}/plugins",
        "/services/{services}/plugins/{plugins}", "/services/{services}/routes",
        "/services/{services}/routes/{routes}",
        "/services-by-plugin",
        "/status",
    ]});
    api.get("/endpoints").await.assert(200, expected);
}

#[tokio::test]
async fn the_enabled_plugins_are_those_with_a_version_that_can_be_used() {
    let answer = Api::start().await.get("/plugins/enabled").await;
    answer.assert(200, json!({"enabled_plugins": ["add-header", "older"]}));
}
