//! Limits how many requests a client may make in a time.

mod binding;
mod config;
mod redis;
mod store;
mod usage;
mod window;

use std::cell::RefCell;

use moongate_sdk::counters::Counter;
use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, Schema, clock, export, log};
use sha2::{Digest as _, Sha256};

pub use crate::binding::Binding;
pub use crate::config::{Config, LimitBy, Policy};
use crate::store::{Exchange, Store};
use crate::usage::{Limit, Usage};
use crate::window::{Period, counter_name};

/// See the crate's description.
pub struct RateLimiting {
    config: Config,
    limits: Vec<Limit>,
    /// What the names of counters begin with.
    prefix: String,
    store: Store,
}

impl Plugin for RateLimiting {
    type Config = Config;
    const PRIORITY: i32 = 910;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let limit = |period: Period| config.limit(period).map(|limit| Limit::new(period, limit));
        let limits: Vec<Limit> = Period::ALL.into_iter().filter_map(limit).collect();
        if limits.is_empty() {
            return Err(vec![Problem::at("", "at least one limit must be given")]);
        }
        let store = match config.policy {
            Policy::Local => Store::Local,
            Policy::Cluster => {
                log::warn(
                    "requests are counted by each node for itself: use the policy `redis` to share counters",
                );
                Store::Local
            }
            Policy::Redis if config.sync_rate > 0.0 => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "positive, and more milliseconds than u64 holds are for ever"
                )]
                let interval = (config.sync_rate * 1000.0) as u64;
                Store::Exchanged(config.redis.open(), RefCell::new(Exchange::new(interval)))
            }
            Policy::Redis => Store::Redis(config.redis.open()),
        };
        Ok(Self { limits, prefix: config.binding.prefix("ratelimit"), store, config })
    }
}

impl OnRequest for RateLimiting {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let now = u64::try_from(clock::now().as_millis()).unwrap_or_default();
        let counters = self.counters(&self.counted(request), now);
        match self.count(counters, now) {
            Ok(verdict) => self.decide(request, &verdict),
            Err(error) if self.config.fault_tolerant => {
                log::error(&format!("the request is not counted: {error}"));
                Ok(Decision::Continue)
            }
            Err(error) => Err(Error::new(error)),
        }
    }
}

/// Whether a request is within the limits.
struct Verdict {
    is_exceeded: bool,
    usage: Usage,
}

impl RateLimiting {
    /// Whom the request is counted for.
    fn counted(&self, request: &Request) -> String {
        let header = |name: &String| request.header_text(name);
        let path = |path: &&String| **path == request.normalised_path();
        let counted = match self.config.limit_by {
            LimitBy::Consumer => request.consumer_id().or_else(|| request.credential_id()),
            LimitBy::Credential => request.credential_id(),
            LimitBy::Ip => None,
            LimitBy::Service => request.service(),
            LimitBy::Header => self.config.header_name.as_ref().and_then(header),
            LimitBy::Path => self.config.path.as_ref().filter(path).cloned(),
        };
        let counted = counted.unwrap_or_else(|| request.client_address());
        if counted.len() <= LONGEST { counted } else { digest(&counted) }
    }

    fn counters(&self, counted: &str, now: u64) -> Vec<Counter> {
        let counter = |limit: &Limit| {
            let start = limit.period.start(now / 1000);
            let name = counter_name(&self.prefix, counted, start, limit.period.name());
            Counter::new(name, now + limit.period.seconds() * 1000)
        };
        self.limits.iter().map(counter).collect()
    }

    /// Counts the request unless a limit is used up already.
    fn count(&self, counters: Vec<Counter>, now: u64) -> Result<Verdict, String> {
        let (is_counted, used) = self.store.take(counters, &self.limits, now)?;
        let left: Vec<f64> = self.limits.iter().zip(used).map(|(limit, used)| limit.left(used)).collect();
        // Other nodes may have counted in the meantime: what counts is how many there are with this one.
        let is_exceeded = !is_counted || left.iter().any(|left| *left <= -1.0);
        Ok(Verdict { is_exceeded, usage: Usage::new(&self.limits, left, now / 1000) })
    }

    fn decide(&self, request: &Request, verdict: &Verdict) -> Result<Decision, Error> {
        let is_told = !self.config.hide_client_headers;
        if !verdict.is_exceeded {
            if is_told {
                verdict.usage.tell(&self.limits, |name, value| request.set_response_header(name, value))?;
            }
            return Ok(Decision::Continue);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no status stays none: it is looked at next"
        )]
        let status = self.config.error_code as u16;
        if !(400..600).contains(&status) {
            return Err(Error::new(format!("`error_code` must be between 400 and 599, not {status}")));
        }
        let mut decision = Decision::fail(status, self.config.error_message.clone());
        if is_told {
            let mut put = |name: &str, value: &str| {
                let told = std::mem::replace(&mut decision, Decision::Continue).header(name, value);
                decision = told;
                Ok::<(), Error>(())
            };
            verdict.usage.tell(&self.limits, &mut put)?;
            put("retry-after", &verdict.usage.reset().to_string())?;
        }
        Ok(decision)
    }
}

/// A short text for a long one, which nobody can make another text for.
fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes of a text that is part of the name of a counter as it is. Names have at most 512.
const LONGEST: usize = 256;

export!(RateLimiting: OnRequest);

#[cfg(test)]
mod tests;
