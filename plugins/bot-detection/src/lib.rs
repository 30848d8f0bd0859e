//! Turns away crawlers, by what they say of themselves.

mod known;

use moongate_sdk::{Decision, Error, OnRequest, Plugin, Problem, Request, Schema, config, export};
use regex_lite::Regex;

/// Which clients are let through or turned away whatever the list of known crawlers says.
#[config]
#[derive(Clone)]
pub struct Config {
    /// Regular expressions of clients that are let through; looked at first.
    #[serde(default)]
    allow: Vec<String>,
    /// Regular expressions of clients that are turned away.
    #[serde(default)]
    deny: Vec<String>,
}

/// See the crate's description.
pub struct BotDetection {
    allow: Vec<Regex>,
    deny: Vec<Regex>,
}

impl Plugin for BotDetection {
    type Config = Config;
    const PRIORITY: i32 = 2500;

    fn schema() -> Schema {
        Schema::native(include_str!("../schema.json"))
    }

    fn new(config: Config) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut read = |name: &str, texts: Vec<String>| {
            let mut regexes = Vec::with_capacity(texts.len());
            for (at, text) in texts.iter().enumerate() {
                match Regex::new(text) {
                    Ok(regex) => regexes.push(regex),
                    Err(error) => problems.push(Problem::at(
                        format!("{name}.{at}"),
                        format!("cannot be used as a regular expression: {error}"),
                    )),
                }
            }
            regexes
        };
        let (allow, deny) = (read("allow", config.allow), read("deny", config.deny));
        if problems.is_empty() { Ok(Self { allow, deny }) } else { Err(problems) }
    }
}

impl OnRequest for BotDetection {
    fn on_request(&self, request: &Request) -> Result<Decision, Error> {
        let agents = request.header_values("user-agent");
        let agent = match agents.as_slice() {
            [] => return Ok(Decision::Continue),
            [agent] => String::from_utf8_lossy(agent),
            _ => return Ok(Decision::fail(400, "Only one User-Agent header allowed")),
        };
        Ok(if self.is_let_through(&agent) { Decision::Continue } else { Decision::fail(403, "Forbidden") })
    }
}

impl BotDetection {
    fn is_let_through(&self, agent: &str) -> bool {
        let matches = |regex: &Regex| regex.is_match(agent);
        agent.is_empty()
            || self.allow.iter().any(matches)
            || !(self.deny.iter().any(matches) || known::is_crawler(agent))
    }
}

export!(BotDetection: OnRequest);

#[cfg(test)]
mod tests;
