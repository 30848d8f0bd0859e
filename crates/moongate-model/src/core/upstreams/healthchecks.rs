//! How the health of targets is found out.

use moongate_schema::{Field, Schema, types};
use serde_json::{Value, json};

pub(super) fn field() -> Field {
    let fields = Schema::record()
        .field("active", active().default(active_default()))
        .field("passive", passive().default(passive_default()))
        .field("threshold", Field::number().between(0, 100).default(0));
    let default = json!({"active": active_default(), "passive": passive_default()});
    Field::record(fields).required().default(default)
}

fn active() -> Field {
    let default = active_default();
    let healthy = Schema::record()
        .field("interval", seconds().default(0))
        .field("http_statuses", statuses(&default["healthy"]))
        .field("successes", count());
    let unhealthy = Schema::record()
        .field("interval", seconds().default(0))
        .field("http_statuses", statuses(&default["unhealthy"]))
        .field("tcp_failures", count())
        .field("timeouts", count())
        .field("http_failures", count());
    let fields = Schema::record()
        .field("type", kind())
        .field("timeout", seconds().default(1))
        .field("concurrency", Field::integer().between(1, 2_147_483_648.0).default(10))
        .field("http_path", types::path().default("/"))
        .field("https_sni", types::sni().optional())
        .field("https_verify_certificate", Field::boolean().required().default(true))
        .field("headers", Field::map(types::header_name(), Field::array(Field::string())).optional())
        .field("healthy", Field::record(healthy).required().default(default["healthy"].clone()))
        .field("unhealthy", Field::record(unhealthy).required().default(default["unhealthy"].clone()));
    Field::record(fields).required()
}

fn passive() -> Field {
    let default = passive_default();
    let healthy =
        Schema::record().field("http_statuses", statuses(&default["healthy"])).field("successes", count());
    let unhealthy = Schema::record()
        .field("http_statuses", statuses(&default["unhealthy"]))
        .field("tcp_failures", count())
        .field("timeouts", count())
        .field("http_failures", count());
    let fields = Schema::record()
        .field("type", kind())
        .field("healthy", Field::record(healthy).required().default(default["healthy"].clone()))
        .field("unhealthy", Field::record(unhealthy).required().default(default["unhealthy"].clone()));
    Field::record(fields).required()
}

fn kind() -> Field {
    Field::string().one_of(["tcp", "http", "https", "grpc", "grpcs"]).default("http")
}

fn seconds() -> Field {
    Field::number().between(0, 65535)
}

fn count() -> Field {
    Field::integer().between(0, 255).default(0)
}

fn statuses(defaults: &Value) -> Field {
    Field::array(Field::integer().between(100, 999)).default(defaults["http_statuses"].clone())
}

fn active_default() -> Value {
    json!({
        "type": "http",
        "timeout": 1,
        "concurrency": 10,
        "http_path": "/",
        "https_verify_certificate": true,
        "healthy": {"interval": 0, "http_statuses": [200, 302], "successes": 0},
        "unhealthy": {
            "interval": 0,
            "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505],
            "tcp_failures": 0,
            "timeouts": 0,
            "http_failures": 0
        }
    })
}

fn passive_default() -> Value {
    let healthy =
        [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308];
    json!({
        "type": "http",
        "healthy": {"http_statuses": healthy, "successes": 0},
        "unhealthy": {"http_statuses": [429, 500, 503], "tcp_failures": 0, "timeouts": 0, "http_failures": 0}
    })
}
