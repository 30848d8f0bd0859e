//! Fixture: goes to the limits of what it was granted, and beyond, as requests tell it.

use std::sync::atomic::{AtomicU64, Ordering};

use moongate_sdk::counters::{self, Counter, Redis, RedisSettings};
use moongate_sdk::http_client::Outgoing;
use moongate_sdk::metrics::{self, Kind};
use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, Decision, Error, OnRequest, OnResponse, Plugin, Problem, Reply, Request,
    Response, config, context, export, kv, log,
};

/// Something to tell configurations apart by.
#[config]
pub struct Config {
    /// Any text.
    label: Option<String>,
}

/// The fixture, by its label.
pub struct Stranger(String);

static SERVED: AtomicU64 = AtomicU64::new(0);

impl Plugin for Stranger {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        metrics::describe("stranger_series", Kind::Counter, "As many series as the fixture is told.");
        Ok(Self(config.label.unwrap_or_default()))
    }
}

impl OnRequest for Stranger {
    /// Does what the header `x-act` says with what `x-on` says, and answers with what came of it.
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
        let act = request.header_text("x-act").unwrap_or_default();
        let on = request.header_text("x-on").unwrap_or_default();
        let size = on.parse::<usize>().unwrap_or(0);
        let text = match act.as_str() {
            "fetch" => fetch(&on),
            "keep" => {
                let value = request.header("x-value").unwrap_or_default();
                kv::set(&on, value, None).to_string()
            }
            "kept" => {
                String::from_utf8_lossy(&kv::get(&on).unwrap_or_else(|| b"nothing".to_vec())).into_owned()
            }
            "count" => {
                let counted = counters::add(&[Counter::new(on, request.started() + 60_000)], 1);
                format!("{} of which {served} here", counted.iter().sum::<u64>())
            }
            "counted" => counters::read(&[on]).iter().sum::<u64>().to_string(),
            "hoard" => hoard(size),
            "measure" => {
                for number in 0..size {
                    metrics::record("stranger_series", &[("number", &number.to_string())], 1.0);
                }
                "measured".to_owned()
            }
            "open" => {
                for _ in 0..size {
                    Box::leak(Box::new(Redis::open(RedisSettings::new("127.0.0.1"))));
                }
                "opened".to_owned()
            }
            "hand-over" => {
                request.set_body(vec![b'x'; size]);
                "handed over".to_owned()
            }
            "long-header" => told(request.set_header("x-long", "x".repeat(size))),
            "many-headers" => told((0..size).try_for_each(|_| request.add_header("x-many", "1"))),
            "many-edits" => told((0..size).try_for_each(|_| request.set_response_header("x-edit", "1"))),
            "answer-with-headers" => {
                let headers = (0..size).map(|_| ("x-many".to_owned(), b"1".to_vec())).collect();
                return Ok(Reply { status: 200, headers, body: b"answered".to_vec() }.into());
            }
            "read" => told(request.body(u64::MAX).map(|_| ())),
            "context" => context::set("k", vec![b'x'; size.saturating_sub(1)]).to_string(),
            "say" => {
                log::warn(&"m".repeat(size));
                "said".to_owned()
            }
            "random" => {
                let bytes = wasip2::random::random::get_random_bytes(size as u64);
                format!("{} random bytes", bytes.len())
            }
            "print" => {
                eprintln!("{}", "m".repeat(size));
                "printed".to_owned()
            }
            "grow" => {
                std::hint::black_box(vec![1_u8; size]);
                served.to_string()
            }
            // The response hook acts.
            _ => return Ok(Decision::Continue),
        };
        Ok(Reply::text(200, text).header("x-label", self.0.as_str()).into())
    }
}

impl OnResponse for Stranger {
    /// Holds as many handles as it is told.
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        let request = response.request();
        if request.header_text("x-act").as_deref() == Some("hold") {
            let size = request.header_text("x-on").and_then(|size| size.parse().ok()).unwrap_or(0);
            for _ in 0..size {
                Box::leak(Box::new(response.request()));
            }
        }
        Ok(())
    }
}

impl Admin for Stranger {
    const ROUTES: &'static [AdminRoute] = &[AdminRoute::post("/stranger/fetch")];

    fn on_admin(request: &AdminRequest) -> Result<Reply, Error> {
        Ok(Reply::text(200, fetch(&String::from_utf8_lossy(&request.body))))
    }
}

/// The status that a server answers with, and the length of its answer.
fn fetch(url: &str) -> String {
    match Outgoing::get(url).send() {
        Ok(answer) => format!("{} with {} bytes", answer.status, answer.body.len()),
        Err(error) => error.to_string(),
    }
}

/// Keeps values of some size until there is no room.
fn hoard(size: usize) -> String {
    let value = vec![b'x'; size];
    let kept = (0_usize..1_000).take_while(|number| kv::set(&number.to_string(), &value, None)).count();
    format!("{kept} kept, the next is there: {}", kv::get(&kept.to_string()).is_some())
}

fn told(result: Result<(), impl std::error::Error>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

export!(Stranger: OnRequest, OnResponse, Admin);
