//! Fixture: calls one function of the host again and again. What one call costs is the difference to none.

use std::hint::black_box;
use std::time::Duration;

use moongate_sdk::counters::{Allowance, Counter};
use moongate_sdk::metrics::Kind;
use moongate_sdk::{
    Decision, Error, OnRequest, Plugin, Problem, Request, clock, config, context, counters, export, kv, log,
    metrics, secrets,
};

/// What is called, and how often.
#[config]
pub struct Config {
    call: Call,
    times: u32,
}

/// A function of the host.
#[config]
#[derive(Clone, Copy)]
pub enum Call {
    /// The value of a header of the request.
    HeaderGet,
    /// Sets a header of the request.
    HeaderSet,
    /// All headers.
    Headers,
    /// A value of the request's context.
    ContextGet,
    /// Sets a value of the request's context.
    ContextSet,
    /// A value that is kept between requests, of 100 bytes.
    KvGet,
    /// Keeps a value of 100 bytes.
    KvSet,
    /// Reads two counters.
    CountersRead,
    /// Adds to two counters.
    CountersAdd,
    /// Adds to two counters that have a limit.
    CountersTake,
    /// Adds to a counter with two labels.
    MetricsRecord,
    /// Sets a gauge with two labels.
    MetricsSet,
    /// A secret from the environment.
    SecretsGet,
    /// A message of a level that is switched off.
    LogOff,
    /// The time of day.
    Clock,
}

/// The fixture.
pub struct Costs(Config);

impl Plugin for Costs {
    type Config = Config;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        metrics::describe("costs_total", Kind::Counter, "Calls.");
        metrics::describe("costs", Kind::Gauge, "The last call.");
        Ok(Self(config))
    }
}

impl OnRequest for Costs {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        kv::set("key", [b'v'; 100], None);
        context::set("key", "value");
        for _ in 0..self.0.times {
            call(self.0.call, request)?;
        }
        Ok(Decision::Continue)
    }
}

fn call(call: Call, request: &Request) -> Result<(), Error> {
    let ends = u64::MAX / 2;
    match call {
        Call::HeaderGet => drop(black_box(request.header("authorization"))),
        Call::HeaderSet => request.set_header("x-costs", "value")?,
        Call::Headers => drop(black_box(request.headers())),
        Call::ContextGet => drop(black_box(context::get("key"))),
        Call::ContextSet => drop(black_box(context::set("key", "value"))),
        Call::KvGet => drop(black_box(kv::get("key"))),
        Call::KvSet => drop(black_box(kv::set("key", [b'v'; 100], Some(Duration::from_secs(60))))),
        Call::CountersRead => drop(black_box(counters::read(&["one".to_owned(), "two".to_owned()]))),
        Call::CountersAdd => {
            drop(black_box(counters::add(&[Counter::new("one", ends), Counter::new("two", ends)], 1)));
        }
        Call::CountersTake => {
            let allowance = |name: &str| Allowance { name: name.to_owned(), ends, limit: u64::MAX };
            drop(black_box(counters::take(vec![allowance("one"), allowance("two")], 1)));
        }
        Call::MetricsRecord => metrics::record("costs_total", &[("route", "r"), ("service", "s")], 1.0),
        Call::MetricsSet => metrics::set("costs", &[("route", "r"), ("service", "s")], 1.0),
        Call::SecretsGet => drop(black_box(secrets::get("{vault://env/path}"))),
        Call::LogOff => log::debug("nobody reads this"),
        Call::Clock => drop(black_box(clock::now())),
    }
    Ok(())
}

export!(Costs: OnRequest);
