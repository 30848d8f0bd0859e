//! Lets requests through by the address of the client.

mod range;

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, Schema, config, export};

use crate::range::Ranges;

/// Who is let through.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Addresses and ranges that are let through, and no others.
    allow: Option<Vec<String>>,
    /// Addresses and ranges that are turned away; looked at first.
    deny: Option<Vec<String>>,
    /// Status for those who are turned away.
    status: Option<f64>,
    /// What they are told.
    message: Option<String>,
}

/// See the crate's description.
pub struct IpRestriction {
    allow: Ranges,
    deny: Ranges,
    status: u16,
    message: Option<String>,
}

impl Plugin for IpRestriction {
    type Config = Config;
    const PRIORITY: i32 = 990;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let allow = Ranges::parse("allow", config.allow.as_deref().unwrap_or_default(), &mut problems);
        let deny = Ranges::parse("deny", config.deny.as_deref().unwrap_or_default(), &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no status stays none: it is checked where it is used"
        )]
        let status = config.status.map_or(403, |status| status as u16);
        Ok(Self { allow, deny, status, message: config.message })
    }
}

impl OnRequest for IpRestriction {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let client = request.client_address();
        let Ok(address) = client.parse() else {
            let unknown = "Cannot identify the client IP address, unix domain sockets are not supported.";
            return Ok(Decision::fail(403, unknown));
        };
        if !self.deny.contain(address) && (self.allow.is_empty() || self.allow.contain(address)) {
            return Ok(Decision::Continue);
        }
        if !(400..600).contains(&self.status) {
            return Err(Error::new(format!("`status` must be between 400 and 599, not {}", self.status)));
        }
        let message = self.message.clone().unwrap_or_else(|| format!("IP address not allowed: {client}"));
        Ok(Decision::fail(self.status, message))
    }
}

export!(IpRestriction: OnRequest);

#[cfg(test)]
mod tests;
