//! Fixture: does whatever its configuration says, good or bad.

use std::sync::atomic::{AtomicU64, Ordering};

use moongate_sdk::{
    Admin, AdminRequest, AdminRoute, Decision, Error, OnRequest, OnResponse, Plugin, Problem, Reply, Request,
    Response, config, context, export, log,
};

/// What the probe does with each request.
#[config]
pub struct Config {
    /// The behaviour.
    mode: Mode,
}

/// A behaviour.
#[config]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Lets requests pass.
    Pass,
    /// Answers without asking the upstream.
    Answer,
    /// Computes forever.
    Loop,
    /// Takes memory forever.
    Allocate,
    /// Panics.
    Trap,
    /// Recurses until the stack is full.
    Recurse,
    /// Writes 10,000 log lines and lets the request pass.
    Flood,
    /// Sleeps for ten seconds.
    Sleep,
    /// Reports a failure.
    Fail,
    /// Tries to break out of a header, and into framing; the errors become headers.
    Inject,
    /// Answers with a header that breaks out of its line.
    InjectReply,
    /// Copies the request header `x-echo` to the upstream and the response, byte by byte.
    Echo,
    /// Keeps the header `x-secret` in memory and in the context, and tells what it finds there first.
    Remember,
    /// Tells facts of the request in response headers.
    Facts,
}

/// The probe.
pub struct Probe(Mode);

static SERVED: AtomicU64 = AtomicU64::new(0);

impl Plugin for Probe {
    type Config = Config;
    const PRIORITY: i32 = 500;

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        Ok(Self(config.mode))
    }
}

impl OnRequest for Probe {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let served = SERVED.fetch_add(1, Ordering::Relaxed);
        match self.0 {
            Mode::Pass => {}
            Mode::Answer => {
                return Ok(Reply::text(418, "short and stout").header("x-probe", "answered").into());
            }
            Mode::Loop => loop {
                std::hint::black_box(served);
            },
            Mode::Allocate => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1_u8; 1024 * 1024]));
                }
            }
            Mode::Trap => {
                let nothing: Option<u8> = std::hint::black_box(None);
                #[expect(clippy::expect_used, reason = "the fixture is to panic")]
                nothing.expect("the probe was told to panic");
            }
            Mode::Recurse => {
                recurse(served);
            }
            Mode::Flood => {
                for line in 0..10_000 {
                    log::info(&format!("line {line} of a flood"));
                }
            }
            Mode::Sleep => std::thread::sleep(std::time::Duration::from_secs(10)),
            Mode::Fail => return Err(Error::new("the probe was told to fail")),
            Mode::Inject => {
                for (name, value) in [("x-a", "1\r\nx-injected: 1"), ("x b", "1"), ("content-length", "5")] {
                    if let Err(error) = request.set_header(name, value) {
                        request.add_response_header("x-refused", error.to_string())?;
                    }
                    if let Err(error) = request.set_response_header(name, value) {
                        request.add_response_header("x-refused", error.to_string())?;
                    }
                }
            }
            Mode::InjectReply => {
                return Ok(Reply::text(200, "hello").header("x-a", "1\r\nx-injected: 1").into());
            }
            Mode::Echo => {
                if let Some(value) = request.header("x-echo") {
                    request.set_header("x-upstream-echo", &value)?;
                    request.set_response_header("x-response-echo", &value)?;
                }
            }
            Mode::Remember => {
                let found =
                    context::get("secret").or_else(|| context::get_shared("secret")).unwrap_or_default();
                request.set_response_header("x-found", &found)?;
                request.set_response_header("x-served", served.to_string())?;
                if let Some(secret) = request.header("x-secret") {
                    context::set("secret", &secret);
                    context::set_shared("secret", &secret);
                }
            }
            Mode::Facts => {
                request.set_response_header("x-method", request.method())?;
                request.set_response_header("x-path", request.path())?;
                request.set_response_header("x-query", request.query().unwrap_or_default())?;
                request.set_response_header("x-host", request.host().unwrap_or_default())?;
                request.set_response_header("x-client", request.client_address())?;
                request.set_response_header("x-id", request.id())?;
                request.set_response_header("x-route", request.route().unwrap_or_default())?;
                request.set_response_header("x-service", request.service().unwrap_or_default())?;
            }
        }
        Ok(Decision::Continue)
    }
}

impl OnResponse for Probe {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        response.set_header("x-probe-status", response.status().to_string())?;
        if self.0 == Mode::Remember {
            response.set_header("x-remembered", context::get("secret").unwrap_or_default())?;
        }
        Ok(())
    }
}

impl Admin for Probe {
    const ROUTES: &'static [AdminRoute] =
        &[AdminRoute::get("/probe/served"), AdminRoute::post("/probe/loop")];

    fn on_admin(request: &AdminRequest) -> Result<Reply, Error> {
        if request.method == "POST" {
            loop {
                std::hint::black_box(&request.path);
            }
        }
        Ok(Reply::text(200, SERVED.load(Ordering::Relaxed).to_string()))
    }
}

fn recurse(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    let deeper = frame.iter().sum::<u64>().wrapping_add(1);
    if deeper == u64::MAX { 0 } else { recurse(deeper).wrapping_add(1) }
}

export!(Probe: OnRequest, OnResponse, Admin);
