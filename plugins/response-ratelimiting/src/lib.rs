//! Limits what upstreams say that a response costs.
//!
//! The request hook tells what is left, or refuses the request; the response hook counts what the response costs.

#[path = "../../rate-limiting/src/binding.rs"]
mod binding;
mod config;
#[path = "../../rate-limiting/src/redis.rs"]
mod redis;
#[path = "../../rate-limiting/src/window.rs"]
mod window;

use moongate_sdk::counters::{self, Counter, Redis};
use moongate_sdk::{
    Decision, Error, OnRequest, OnResponse, Plugin, Problem, Request, Response, Schema, clock, context,
    export, log,
};
use sha2::{Digest as _, Sha256};

pub use crate::binding::Binding;
pub use crate::config::{Config, LimitBy, Limits, Policy};
use crate::window::{Period, counter_name};

/// See the crate's description.
pub struct ResponseRateLimiting {
    config: Config,
    limits: Vec<Limit>,
    /// What the names of counters begin with.
    prefix: String,
    /// Where there is none, this node counts.
    redis: Option<Redis>,
}

/// A limit of a period.
#[derive(Debug)]
struct Limit {
    name: String,
    period: Period,
    limit: f64,
}

impl Plugin for ResponseRateLimiting {
    type Config = Config;
    const PRIORITY: i32 = 900;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let mut limits = Vec::new();
        for (name, of_name) in &config.limits {
            for period in Period::ALL {
                if let Some(limit) = of_name.limit(period) {
                    limits.push(Limit { name: name.clone(), period, limit });
                }
            }
        }
        if config.policy == Policy::Cluster {
            log::warn(
                "responses are counted by each node for itself: use the policy `redis` to share counters",
            );
        }
        let redis = (config.policy == Policy::Redis).then(|| config.redis.open());
        Ok(Self { limits, prefix: config.binding.prefix("response-ratelimit"), redis, config })
    }
}

impl OnRequest for ResponseRateLimiting {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let counted = self.counted(request);
        let left = match self.left(&self.counters(&counted)) {
            Ok(left) => left,
            Err(error) if self.config.fault_tolerant => {
                log::error(&format!("the response will not be counted: {error}"));
                return Ok(Decision::Continue);
            }
            Err(error) => return Err(Error::new(error)),
        };
        for name in self.config.limits.keys() {
            let of_name = self.limits.iter().zip(&left).filter(|(limit, _)| limit.name == *name);
            let least = of_name.map(|(_, left)| *left).fold(f64::INFINITY, f64::min);
            if self.config.block_on_first_violation && least <= 0.0 {
                return Ok(Decision::fail(429, format!("API rate limit exceeded for '{name}'")));
            }
            request.set_response_header(&format!("x-ratelimit-remaining-{name}"), least.to_string())?;
        }
        context::set(COUNTED, &counted);
        Ok(Decision::Continue)
    }
}

impl OnResponse for ResponseRateLimiting {
    fn on_response(&self, response: &Response) -> Result<(), Error> {
        // Without it the request was answered before it came here.
        let Some(counted) = context::get(COUNTED).and_then(|counted| String::from_utf8(counted).ok()) else {
            return Ok(());
        };
        let counters = self.counters(&counted);
        let header = response.header_text(&self.config.header_name).unwrap_or_default();
        let costs = costs(&header);
        let cost =
            |limit: &Limit| costs.iter().find(|(name, _)| *name == limit.name).map_or(0, |(_, cost)| *cost);
        let left = match self.left(&counters) {
            Ok(left) => left,
            Err(error) if self.config.fault_tolerant => {
                log::error(&format!("the response is not counted: {error}"));
                return Ok(());
            }
            Err(error) => return Err(Error::new(error)),
        };
        let mut is_exceeded = false;
        for (limit, left) in self.limits.iter().zip(&left) {
            let cost = cost(limit);
            is_exceeded |= cost > 0 && *left <= 0.0;
            if !self.config.hide_client_headers {
                let (name, period) = (&limit.name, limit.period.name());
                let left = (left - to_float(cost)).max(0.0);
                response
                    .set_header(&format!("x-ratelimit-limit-{name}-{period}"), limit.limit.to_string())?;
                response.set_header(&format!("x-ratelimit-remaining-{name}-{period}"), left.to_string())?;
            }
        }
        if is_exceeded {
            response.set_status(429);
            response.set_body([]);
            return Ok(());
        }
        response.remove_header(&self.config.header_name)?;
        for (limit, counter) in self.limits.iter().zip(counters) {
            let cost = cost(limit);
            if cost > 0
                && let Err(error) = self.count(&[counter], cost)
            {
                log::error(&format!("the response is not counted: {error}"));
            }
        }
        Ok(())
    }
}

impl ResponseRateLimiting {
    /// Whom the response is counted for.
    fn counted(&self, request: &Request) -> String {
        let credential = || request.credential_id();
        let counted = match self.config.limit_by {
            LimitBy::Consumer => request.consumer_id().or_else(credential),
            LimitBy::Credential => credential(),
            LimitBy::Ip => None,
        };
        counted.unwrap_or_else(|| request.client_address())
    }

    fn counters(&self, counted: &str) -> Vec<Counter> {
        let now = u64::try_from(clock::now().as_millis()).unwrap_or_default();
        let counter = |limit: &Limit| {
            let what = format!("{}:{}", limit.name, limit.period.name());
            let mut name = counter_name(&self.prefix, counted, limit.period.start(now / 1000), &what);
            if name.len() > LONGEST {
                name = Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            }
            Counter::new(name, now + limit.period.seconds() * 1000)
        };
        self.limits.iter().map(counter).collect()
    }

    /// What is left of each limit.
    fn left(&self, counters: &[Counter]) -> Result<Vec<f64>, String> {
        let names: Vec<String> = counters.iter().map(|counter| counter.name.clone()).collect();
        let used = match &self.redis {
            Some(redis) => redis.read(&names)?,
            None => counters::read(&names),
        };
        Ok(self
            .limits
            .iter()
            .zip(used)
            .map(|(limit, used)| (limit.limit - to_float(used)).max(0.0))
            .collect())
    }

    fn count(&self, counters: &[Counter], cost: u64) -> Result<(), String> {
        match &self.redis {
            Some(redis) => redis.add(counters, cost).map(drop),
            None => {
                counters::add(counters, cost);
                Ok(())
            }
        }
    }
}

/// What a response costs, by the names of limits: `video=2, image`. One is meant where nothing is said.
fn costs(header: &str) -> Vec<(&str, u64)> {
    header
        .split(',')
        .map(|part| part.split_once('=').unwrap_or((part, "1")))
        .map(|(name, amount)| (name.trim(), amount.trim().parse().unwrap_or(1)))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts to 2^53")]
fn to_float(count: u64) -> f64 {
    count as f64
}

/// The key in the context of whom a response is counted for.
const COUNTED: &str = "counted";
/// Bytes of the name of a counter.
const LONGEST: usize = 512;

export!(ResponseRateLimiting: OnRequest, OnResponse);

#[cfg(test)]
mod tests;
