//! How the health of targets is found out.

use moongate_schema::{Field, Schema, types};
use serde_json::json;

pub(super) fn field() -> Field {
    let fields = Schema::record().field("active", active()).field("passive", passive());
    // The default of the whole has always been without the threshold, which its own default fills.
    Field::record(fields.clone())
        .required()
        .default_of_fields()
        .with_fields(fields.field("threshold", Field::number().between(0, 100).default(0)))
}

fn active() -> Field {
    let healthy = Schema::record()
        .field("interval", seconds().default(0))
        .field("http_statuses", statuses(&[200, 302]))
        .field("successes", count());
    let unhealthy = Schema::record()
        .field("interval", seconds().default(0))
        .field("http_statuses", statuses(&[429, 404, 500, 501, 502, 503, 504, 505]))
        .field("tcp_failures", count())
        .field("timeouts", count())
        .field("http_failures", count());
    record(
        Schema::record()
            .field("type", kind())
            .field("timeout", seconds().default(1))
            .field("concurrency", Field::integer().between(1, 2_147_483_648_u32).default(10))
            .field("http_path", types::path().default("/"))
            .field("https_sni", types::sni().optional())
            .field("https_verify_certificate", Field::boolean().required().default(true))
            .field("headers", types::headers().optional())
            .field("healthy", record(healthy))
            .field("unhealthy", record(unhealthy)),
    )
}

fn passive() -> Field {
    let healthy = Schema::record()
        .field(
            "http_statuses",
            statuses(&[
                200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 306, 307, 308,
            ]),
        )
        .field("successes", count());
    let unhealthy = Schema::record()
        .field("http_statuses", statuses(&[429, 500, 503]))
        .field("tcp_failures", count())
        .field("timeouts", count())
        .field("http_failures", count());
    record(
        Schema::record()
            .field("type", kind())
            .field("healthy", record(healthy))
            .field("unhealthy", record(unhealthy)),
    )
}

fn record(fields: Schema) -> Field {
    Field::record(fields).required().default_of_fields()
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

fn statuses(defaults: &[u16]) -> Field {
    Field::array(Field::integer().between(100, 999)).default(json!(defaults))
}
